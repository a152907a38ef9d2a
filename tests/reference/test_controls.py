"""What the comparison must notice: each rule of the model doctored, and words of the chain."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil
from random import Random
from typing import Any, NamedTuple

import boa
import pytest

from tests.helpers.protocol import Order, mapped
from tests.reference import (
    deleveraging,
    doubt,
    fills,
    funding,
    house,
    liquidation,
    margin,
    margins,
    orders,
    placing,
    ramps,
    reading,
    settlement,
    shares,
    trading,
)
from tests.reference.book import Order as Known
from tests.reference.machine import WEIGHTS, Actions, run
from tests.reference.placing import place_signed
from tests.reference.state import DAY, PPM, Dust, Market, Money, Price, Quote, State, Tier
from tests.reference.twin import Difference
from tests.reference.walking import world

WALKS, STEPS = 40, 250  # at most, and of each: markets come to their end
WORLD = world()


class Doctored(NamedTuple):
    """A rule of the model changed, and the action that is chosen often to see it."""

    owner: Any
    name: str
    rule: Any
    action: str = "trade"


def times(factor: Fraction | int, rule: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given, **named: rule(*given, **named) * factor


def impact_without_own_half(market: Market, price: Money, lots: int) -> Money:
    return Fraction(lots) * price * market.skew / market.terms.skew_scale


def half_the_margin(tiers: Sequence[Tier], notional: Money, leverage: int) -> Money:
    return Fraction(margin.initial_margin(tiers, notional, leverage)) / 2


def signed_too_late(
    state: State, order: Order, exits: list[Order], nonce: int, deadline: int, signer: str
) -> list[bytes]:
    return place_signed(state, order, exits, nonce, deadline + DAY, signer)


def rate_above(before: Fraction, after: Fraction, part: Fraction) -> Fraction:
    return Fraction(ceil((before + (after - before) * part) * PPM), PPM)


def unweighted(price: Price, quotes: Sequence[Quote], now: int) -> Fraction | None:
    return Fraction(sum(quote.price for quote in quotes)) / len(quotes)


def endless(price: Price, now: int) -> int:
    return min(now, price.published_at + price.max_age) - price.silence


def regardless_of_doubt(judged: Money, maintenance: Money, caution: int, dust: Dust) -> bool:
    return maintenance > 0 and dust.holds(maintenance, judged)


RULES: dict[str, Doctored] = {
    "a fee a thousandth too high": Doctored(
        fills, "fee_of", times(Fraction(1001, 1000), fills.fee_of)
    ),
    "an impact without the trade's own half": Doctored(fills, "impact_of", impact_without_own_half),
    "funding at the end's rate": Doctored(
        funding,
        "integral",
        lambda rate, drift, bound, days: ((rate + drift * days) * days, rate + drift * days),
    ),
    "profit that may be withdrawn": Doctored(
        margin.Ledger,
        "withdrawable",
        property(lambda self: max(0, self.cash + self.value - self.initial)),
        "withdraw",
    ),
    "vaults at 9x unless told otherwise": Doctored(placing, "DEFAULT_LEVERAGE", 9 * PPM),
    "all closed only below half of maintenance": Doctored(
        liquidation, "HEALING", Fraction(1, 2), "squeeze"
    ),
    "no margin for a conversion's loss": Doctored(
        margins, "initial_margin", half_the_margin, "convert_position"
    ),
    "a slot whose end is not counted": Doctored(fills, "end", lambda position: None),
    "a heir that turns round": Doctored(placing, "OF_HEIR", placing.OF_ENTRY, "replace"),
    "a batch that stops at who waits": Doctored(
        orders, "execute_all", lambda state, names, keeper, dust: ([], []), "execute_orders"
    ),
    "siblings that live on": Doctored(orders, "over", lambda state, order: [], "place_bracket"),
    "a trailing stop that never turns": Doctored(
        Known, "follows", property(lambda self: False), "ratchet"
    ),
    "operators of dust": Doctored(placing, "WORTH", 0, "place"),
    "builders who name their fee": Doctored(
        placing, "_builder_against", lambda state, order: [], "approve_builder"
    ),
    "signatures that last": Doctored(
        placing, "place_signed", signed_too_late, "place_with_signature"
    ),
    "winners paid out to the last of the excess": Doctored(
        deleveraging, "STOPS_AT", 1, "auto_deleverage"
    ),
    "requests fixed for nothing": Doctored(shares, "REWARD", 0, "fix"),
    "insurance at two days' notice": Doctored(house, "NOTICE", 2 * DAY, "withdraw_insurance"),
    "a mode that changes while something is open": Doctored(
        State, "is_flat", lambda self, account: True, "set_hedge_mode"
    ),
    "rates that are there at once": Doctored(
        reading, "tiers_at", lambda ramp, now: ramp.target, "ramp_tiers"
    ),
    "rates on their way rounded up": Doctored(ramps, "between", rate_above, "ramp_tiers"),
    "tiers out of bounds": Doctored(ramps, "objections", lambda tiers, terms: [], "ramp_tiers"),
    "a ramp of an hour": Doctored(ramps, "SHORTEST", 3_600, "ramp_tiers"),
    "terms that hold where a ramp leads to alone": Doctored(
        ramps, "lowest_rate", lambda ramp, now: ramp.target[0].maintenance, "set_terms"
    ),
    "an hour whose prices all weigh the same": Doctored(
        settlement, "average", unweighted, "fix_settlement"
    ),
    "a settlement at half a day's notice": Doctored(
        settlement, "NOTICE", DAY // 2, "announce_settlement"
    ),
    "a feed that is dead after six days": Doctored(
        settlement, "DEAD_AFTER", 6 * DAY, "settle_dead"
    ),
    "a market whose clock never ends": Doctored(Price, "clock", endless, "fix_settlement"),
    "money that leaves while a market settles": Doctored(
        Price, "is_firm", Price.is_fresh, "pass_hour"
    ),
    "positions that settle early": Doctored(
        settlement, "settle_positions", lambda state, places: len(places), "settle_positions"
    ),
    "opening at a disputed price": Doctored(
        trading, "is_doubted", lambda state, market: False, "contest"
    ),
    "a dispute without grace": Doctored(doubt, "GRACE", 0, "contest"),
    "a dispute that is forgotten at once": Doctored(doubt, "MEMORY", 0, "contest"),
    "doubt that shields nobody": Doctored(
        liquidation, "_may_liquidate", regardless_of_doubt, "squeeze"
    ),
    "a confidence that providers do not bear": Doctored(shares, "band", lambda state: 0, "blur"),
    "a guardian whom nobody hears": Doctored(
        trading, "is_closed", lambda state, market: False, "stop_opening"
    ),
}


def walk(weights: dict[str, int]) -> None:
    for seed in range(WALKS):
        run(seed, STEPS, *WORLD, weights=weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_a_doctored_rule_is_noticed(name: str) -> None:
    doctored = RULES[name]
    weights = WEIGHTS | {doctored.action: 40}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*doctored[:3])
        with pytest.raises(Difference):
            walk(weights)


def poke(actions: Actions, slot: int, change: int) -> None:
    clearinghouse = actions.protocol.clearinghouse
    word = clearinghouse.storage(slot) + change
    boa.env.set_storage(clearinghouse.address, slot, word)


def slot_of_house(actions: Actions) -> int:
    return actions.protocol.clearinghouse.slots["ledger._house"]


def slot_of_side(actions: Actions) -> int:
    return actions.protocol.clearinghouse.slots["markets._words"] + 1


def slot_of_account(actions: Actions) -> int:
    slots = actions.protocol.clearinghouse.slots
    return mapped(slots["ledger._accounts"], int(actions.traders[0], 16))


@pytest.mark.parametrize(
    ("slot", "change"),
    [
        pytest.param(slot_of_house, 1 << 160, id="a quote unit for the pool"),
        pytest.param(slot_of_house, 1 << 8, id="a quote unit for the treasury"),
        pytest.param(slot_of_side, 1, id="a lot for a side"),
        pytest.param(slot_of_side, 1 << 96, id="a femto for a side"),
        pytest.param(slot_of_account, 1 << 192, id="a quote unit for an account"),
    ],
)
def test_a_doctored_word_is_noticed(slot: Callable[[Actions], int], change: int) -> None:
    protocol, traders = WORLD
    with protocol.anchored():
        actions = Actions(protocol, traders, Random(1))
        poke(actions, slot(actions), change)
        with pytest.raises(Difference):
            actions.deposit()
