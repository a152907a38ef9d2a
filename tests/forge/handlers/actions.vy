# pragma version 0.4.3
"""
@title Actions
@license MIT
@notice What the fuzzer calls, each as often as the others: one function of `Everyone` for each thing
        that somebody may do.
"""

ACTIONS: constant(uint256) = 96
TRADES: constant(uint256) = 7  # among them
LIQUIDATIONS: constant(uint256) = 2


@internal
@pure
def _actions() -> DynArray[bytes4, ACTIONS]:
    actions: DynArray[bytes4, ACTIONS] = [
        method_id("place(bytes32)", output_type=bytes4),
        method_id("execute(bytes32)", output_type=bytes4),
        method_id("execute_orders(bytes32)", output_type=bytes4),
        method_id("ratchet(bytes32)", output_type=bytes4),
        method_id("cancel(bytes32)", output_type=bytes4),
        method_id("cancel_for_others(bytes32)", output_type=bytes4),
        method_id("cancel_orders(bytes32)", output_type=bytes4),
        method_id("cancel_all(bytes32)", output_type=bytes4),
        method_id("close(bytes32)", output_type=bytes4),
        method_id("place_bracket(bytes32)", output_type=bytes4),
        method_id("place_group(bytes32)", output_type=bytes4),
        method_id("replace(bytes32)", output_type=bytes4),
        method_id("place_signed(bytes32)", output_type=bytes4),
        method_id("place_signed_bracket(bytes32)", output_type=bytes4),
        method_id("cancel_nonces(bytes32)", output_type=bytes4),
        method_id("deposit_with_permit(bytes32)", output_type=bytes4),
        method_id("deposit(bytes32)", output_type=bytes4),
        method_id("withdraw(bytes32)", output_type=bytes4),
        method_id("withdraw_all(bytes32)", output_type=bytes4),
        method_id("deposit_margin(bytes32)", output_type=bytes4),
        method_id("add_margin(bytes32)", output_type=bytes4),
        method_id("remove_margin(bytes32)", output_type=bytes4),
        method_id("set_auto_margin(bytes32)", output_type=bytes4),
        method_id("convert_position(bytes32)", output_type=bytes4),
        method_id("set_leverage(bytes32)", output_type=bytes4),
        method_id("set_default_margin_mode(bytes32)", output_type=bytes4),
        method_id("set_hedge_mode(bytes32)", output_type=bytes4),
        method_id("set_operator(bytes32)", output_type=bytes4),
        method_id("approve_builder(bytes32)", output_type=bytes4),
        method_id("set_referral_share(bytes32)", output_type=bytes4),
        method_id("set_referrer(bytes32)", output_type=bytes4),
        method_id("trespass(bytes32)", output_type=bytes4),
        method_id("move_price(bytes32)", output_type=bytes4),
        method_id("pass_time(bytes32)", output_type=bytes4),
        method_id("set_confidence(bytes32)", output_type=bytes4),
        method_id("dispute(bytes32)", output_type=bytes4),
        method_id("announce_settlement(bytes32)", output_type=bytes4),
        method_id("await_settlement(bytes32)", output_type=bytes4),
        method_id("fix_settlement(bytes32)", output_type=bytes4),
        method_id("settle_dead(bytes32)", output_type=bytes4),
        method_id("settle_positions(bytes32)", output_type=bytes4),
        method_id("add_liquidity(bytes32)", output_type=bytes4),
        method_id("request_exit(bytes32)", output_type=bytes4),
        method_id("fix_exit(bytes32)", output_type=bytes4),
        method_id("set_terms(bytes32)", output_type=bytes4),
        method_id("set_status(bytes32)", output_type=bytes4),
        method_id("guard(bytes32)", output_type=bytes4),
        method_id("set_order_terms(bytes32)", output_type=bytes4),
        method_id("replace_tiers(bytes32)", output_type=bytes4),
        method_id("ramp_tiers(bytes32)", output_type=bytes4),
        method_id("end_ramp(bytes32)", output_type=bytes4),
        method_id("fund_insurance(bytes32)", output_type=bytes4),
        method_id("withdraw_insurance(bytes32)", output_type=bytes4),
        method_id("claim_fees(bytes32)", output_type=bytes4),
    ]
    for _: uint256 in range(TRADES):
        actions.append(method_id("trade(bytes32)", output_type=bytes4))
    for _: uint256 in range(LIQUIDATIONS):
        actions.append(method_id("liquidate_vaults(bytes32)", output_type=bytes4))
        actions.append(method_id("liquidate_ledgers(bytes32)", output_type=bytes4))
        actions.append(method_id("liquidate_all(bytes32)", output_type=bytes4))
        actions.append(method_id("auto_deleverage(bytes32)", output_type=bytes4))
    return actions
