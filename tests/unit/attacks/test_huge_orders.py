"""An order of any size ends with a reason: none fails for ever and keeps its keeper unpaid."""

import pytest

from tests.helpers.protocol import (
    CANCELLED,
    CROSS,
    ISOLATED,
    LIMIT,
    USD,
    Protocol,
)

MOST = 2**56 - 1  # lots
SCALE = 10**15
KEEPER_FEE = USD // 5
MODES = pytest.mark.parametrize("mode", [CROSS, ISOLATED])
SIDES = pytest.mark.parametrize("is_buy", [True, False])
SIZES = pytest.mark.parametrize("size", [2 * SCALE - 1, 2 * SCALE, 2 * SCALE + 1, 4 * SCALE, MOST])
REASONS = {"cap: open interest", "size: too large"}


@MODES
@SIDES
@SIZES
def test_a_huge_market_order_ends_with_a_reason(
    protocol: Protocol, trader: str, keeper: str, mode: int, is_buy: bool, size: int
) -> None:
    protocol.deposit(trader, 1_000 * USD)
    order = protocol.place(trader, 0, size, margin_mode=mode, is_buy=is_buy)
    receipt = protocol.fill(order)
    assert receipt.result == CANCELLED
    event = receipt.event("OrderCancelled")
    assert event.reason in REASONS
    assert event.keeper_fee == KEEPER_FEE == protocol.cash(keeper)
    assert protocol.account(trader).escrow == 0
    assert protocol.cash(trader) == 1_000 * USD - KEEPER_FEE


@MODES
def test_a_huge_flip_ends_with_a_reason(protocol: Protocol, trader: str, mode: int) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, 10**7, margin_mode=mode)
    order = protocol.place(trader, 0, MOST, margin_mode=mode, is_buy=False)
    assert protocol.fill(order).event("OrderCancelled").reason in REASONS
    protocol.trade(trader, 0, 0, margin_mode=mode, is_buy=False, reduce_only=True)
    assert protocol.skew(0) == 0


@MODES
def test_a_huge_sell_at_a_limit_of_nearly_nothing_waits_for_its_price(
    protocol: Protocol, trader: str, mode: int
) -> None:
    """The impact would eat its whole notional: no price at all is acceptable."""
    protocol.deposit(trader, 1_000 * USD)
    fields = {"margin_mode": mode, "is_buy": False, "kind": LIMIT, "acceptable_price": 1}
    order = protocol.place(trader, 0, 4 * SCALE, **fields)
    protocol.wait(0)
    receipt = protocol.book.attempt(protocol.keeper, "execute", order)
    assert receipt.refusal == "price: not acceptable"
    protocol.cancel(order)
    assert protocol.cash(trader) == 1_000 * USD


@MODES
@SIDES
def test_a_huge_reduction_closes_what_there_is(
    protocol: Protocol, trader: str, mode: int, is_buy: bool
) -> None:
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 0, 10**7, margin_mode=mode, is_buy=is_buy)
    receipt = protocol.trade(trader, 0, MOST, margin_mode=mode, is_buy=not is_buy, reduce_only=True)
    assert receipt.event("PositionDecreased").size == 10**7
    assert protocol.skew(0) == 0
