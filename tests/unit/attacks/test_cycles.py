"""Trade, liquidate, trade: one person's accounts together never win at a constant price.

A liquidation closes at the mark price and skips the impact that a trade would pay. So whoever lets
a position on the lighter side be liquidated moves the skew for nothing, and is paid for moving it
back. What insurance keeps of the penalty must cost more than that, for any terms there may be.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from bulkhead.protocol.words import ISOLATED_LONG, MAX_LEVERAGE, MAX_NOTIONAL
from tests.helpers.chain import refused
from tests.helpers.protocol import (
    CROSS,
    ISOLATED,
    PLENTY,
    PPM,
    USD,
    Market,
    Protocol,
    Terms,
    position_id,
)

LOTS = 10**8  # in a base unit
DOLLARS = 50_000
FEMTO_PER_LOT = DOLLARS * 10**15 // LOTS


def draw_market(random: Random) -> Market:
    """Terms up to the bounds of a listing, mostly at them; no funding, which others would pay."""
    maintenance = random.choice((2_000, 5_000, 20_000, 100_000))
    penalty = random.choice((maintenance // 2, random.randint(1_000, maintenance // 2)))
    keeper_share = random.choice((0, 0, 300_000, 500_000))
    insured = penalty - penalty * keeper_share // PPM
    side_cap = min(insured, maintenance // 2)
    taker_fee = random.choice((0, 0, min(insured, 500)))
    minimum = random.choice((10, 100, 1_000))
    terms = Terms(
        taker_fee=taker_fee,
        maker_fee=random.choice((0, taker_fee)),
        skew_scale=random.randint(10**9, 10**11) * PPM // side_cap // 10,
        skew_cap=side_cap - random.randint(side_cap // 20, side_cap // 2),
        side_cap=side_cap,
        min_notional=minimum,
        pool_share=900_000,
        reserve_rate=1_000,
        funding_velocity=0,
        max_funding_rate=0,
        penalty=penalty,
        keeper_share=keeper_share,
        keeper_floor=0,
        keeper_cap=10**6 * USD,
        buffer=500_000,
    )
    tiers = ((0, maintenance, maintenance * 3 // 2),)
    return Market("BTC-PERP", DOLLARS, LOTS, terms, tiers, keeper_fee=0)


def at(femto_per_lot: int) -> Decimal:
    return Decimal(femto_per_lot * LOTS) / 10**15


class Person:
    """Someone who is both sides of a pair, and the keeper of both."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.victim = protocol.trader
        self.other = protocol.attacker
        self.keeper = protocol.keeper
        for account in (self.victim, self.other):
            protocol.deposit(account, 5 * PLENTY)

    def cash(self) -> int:
        return sum(self.protocol.cash(a) for a in (self.victim, self.other, self.keeper))

    def worth(self) -> int:
        """Femto, at the mark price."""
        found = self.cash() * 10**9
        for account in (self.victim, self.other):
            for slot in range(4):
                position = self.protocol.position(account, 0, slot)
                found += position.margin * 10**9 if slot >= ISOLATED_LONG else 0
                if position.size:
                    found += self.protocol.value(account, 0, slot)
        return found


def liquidate_at_the_edge(protocol: Protocol, account: str, slot: int, is_long: bool) -> int:
    """Moves the price just so far that the vault's maintenance margin is reached."""
    id_ = position_id(account, 0, slot)
    near, far = FEMTO_PER_LOT, FEMTO_PER_LOT * (8 if is_long else 12) // 10
    while abs(far - near) > 1:
        middle = (near + far) // 2
        with protocol.anchored():
            protocol.push_price(0, at(middle))
            is_reached = protocol.liquidate_isolated(id_).result == 1
        near, far = (near, middle) if is_reached else (middle, far)
    protocol.push_price(0, at(far))
    receipt = protocol.liquidate_isolated(id_)
    assert receipt.result == 1
    assert receipt.event("PositionLiquidated").deficit == 0
    return far


@pytest.mark.parametrize("partial_above", [MAX_NOTIONAL, 0])
@pytest.mark.parametrize("seed", range(6))
def test_no_cycle_of_trades_and_liquidations_wins(seed: int, partial_above: int) -> None:
    random = Random(f"cycle {seed}")
    market = draw_market(random)
    market = replace(market, terms=replace(market.terms, partial_above=partial_above))
    terms = market.terms
    protocol = Protocol(market)
    is_long = random.random() < 0.5  # the side of what will be liquidated
    stranger = protocol.guardian
    protocol.deposit(stranger, 10 * PLENTY)
    heavy = terms.skew_scale * terms.skew_cap // PPM
    room = terms.skew_scale * terms.side_cap // PPM - heavy
    size = room * random.choice((60, 100)) // 100
    assert size * FEMTO_PER_LOT > terms.min_notional * 10**15
    protocol.trade(stranger, 0, heavy, is_buy=not is_long)
    person = Person(protocol)
    started = person.worth()
    impact = 0

    for _ in range(2):
        # Both in the same instant: the pair is worth the same at any price.
        protocol.push_price(0, DOLLARS)
        money = person.worth()
        leverage = min(PPM * PPM // market.tiers[0][2], MAX_LEVERAGE)
        first = protocol.place(
            person.victim, 0, size, is_buy=is_long, margin_mode=ISOLATED, leverage=leverage
        )
        second = protocol.place(
            person.other, 0, size, is_buy=not is_long, margin_mode=random.choice((CROSS, ISOLATED))
        )
        protocol.wait(0)
        for order in (first, second):
            receipt = protocol.execute(order)
            assert receipt.named("PositionIncreased"), receipt.events
        price = liquidate_at_the_edge(
            protocol, person.victim, ISOLATED_LONG + (not is_long), is_long
        )
        close = protocol.place(
            person.other, 0, 0, is_buy=is_long, reduce_only=True, margin_mode=second.margin_mode
        )
        receipt = protocol.fill(close, at(price))
        impact += receipt.event("PositionDecreased").impact
        rest = protocol.position(person.victim, 0, ISOLATED_LONG + (not is_long)).size
        assert (rest != 0) == (partial_above == 0)
        if rest:  # liquidated in part
            protocol.trade(
                *(person.victim, 0, 0, at(price)),
                is_buy=not is_long,
                reduce_only=True,
                margin_mode=ISOLATED,
            )
        assert person.worth() <= money

    assert impact < 0, "the skew was moved back for a payment"
    assert protocol.account(person.victim).vaults == protocol.account(person.other).vaults == 0
    assert protocol.account(person.other).legs == 0
    assert person.worth() <= started
    protocol.check_invariants()


def test_a_keepers_floor_leaves_insurance_enough_of_the_smallest_penalty() -> None:
    """Else the keeper of his own gets back what liquidating the smallest position costs."""
    minimum, penalty = 2**16 - 1, 50_000
    size = minimum * 10**15 // FEMTO_PER_LOT + 1
    terms = Terms(
        taker_fee=0,
        maker_fee=0,
        skew_scale=1_000 * size,
        skew_cap=49_000,
        side_cap=50_000,
        min_notional=minimum,
        pool_share=900_000,
        reserve_rate=1_000,
        funding_velocity=0,
        max_funding_rate=0,
        penalty=penalty,
        keeper_share=0,
        keeper_floor=penalty * minimum,
        keeper_cap=10**6 * USD,
        buffer=500_000,
    )
    tiers = ((0, 2 * penalty, 3 * penalty),)
    with refused("cap: above insured penalty"):
        Protocol(Market("BTC-PERP", DOLLARS, LOTS, terms, tiers, keeper_fee=0))
    backed = replace(terms, keeper_floor=0)
    Protocol(Market("BTC-PERP", DOLLARS, LOTS, backed, tiers, keeper_fee=0))
