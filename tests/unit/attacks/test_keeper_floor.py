"""A liquidation pays at most the position's own full penalty: insurance can not be farmed."""

import pytest

from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.protocol import ISOLATED, PPM, USD, Protocol, position_id

DUST = 20_000  # 0.0002 BTC, 10 USD: the smallest position
PENALTY = 2_500  # ppm
HIGHEST_MINIMUM = 2**16 - 1  # USD
FLOOR = PENALTY * HIGHEST_MINIMUM // 2  # 81.92 USD: the rest of the penalty covers the caps


@pytest.fixture
def dust(protocol: Protocol, trader: str, attacker: str) -> Protocol:
    """The smallest vault, with the smallest margin, and the same as a cross leg."""
    protocol.deposit(trader, 10 * USD)
    protocol.trade(trader, 0, DUST, margin_mode=ISOLATED, leverage=100 * PPM)
    protocol.deposit(attacker, 310_000)
    protocol.trade(attacker, 0, DUST)
    return protocol


def full_penalty(dollars: int) -> int:
    notional = 10 * USD * dollars // 50_000
    return -(-notional * PENALTY // PPM)


# The price jumps past the maintenance margin, past zero equity, and far past it.
@pytest.mark.parametrize("dollars", [49_700, 49_480, 40_000, 10_000])
@pytest.mark.parametrize("is_raised", [True, False])
def test_a_keeper_earns_no_more_than_the_penalty(
    dust: Protocol, trader: str, attacker: str, keeper: str, dollars: int, is_raised: bool
) -> None:
    if is_raised:
        dust.set_terms(0, min_notional=HIGHEST_MINIMUM, keeper_floor=FLOOR, keeper_cap=1_000 * USD)
    dust.push_price(0, dollars)
    insurance, earned = dust.house().insurance, dust.cash(keeper)

    receipt = dust.liquidate_isolated(position_id(trader, 0, ISOLATED_LONG))

    assert receipt.result == 1
    event = receipt.event("PositionLiquidated")
    assert event.reward <= full_penalty(dollars)
    assert dust.cash(keeper) == earned + event.reward
    spent = insurance - dust.house().insurance - event.deficit
    assert spent == event.reward - event.penalty
    if is_raised:
        assert event.reward == full_penalty(dollars)

    receipt = dust.liquidate_cross(attacker)
    event = receipt.event("PositionLiquidated")
    assert event.reward <= full_penalty(dollars)


def test_a_minimum_raised_later_turns_no_dust_into_a_bounty(
    dust: Protocol, trader: str, attacker: str, keeper: str
) -> None:
    """Both are one person, and so is the keeper: together they win nothing from insurance."""
    insurance = dust.house().insurance
    dust.set_terms(0, min_notional=HIGHEST_MINIMUM, keeper_floor=FLOOR, keeper_cap=1_000 * USD)
    dust.push_price(0, 49_500)
    before = dust.cash(trader) + dust.cash(attacker) + dust.cash(keeper)
    margins = dust.position(trader, 0, ISOLATED_LONG).margin
    assert dust.liquidate_isolated(position_id(trader, 0, ISOLATED_LONG)).result == 1
    assert dust.liquidate_cross(attacker).result == 1
    after = dust.cash(trader) + dust.cash(attacker) + dust.cash(keeper)
    assert after <= before + margins
    assert dust.house().insurance >= insurance - 2 * full_penalty(49_500)
