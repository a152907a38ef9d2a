# pragma version 0.4.3
"""
@title Everyone
@license MIT
@notice An exchange and all that anybody may do to it, each from one seed.
"""

from ..handlers import accounts
from ..handlers import books
from ..handlers import keepers
from ..handlers import orders
from ..handlers import owners
from ..handlers import providers
from ..handlers import stage

initializes: stage
initializes: books[stage := stage]
initializes: accounts[stage := stage, books := books]
initializes: orders[stage := stage, books := books]
initializes: keepers[stage := stage, books := books]
initializes: providers[stage := stage, books := books]
initializes: owners[stage := stage, books := books]

exports: (
    accounts.__interface__,
    orders.__interface__,
    keepers.__interface__,
    providers.__interface__,
    owners.__interface__,
)


@deploy
def __init__(pool_cash: uint256, insurance: uint256):
    """
    @param pool_cash USD.
    @param insurance USD.
    """
    stage._deploy(pool_cash * stage.USD, insurance * stage.USD)
    books._close(books.EVERYBODY)


@external
def check():
    """
    @notice All that must hold, slot by slot.
    """
    books._check_all()


@external
def report(path: String[96]):
    """
    @notice Appends to a file what has been called, refused and seen.
    """
    stage._report(path)


@external
@view
def actions() -> DynArray[bytes4, 64]:
    """
    @notice What the fuzzer calls, each as often as the others.
    """
    return [
        method_id("trade(bytes32)", output_type=bytes4),
        method_id("trade(bytes32)", output_type=bytes4),
        method_id("trade(bytes32)", output_type=bytes4),
        method_id("trade(bytes32)", output_type=bytes4),
        method_id("trade(bytes32)", output_type=bytes4),
        method_id("trade(bytes32)", output_type=bytes4),
        method_id("place(bytes32)", output_type=bytes4),
        method_id("execute(bytes32)", output_type=bytes4),
        method_id("execute_orders(bytes32)", output_type=bytes4),
        method_id("ratchet(bytes32)", output_type=bytes4),
        method_id("cancel(bytes32)", output_type=bytes4),
        method_id("cancel_all(bytes32)", output_type=bytes4),
        method_id("close(bytes32)", output_type=bytes4),
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
        method_id("move_price(bytes32)", output_type=bytes4),
        method_id("pass_time(bytes32)", output_type=bytes4),
        method_id("liquidate_vaults(bytes32)", output_type=bytes4),
        method_id("liquidate_ledgers(bytes32)", output_type=bytes4),
        method_id("liquidate_all(bytes32)", output_type=bytes4),
        method_id("auto_deleverage(bytes32)", output_type=bytes4),
        method_id("add_liquidity(bytes32)", output_type=bytes4),
        method_id("request_exit(bytes32)", output_type=bytes4),
        method_id("fix_exit(bytes32)", output_type=bytes4),
        method_id("set_terms(bytes32)", output_type=bytes4),
        method_id("set_status(bytes32)", output_type=bytes4),
        method_id("ramp_tiers(bytes32)", output_type=bytes4),
        method_id("end_ramp(bytes32)", output_type=bytes4),
        method_id("fund_insurance(bytes32)", output_type=bytes4),
        method_id("withdraw_insurance(bytes32)", output_type=bytes4),
        method_id("claim_fees(bytes32)", output_type=bytes4),
    ]
