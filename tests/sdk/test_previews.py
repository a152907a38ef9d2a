"""Previews equal what then happens, word for word, at the same price and second."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import pytest
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from bulkhead import MarginMode, OrderHandle, OrderKind, OrderState, Trader, errors
from bulkhead.fills import Fill
from bulkhead.previews import WritePreview
from tests.helpers.anvil import Anvil
from tests.sdk.world import World, build_world, refreshed

pytestmark = pytest.mark.anvil

BTC = "BTC-PERP"
ISOLATED, CROSS = MarginMode.ISOLATED, MarginMode.CROSS


@dataclass(frozen=True, slots=True)
class Stage:
    """An account with a vault, a cross leg, and funding under way."""

    world: World
    trader: Trader

    def rpc(self, method: str, *parameters: Any) -> Any:
        answer = self.world.w3.provider.make_request(cast(RPCEndpoint, method), list(parameters))
        return answer.get("result")

    def soon(self) -> int:
        """A second that the next block is made in."""
        at = self.world.reader.now() + 7
        self.rpc("evm_setNextBlockTimestamp", at)
        return at

    def words(self) -> tuple[Any, ...]:
        view = self.world.reader.account(self.trader.address)
        return view.word, [(one.market.id, one.slot, one.word) for one in view.positions]


@pytest.fixture(scope="module")
def built() -> Iterator[World]:
    with Anvil() as anvil:
        world = build_world(Web3(HTTPProvider(anvil.url)))
        trader = world.trader(20_000)
        fields: dict[str, Any] = {"margin_mode": ISOLATED, "leverage": 5}
        world.fill(trader.place(BTC, "0.2", is_buy=True, **fields))
        world.fill(trader.place("ETH-PERP", 1, is_buy=False, margin_mode=CROSS))
        world.move_price(BTC, 101_000, 500)
        world.move_price("ETH-PERP", 3_900)
        yield world


@pytest.fixture
def stage(built: World) -> Iterator[Stage]:
    world = refreshed(built)
    found = Stage(world, world.wallet)
    snapshot = found.rpc("evm_snapshot")
    yield found
    found.rpc("evm_revert", snapshot)


Write = tuple[str, tuple[Any, ...], dict[str, Any]]
LONG, SHORT = {"is_long": True}, {"is_long": False}
WRITES: list[Write] = [
    ("deposit", ("12.5",), {}),
    ("withdraw", ("12.5",), {}),
    ("deposit_margin", (BTC, 100), LONG),
    ("add_margin", (BTC, "100.000001"), LONG),
    ("remove_margin", (BTC, 50), LONG),
    ("set_auto_margin", (BTC, 500), LONG),
    ("convert_to_isolated", ("ETH-PERP",), SHORT),
    ("convert_to_isolated", ("ETH-PERP", 2_000), SHORT),
    ("convert_to_cross", (BTC,), LONG),
    ("set_leverage", ("ETH-PERP", 7), {}),
    ("set_leverage", (BTC, 7), {"is_isolated": True, "is_long": True}),
    ("set_default_margin_mode", (BTC,), {"is_isolated": True}),
]


@pytest.mark.parametrize("write", WRITES, ids=lambda one: one[0])
def test_a_preview_is_what_happens(stage: Stage, write: Write) -> None:
    name, arguments, named = write
    verb: Callable[..., Any] = getattr(stage.trader, name)
    preview: Callable[..., WritePreview] = getattr(stage.trader, f"preview_{name}")
    stage.trader.deposit(1)  # the allowance is there
    at = stage.world.reader.now() + 7
    shown = preview(*arguments, **named, at=at)
    before = stage.words()
    assert (shown.before.word, shown.at) == (before[0], at)
    stage.soon()
    verb(*arguments, **named)
    after = stage.world.reader.account(stage.trader.address)
    assert after.now == at
    assert shown.after == after


@pytest.mark.parametrize(
    ("name", "arguments", "named", "reason"),
    [
        ("withdraw", (10**6,), {}, errors.BalanceNotWithdrawable),
        ("add_margin", (BTC, 1), SHORT, errors.PositionNotOpen),
        ("remove_margin", (BTC, 4_000), LONG, errors.MarginBelowInitial),
        ("set_hedge_mode", (True,), {}, errors.AccountNotFlat),
        ("deposit", (0,), {}, errors.AmountZero),
        ("add_margin", ("DOG-PERP", 1), LONG, errors.MarketUnknown),
    ],
)
def test_a_preview_refuses_what_would_be_refused(
    stage: Stage, name: str, arguments: tuple[Any, ...], named: Any, reason: type[Exception]
) -> None:
    with pytest.raises(reason):
        getattr(stage.trader, f"preview_{name}")(*arguments, **named)
    with pytest.raises(reason):
        getattr(stage.trader, name)(*arguments, **named)


ORDERS: dict[str, dict[str, Any]] = {
    "a larger vault": {"size": "0.05", "is_buy": True, "margin_mode": ISOLATED},
    "a smaller vault": {
        "size": "0.05",
        "is_buy": False,
        "margin_mode": ISOLATED,
        "reduce_only": True,
    },
    "a whole vault": {"size": 0, "is_buy": False, "margin_mode": ISOLATED, "reduce_only": True},
    "a flip": {"size": "0.3", "is_buy": False, "margin_mode": ISOLATED},
    "a new cross leg": {"size": "0.1", "is_buy": True, "margin_mode": CROSS},
    "what margin does not allow": {"size": 15, "is_buy": True, "margin_mode": CROSS},
    "a limit": {
        "size": "0.1",
        "is_buy": True,
        "margin_mode": CROSS,
        "kind": OrderKind.LIMIT,
        "acceptable_price": 102_000,
    },
}


@pytest.mark.parametrize("name", ORDERS)
def test_an_order_s_preview_is_its_fill(stage: Stage, name: str) -> None:
    fields = dict(ORDERS[name])
    size = fields.pop("size")
    at = stage.world.reader.now() + 20
    shown = stage.trader.preview_place(BTC, size, price=101_500, at=at, **fields)
    handle = stage.trader.place(BTC, size, **fields)
    fill_at(stage, handle, 101_500, at)
    outcome = handle.outcome()
    assert outcome.reason == shown.reason
    assert (outcome.state is OrderState.EXECUTED) == (shown.reason == "")
    assert figures(outcome.fills) == figures(shown.fills)
    assert stage.words() == words_of(shown)


def fill_at(stage: Stage, handle: OrderHandle, price: int, at: int) -> None:
    """Executes an order in a second, at a price of the second before."""
    stage.rpc("evm_setNextBlockTimestamp", at - 2)
    stage.rpc("evm_mine")
    stage.rpc("evm_setNextBlockTimestamp", at - 1)
    stage.world.admin.set_price(BTC, price)
    stage.rpc("evm_setNextBlockTimestamp", at)
    call = stage.world.reader.contracts.order_book.call("execute", handle.order.to_tuple())
    stage.world.reader.chain.send(call, stage.world.stranger, gas=3_000_000)


def words_of(shown: WritePreview) -> tuple[Any, ...]:
    view = shown.after
    return view.word, [(one.market.id, one.slot, one.word) for one in view.positions]


def figures(fills: tuple[Fill, ...]) -> list[tuple[Any, ...]]:
    return [(one.slot, one.lots, one.price, one.fee, one.realised, one.margin) for one in fills]


def test_an_order_that_its_price_does_not_fill_rests(stage: Stage) -> None:
    shown = stage.trader.preview_place(
        BTC, "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=90_000
    )
    assert shown.reason == "price: not acceptable"
    assert shown.fills == ()
    assert shown.after.escrow > 0


def test_a_preview_shows_the_liquidation_price_of_what_is_not_there_yet(stage: Stage) -> None:
    shown = stage.trader.preview_place(
        "ETH-PERP", 1, is_buy=True, margin_mode=ISOLATED, leverage=10
    )
    (vault,) = [one for one in shown.positions if one.is_isolated]
    assert vault.liquidation_price is not None
    assert vault.liquidation_price < vault.entry_price


def test_a_bracket_s_preview_escrows_what_its_exits_pay(stage: Stage) -> None:
    fields: dict[str, Any] = {"is_buy": True, "margin_mode": CROSS}
    at = stage.world.reader.now() + 20
    exits: dict[str, Any] = {"take_profit": 120_000, "stop_loss": 95_000}
    shown = stage.trader.preview_place_bracket(BTC, "0.05", price=101_500, at=at, **exits, **fields)
    entry, *_ = stage.trader.place_bracket(BTC, "0.05", **exits, **fields)
    fill_at(stage, entry, 101_500, at)
    assert stage.words() == words_of(shown)
    # Children are paid for when they fill: only the entry's keeper waits, and is paid.
    assert (shown.before.escrow, shown.after.escrow) == (Decimal("0.2"), Decimal(0))


def test_a_cancellation_s_preview_returns_the_keeper_s_fee(stage: Stage) -> None:
    fields: dict[str, Any] = {"kind": OrderKind.LIMIT, "acceptable_price": 90_000}
    handle = stage.trader.place(BTC, "0.1", is_buy=True, **fields)
    shown = stage.trader.preview_cancel(handle, at=stage.soon())
    assert shown.after.cash - shown.before.cash == shown.before.escrow > 0
    stage.trader.cancel(handle)
    assert shown.after == stage.world.reader.account(stage.trader.address)
    with pytest.raises(errors.OrderNotPending):
        stage.trader.preview_cancel(handle)


def test_a_provider_s_previews_are_what_it_gets(stage: Stage) -> None:
    provider = stage.world.provider
    stage.world.admin.mint(provider.address, 1_000)
    stage.world.move_price(BTC, 101_000)
    stage.world.move_price("ETH-PERP", 3_900)
    shares = provider.preview_deposit(1_000)
    # A share costs what it costs, rounded up, and a deposit buys no part of a unit.
    assert 1_000 - Decimal("0.000002") <= provider.preview_mint(shares) <= 1_000
    before = provider.shares()
    provider.deposit(1_000)
    # Seconds of funding lie between the two.
    assert abs(provider.shares() - before - shares) < shares / 10**6
