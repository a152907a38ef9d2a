"""One storage, several code contracts: equal layouts, nothing to gain from calling one."""

from typing import Any

import boa
import pytest

from tests.helpers.chain import Contract, compiled, reason_of, refused
from tests.helpers.protocol import TIERS, USD, Market, Protocol, position_id, terms_named

LOGICS = ["AccountLogic", "HouseLogic", "LiquidationLogic", "MarketLogic"]
LOTS = 10**7  # 0.1 BTC, 5,000 USD


@pytest.mark.parametrize("logic", LOGICS)
def test_a_logic_contract_has_the_clearinghouses_layout(logic: str) -> None:
    whole, part = compiled("Clearinghouse").layout, compiled(logic).layout
    assert whole
    assert part == whole


def test_the_order_logic_has_the_order_books_layout() -> None:
    whole, part = compiled("OrderBook").layout, compiled("OrderLogic").layout
    assert whole
    assert part == whole


def test_the_order_book_knows_no_function_of_its_logic() -> None:
    book, logic = compiled("OrderBook").functions, compiled("OrderLogic").functions
    assert not book.keys() & logic.keys()


def test_an_order_logic_called_directly_places_and_ends_nothing(
    protocol: Protocol, trader: str, owner: str
) -> None:
    protocol.deposit(trader, 5_000 * USD)
    order = protocol.place(trader, 0, LOTS, kind=1, acceptable_price=1)
    before = protocol.state()
    logic = protocol.order_logic
    with refused("order: not pending"):
        logic.send(trader, "replace", order, order._replace(salt=10**9))
    with refused("caller: not allowed"):
        logic.send(trader, "cancel_all", trader)
    with refused("market: unknown"):
        logic.send(trader, "place_bracket", order, [])
    assert logic.send(trader, "ratchet", [order]).result == 0
    logic.send(owner, "set_order_terms", 0, 0, 1, 10, 0)
    with refused("caller: not allowed"):
        logic.send(trader, "place_bracket", order._replace(salt=10**9), [])
    logic.send(trader, "set_operator", protocol.attacker, 15, 0, 1, 2**40 - 1)
    assert protocol.book.read("operator_word", trader, protocol.attacker) == 0
    assert protocol.state() == before


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
        (protocol.account_logic, trader, "remove_margin", (0, True, USD), "position: not open"),
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
        (protocol.account_logic, trader, "set_auto_margin", (0, True, USD), "position: not open"),
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
        (
            protocol.house_logic,
            owner,
            "request_insurance",
            (0,),
            "ownable: caller is not the owner",
        ),
        (
            protocol.house_logic,
            owner,
            "withdraw_insurance",
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
        (
            protocol.market_logic,
            owner,
            "ramp_tiers",
            (0, TIERS, 86_400),
            "ownable: caller is not the owner",
        ),
        (
            protocol.market_logic,
            owner,
            "replace_tiers",
            (0, TIERS),
            "ownable: caller is not the owner",
        ),
        (protocol.market_logic, attacker, "end_ramp", (0,), "market: unknown"),
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


# What the clearinghouse does not know


def selectors(contract: str) -> set[bytes]:
    return {function.selector for function in compiled(contract).functions.values()}


def test_no_function_of_the_market_logic_is_hidden_by_one_of_the_clearinghouse() -> None:
    """A call is forwarded only if the clearinghouse has no function with its selector."""
    functions = {
        entry["name"] for entry in compiled("Clearinghouse").abi if entry["type"] == "function"
    }
    known = {
        function.selector
        for name, function in compiled("Clearinghouse").functions.items()
        if name in functions
    }
    assert len(known) == len(functions)
    assert not known & selectors("MarketLogic")


@pytest.mark.parametrize("logic", ["AccountLogic", "HouseLogic", "LiquidationLogic"])
def test_the_market_logic_has_no_function_of_another_logic(logic: str) -> None:
    assert not selectors(logic) & selectors("MarketLogic")


def raw(contract: Contract, sender: str, data: bytes, value: int = 0) -> Any:
    boa.env.set_balance(sender, 10**18)
    return boa.env.execute_code(to_address=contract.address, sender=sender, data=data, value=value)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", bytes(3), bytes(4), bytes.fromhex("deadbeef"), bytes(36)],
    ids=["nothing", "a byte", "three", "zeros", "unknown", "unknown with arguments"],
)
def test_a_call_that_nobody_knows_reverts_and_changes_nothing(
    protocol: Protocol, owner: str, data: bytes
) -> None:
    before = protocol.state()
    computation = raw(protocol.clearinghouse, owner, data)
    assert computation.is_error
    assert reason_of(computation.output) == ""
    assert protocol.state() == before


def test_no_contract_takes_ether(protocol: Protocol, owner: str) -> None:
    """Neither with a call it knows, nor one it forwards, nor with none: but for Pyth's fee."""
    for contract in protocol.contracts:
        functions = [one for one in contract.functions.values() if one.name != "update"]
        selected = [function.selector for function in functions]
        for data in (b"", *[selector + bytes(32 * 24) for selector in selected]):
            assert raw(contract, owner, data, value=1).is_error
        assert boa.env.get_balance(contract.address) == 0


def test_a_forwarded_call_cut_short_is_refused(protocol: Protocol, owner: str) -> None:
    function = protocol.market_logic.functions["set_guardian"]
    whole = function.calldata((owner,))
    for length in (4, 20, 35):
        assert raw(protocol.clearinghouse, owner, whole[:length]).is_error
    assert not raw(protocol.clearinghouse, owner, whole).is_error
    assert protocol.clearinghouse.read("guardian") == owner


def test_a_forwarded_result_comes_back_whole(protocol: Protocol, owner: str) -> None:
    """`list_market` is forwarded untyped, and still returns its id."""
    market = Market("XRP-PERP", 2, 2_000)
    protocol.set_feed(3, market)
    protocol.markets.append(market)
    protocol.push_price(3, market.price)
    data = protocol.market_logic.functions["list_market"].calldata(
        (market.symbol, terms_named(), TIERS)
    )
    assert raw(protocol.clearinghouse, owner, data).output == (3).to_bytes(32, "big")
