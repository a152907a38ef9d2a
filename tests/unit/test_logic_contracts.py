"""One storage, several code contracts: equal layouts, nothing to gain from calling one."""

from typing import Any

import pytest

from tests.helpers.chain import compiled, refused
from tests.helpers.protocol import TIERS, USD, Protocol, position_id, terms_named

LOGICS = ["AccountLogic", "HouseLogic", "LiquidationLogic", "MarketLogic"]
LOTS = 10**7  # 0.1 BTC, 5,000 USD


@pytest.mark.parametrize("logic", LOGICS)
def test_a_logic_contract_has_the_clearinghouses_layout(logic: str) -> None:
    whole, part = compiled("Clearinghouse").layout, compiled(logic).layout
    assert whole
    assert part == whole


def test_the_order_book_calls_execute_trade_by_its_true_selector() -> None:
    function = compiled("Clearinghouse").functions["execute_trade"]
    book = compiled("OrderBook").initcode
    assert b"\x63" + function.selector in book


@pytest.mark.parametrize("logic", LOGICS)
def test_every_function_of_a_logic_contract_is_the_clearinghouses(logic: str) -> None:
    functions = compiled("Clearinghouse").functions
    if logic == "MarketLogic":  # the clearinghouse hands on to it whatever it does not know
        assert not functions.keys() & compiled(logic).functions.keys()
        return
    for name, function in compiled(logic).functions.items():
        assert functions[name].selector == function.selector
        assert functions[name].outputs == function.outputs


def test_a_logic_contract_called_directly_changes_nothing_of_the_clearinghouse(
    protocol: Protocol, trader: str, owner: str, attacker: str
) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=2)
    protocol.trade(trader, 0, LOTS)
    protocol.push_price(0, 20_000)
    before = protocol.state()
    vault = position_id(trader, 0, 2)
    calls: list[tuple[Any, str, str, tuple[Any, ...], str | None]] = [
        (protocol.account_logic, trader, "withdraw", (USD, trader), "balance: not withdrawable"),
        (protocol.account_logic, trader, "add_margin", (0, True, USD), "balance: not withdrawable"),
        (protocol.account_logic, trader, "remove_margin", (0, True, USD), "market: unknown"),
        (
            protocol.account_logic,
            trader,
            "deposit_margin",
            (trader, 0, True, USD),
            "position: not open",
        ),
        (protocol.account_logic, trader, "set_leverage", (0, 0, True, True), "market: unknown"),
        (
            protocol.account_logic,
            trader,
            "set_default_margin_mode",
            (0, True),
            "market: unknown",
        ),
        (protocol.account_logic, trader, "set_hedge_mode", (True,), None),
        (protocol.account_logic, trader, "set_auto_margin", (0, True, USD), "market: unknown"),
        (
            protocol.account_logic,
            trader,
            "convert_position",
            (0, True, True, USD),
            "market: unknown",
        ),
        (
            protocol.account_logic,
            trader,
            "deposit_with_permit",
            (trader, USD, 0, 27, b"", b""),
            "logic: called directly",
        ),
        (protocol.account_logic, attacker, "advance_epoch", (trader,), "caller: not allowed"),
        (protocol.house_logic, trader, "fund_insurance", (USD,), "logic: called directly"),
        (
            protocol.house_logic,
            owner,
            "claim_fees",
            (owner,),
            "ownable: caller is not the owner",
        ),
        (protocol.house_logic, attacker, "add_liquidity", (USD,), "caller: not allowed"),
        (protocol.house_logic, attacker, "remove_liquidity", (USD,), "caller: not allowed"),
        (protocol.liquidation_logic, attacker, "liquidate_isolated", ([vault],), None),
        (protocol.liquidation_logic, attacker, "liquidate_cross", ([trader],), None),
        (
            protocol.liquidation_logic,
            attacker,
            "auto_deleverage",
            (0, [vault]),
            "market: unknown",
        ),
        (protocol.liquidation_logic, attacker, "settle_positions", ([vault],), None),
        (
            protocol.market_logic,
            owner,
            "list_market",
            ("X", terms_named(), TIERS),
            "ownable: caller is not the owner",
        ),
        (
            protocol.market_logic,
            owner,
            "set_terms",
            (0, terms_named()),
            "ownable: caller is not the owner",
        ),
        (protocol.market_logic, owner, "set_status", (0, 1), "market: unknown"),
        (
            protocol.market_logic,
            owner,
            "set_guardian",
            (owner,),
            "ownable: caller is not the owner",
        ),
        (
            protocol.market_logic,
            owner,
            "stop_opening",
            (True,),
            "ownable: caller is not the owner",
        ),
    ]
    called = {(contract.name, name) for contract, _, name, _, _ in calls}
    externals = {(logic.name, name) for logic in protocol.logics for name in logic.functions}
    assert called == externals
    for contract, sender, name, arguments, reason in calls:
        if reason is None:
            assert contract.send(sender, name, *arguments).result in (None, 0)
        else:
            with refused(reason):
                contract.send(sender, name, *arguments)
    assert protocol.state() == before
    for logic in protocol.logics:
        assert protocol.balance(logic.address) == 0


def test_a_forwarded_refusal_keeps_its_reason(protocol: Protocol, trader: str) -> None:
    with refused("position: not open"):
        protocol.clearinghouse.send(trader, "deposit_margin", trader, 0, True, USD)
