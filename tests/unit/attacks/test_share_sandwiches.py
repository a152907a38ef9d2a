"""A provider who trades around his own leaving wins nothing from those who stay."""

from dataclasses import replace

import pytest

from tests.helpers.chain import advance
from tests.helpers.protocol import BTC, COOLDOWN, PPM, USD, Protocol, Terms

POOL = 5 * 10**6 * USD  # of each of two providers
SCALE = 10**12
# The largest premium that the bounds allow.
STEEP = Terms(skew_scale=SCALE, skew_cap=2_500, side_cap=2_500, keeper_share=0, keeper_floor=0)


def loss_of_who_stays(terms: Terms) -> int:
    """What the other provider has less once somebody left at a price that held his own premium.

    He is the keeper, too: opens as much as the cap allows, has his request fixed, and closes.
    """
    protocol = Protocol(replace(BTC, terms=terms, keeper_fee=0), pool_cash=POOL)
    attacker, other = protocol.attacker, protocol.liquidity_provider
    shares = protocol.pool.send(attacker, "deposit", POOL, attacker).result
    number = protocol.pool.send(attacker, "requestRedeem", shares, attacker, attacker).result
    protocol.deposit(attacker, 10**6 * USD)
    before = worth(protocol, other)
    advance(COOLDOWN)
    protocol.trade(attacker, 0, terms.skew_cap * SCALE // PPM)
    protocol.pool.send(attacker, "fix", number)
    protocol.trade(attacker, 0, 0, is_buy=False, reduce_only=True)
    protocol.check_invariants()
    return before - worth(protocol, other)


def worth(protocol: Protocol, account: str) -> int:
    shares = protocol.pool.read("balanceOf", account)
    return int(protocol.pool.read("convertToAssets", shares))


def test_the_fees_of_a_liquid_market_outweigh_its_premium() -> None:
    assert loss_of_who_stays(Terms(skew_scale=SCALE)) <= 0


@pytest.mark.parametrize("terms", [STEEP, replace(STEEP, taker_fee=0, maker_fee=0)])
def test_no_premium_leaves_with_a_provider(terms: Terms) -> None:
    assert loss_of_who_stays(terms) <= 0
