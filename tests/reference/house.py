"""Section 8: the pool's and the treasury's money, and terms that change."""

from tests.reference import ramps
from tests.reference.funding import accrue, index_now, steer
from tests.reference.margin import worth
from tests.reference.orders import Refused
from tests.reference.state import DAY, Dust, Money, Ramp, State, Terms


def owed(state: State, market: int) -> Money:
    """To all of a market's traders."""
    price, index = state.prices[market].price, index_now(state, market)
    return sum(
        worth(position, slot & 1, price, index)
        for (_, at, slot), position in state.positions.items()
        if at == market and position.size
    )


def pool_equity(state: State) -> Money:
    """Pool cash less what all markets owe all traders."""
    return state.house.pool_cash - sum(owed(state, n) for n in range(len(state.markets)))


def claim_fees(state: State) -> None:
    if not state.house.fees:
        raise Refused("amount: zero")
    state.house.fees = 0


def set_terms(state: State, number: int, terms: Terms) -> None:
    """Accrued at the old terms first; then the rate drifts as the new ones say.

    They hold at both ends of a ramp; the mark of one that is over goes.
    """
    against = []
    if not state.prices[number].is_live(state.now):
        against.append("price: not live")
    if terms.maker_fee > terms.taker_fee:
        against.append("fee: maker above taker")
    market = state.markets[number]
    against += ramps.against_lowest(ramps.lowest_rate(market.ramp, state.now), terms)
    if against:
        raise Refused(*against)
    accrue(state, number)
    market.terms = terms
    if state.now >= market.ramp.ends_at:
        market.ramp = Ramp(market.ramp.target, market.ramp.target)
    steer(market)


# Insurance

NOTICE, LAPSES_AFTER = 3 * DAY, 10 * DAY  # from when on, and how long an announcement holds


def announce(state: State, amount: int) -> None:
    if amount > state.house.insurance:
        raise Refused("insurance: too little")
    state.house.announced = (amount, state.now + NOTICE) if amount else (0, 0)


def needed(state: State) -> Money:
    """The penalty on the larger side of every market."""
    return sum(
        max(market.sizes) * state.prices[number].price * market.terms.penalty
        for number, market in enumerate(state.markets)
    )


def withdraw_insurance(state: State, dust: Dust) -> None:
    """At most what was announced and what is there; what stays covers what may be needed."""
    house = state.house
    amount, claimable_at = house.announced
    if not amount:
        raise Refused("insurance: none requested")
    if state.now < claimable_at:
        raise Refused("insurance: too early")
    if state.now > claimable_at - NOTICE + LAPSES_AFTER:
        raise Refused("insurance: lapsed")
    open_now = [n for n, market in enumerate(state.markets) if any(market.sizes)]
    amount = min(amount, int(house.insurance))
    against = []
    if not all(state.prices[n].is_firm(state.now) for n in open_now):
        against.append("price: not firm")
    if house.pool_cash < 0:
        against.append("pool: short of cash")
    for number in open_now:
        share = state.markets[number].terms.pool_share * house.pool_cash
        if not dust.holds(share, owed(state, number)):
            against.append("pool: owes above its share")
    if not amount:
        against.append("amount: zero")
    if not dust.holds(house.insurance - amount, needed(state)):
        against.append("insurance: too little")
    if against:
        raise Refused(*against)
    house.insurance -= amount
    house.announced = (0, 0)
