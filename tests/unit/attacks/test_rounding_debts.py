"""Many legs are realised one by one: the units that rounding takes are nobody's debt."""

from dataclasses import replace
from random import Random

import pytest

from tests.helpers.protocol import FRICTIONLESS, USD, Market, Protocol

MARKETS = 6
LOTS = 10**7  # 0.1 of a base unit, 5,000 USD
PRICE = 50_000
FEMTO = 10**15
FREE = replace(FRICTIONLESS, pool_share=150_000)


@pytest.fixture(scope="module")
def many() -> Protocol:
    """Six markets without fees, worth the same."""
    return Protocol(
        *[Market(f"M{i}-PERP", PRICE, 10**8, FREE, keeper_fee=0) for i in range(MARKETS)],
    )


def equity(protocol: Protocol, account: str) -> int:
    """Femto."""
    found = protocol.cash(account) * 10**9
    return found + sum(protocol.value(account, market, 0) for market in range(MARKETS))


def settle_at(protocol: Protocol, femto_per_lot: list[int]) -> None:
    for market, price in enumerate(femto_per_lot):
        protocol.push_price(market, f"{price * 10**8 // FEMTO}.{price * 10**8 % FEMTO:015d}")
        assert protocol.price(market).price == price


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("left", [MARKETS, 100, 40 * USD])
def test_a_ledger_with_equity_leaves_no_debt(many: Protocol, seed: int, left: int) -> None:
    random = Random(f"{seed} {left}")
    with many.anchored() as protocol:
        trader = protocol.trader
        protocol.deposit(trader, 1_000 * USD)
        for market in range(MARKETS):
            protocol.trade(trader, market, LOTS + random.randrange(1_000))
        base = PRICE * FEMTO // 10**8
        prices = [base - random.randrange(10**6) for _ in range(MARKETS)]
        settle_at(protocol, prices)
        # The last price takes all but what should be left.
        size = protocol.position(trader, MARKETS - 1, 0).size
        prices[-1] -= (equity(protocol, trader) - left * 10**9) // size
        settle_at(protocol, prices)
        before = equity(protocol, trader)
        assert left * 10**9 <= before < left * 10**9 + 2 * size
        insurance = protocol.house().insurance

        receipt = protocol.liquidate_cross(trader)

        assert receipt.result == 1
        assert receipt.named("DebtWrittenOff") == []
        events = receipt.named("PositionLiquidated")
        assert len(events) == MARKETS
        penalties = sum(event.penalty for event in events)
        assert 0 <= protocol.cash(trader) <= left - penalties
        top_ups = sum(event.reward for event in events) - penalties
        assert protocol.house().insurance == insurance - top_ups
        protocol.check_invariants()
