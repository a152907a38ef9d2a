"""Somebody fills a market's caps with pairs of his own: it keeps others out, and nobody in."""

from dataclasses import replace

import pytest

from tests.helpers.chain import refused
from tests.helpers.protocol import BTC, EXECUTED, ISOLATED, PPM, USD, Protocol, position_id

SCALE = 10**12
LOTS = 10**7  # 0.1 BTC, 5,000 USD


@pytest.fixture
def filled() -> Protocol:
    """The trader has a vault; then both sides are filled to the last lot by one person."""
    terms = replace(BTC.terms, skew_scale=SCALE)
    protocol = Protocol(replace(BTC, terms=terms))
    protocol.deposit(protocol.trader, 2_000 * USD)
    protocol.trade(protocol.trader, 0, LOTS, margin_mode=ISOLATED)
    cap = terms.side_cap * SCALE // PPM
    bull, bear = protocol.actor("bull"), protocol.actor("bear")
    for account in (bull, bear):
        protocol.deposit(account, 200_000 * USD)
    left = {True: cap - protocol.side(0, True).size, False: cap}
    step = cap // 4
    while any(left.values()):
        for account, is_buy in ((bear, False), (bull, True)):
            if size := min(left[is_buy], step):
                protocol.trade(account, 0, size, is_buy=is_buy)
                left[is_buy] -= size
    assert protocol.side(0, True).size == protocol.side(0, False).size == cap
    return protocol


@pytest.mark.parametrize("is_buy", [True, False])
def test_nobody_else_comes_in(filled: Protocol, is_buy: bool) -> None:
    other = filled.actor("other")
    filled.deposit(other, 2_000 * USD)
    receipt = filled.fill(filled.place(other, 0, LOTS, is_buy=is_buy))
    assert receipt.event("OrderCancelled").reason == "cap: open interest"


def test_who_is_in_may_leave(filled: Protocol) -> None:
    closing = filled.place(
        filled.trader, 0, 0, is_buy=False, reduce_only=True, margin_mode=ISOLATED
    )
    assert filled.fill(closing).result == EXECUTED
    # What he leaves free is free.
    again = filled.place(filled.trader, 0, LOTS, margin_mode=ISOLATED)
    assert filled.fill(again).result == EXECUTED


def test_who_must_go_is_liquidated(filled: Protocol) -> None:
    filled.push_price(0, 45_000)
    assert filled.liquidate_isolated(position_id(filled.trader, 0, 2)).result == 1


def test_it_costs_who_fills_them_fees_and_margin(filled: Protocol) -> None:
    notional = filled.side(0, True).size * filled.price(0).price // 10**9
    spent = sum(200_000 * USD - filled.cash(filled.actor(name)) for name in ("bull", "bear"))
    assert spent > notional * filled.trade_terms(0).maker_fee // PPM
    with refused("balance: not withdrawable"):
        filled.withdraw(filled.actor("bull"), filled.cash(filled.actor("bull")))


def test_who_provides_may_enter_and_leave(filled: Protocol) -> None:
    provider = filled.liquidity_provider
    filled.pool.send(provider, "deposit", USD, provider)
    assert filled.pool.send(provider, "requestRedeem", 10**12, provider, provider).result
