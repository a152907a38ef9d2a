"""Who is his own builder and his own referrer pays as much as anybody."""

from typing import Any

import pytest

from tests.helpers.protocol import EXECUTED, USD, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD
MOST = 1_000  # ppm, the largest fee of a builder


@pytest.fixture
def family(protocol: Protocol) -> list[str]:
    """One person's trader, builder and referrer."""
    accounts = [protocol.actor(name) for name in ("himself", "his builder", "his referrer")]
    himself, builder, referrer = accounts
    protocol.deposit(himself, 10_000 * USD)
    protocol.book.send(himself, "approve_builder", builder, MOST)
    protocol.book.send(himself, "set_referrer", referrer)
    return accounts


@pytest.mark.parametrize("share", [0, 333_333, 10**6])
def test_a_trip_costs_a_family_what_it_costs_anybody(
    protocol: Protocol, family: list[str], share: int
) -> None:
    himself, builder, _ = family
    protocol.book.send(builder, "set_referral_share", share)

    def trip(**fields: Any) -> tuple[int, ...]:
        """What the family, the pool, insurance and treasury have after it."""
        with protocol.anchored():
            for is_buy in (True, False):
                order = protocol.place(himself, 0, LOTS, is_buy=is_buy, **fields)
                assert protocol.fill(order).result == EXECUTED
            house = protocol.house()
            return (
                sum(map(protocol.cash, family)),
                house.pool_cash,
                house.insurance,
                house.fees,
            )

    assert trip() == trip(builder=builder, builder_fee=MOST)
