"""Section 8: the pool's and the treasury's money, and terms that change."""

from tests.reference.funding import accrue, index_now, steer
from tests.reference.margin import worth
from tests.reference.orders import Refused
from tests.reference.state import Money, State, Terms


def pool_equity(state: State) -> Money:
    """Pool cash less what all markets owe all traders."""
    owed: Money = 0
    for (_, market, slot), position in state.positions.items():
        if position.size:
            price = state.prices[market].price
            owed += worth(position, slot & 1, price, index_now(state, market))
    return state.house.pool_cash - owed


def add_liquidity(state: State, amount: int) -> None:
    """Every market with open interest needs a fresh price."""
    for number, market in enumerate(state.markets):
        if any(market.sizes) and not state.prices[number].is_fresh(state.now):
            raise Refused("price: not firm")
    if pool_equity(state) <= 0:
        raise Refused("pool: insolvent")
    state.house.pool_cash += amount


def claim_fees(state: State) -> None:
    if not state.house.fees:
        raise Refused("amount: zero")
    state.house.fees = 0


def set_terms(state: State, number: int, terms: Terms) -> None:
    """Accrued at the old terms first; then the rate drifts as the new ones say."""
    if terms.maker_fee > terms.taker_fee:
        raise Refused("fee: maker above taker")
    accrue(state, number)
    state.markets[number].terms = terms
    steer(state.markets[number])
