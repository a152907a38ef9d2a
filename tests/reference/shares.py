"""Section 8: shares of the pool, bought at once, sold by a request that a later price fixes."""

from fractions import Fraction
from math import ceil

from tests.reference.house import pool_equity
from tests.reference.orders import Refused
from tests.reference.providers import Claim, Request
from tests.reference.state import DAY, Dust, Money, State

VIRTUAL = 10**6  # shares of nobody, worth a quote unit
REWARD = 10**5  # quote, who fixes a request gets; at most half of it


def price(state: State) -> Fraction:
    """Quote a share, of those who enter: at the edge that is worse for them."""
    return Fraction(pool_equity(state) + band(state) + 1) / (state.shares.supply + VIRTUAL)


def premiums(state: State) -> Money:
    """What closing every skew would be paid; a settled market's positions close without."""
    return sum(
        Fraction(state.prices[number].price * market.skew**2) / (2 * market.terms.skew_scale)
        for number, market in enumerate(state.markets)
        if not state.prices[number].is_settled
    )


def band(state: State) -> Money:
    """How far the prices' confidence may move the pool's equity."""
    return sum(
        abs(market.skew) * state.prices[number].price * state.prices[number].confidence
        for number, market in enumerate(state.markets)
    )


def _check_prices(state: State, worth: Money, since: int = 0) -> list[str]:
    """Every market with open interest needs a firm price, from maturity on for an exit.

    A final one is good for ever.
    """
    open_now = [
        price
        for price, market in zip(state.prices, state.markets, strict=True)
        if any(market.sizes)
    ]
    against = []
    if not all(price.is_firm(state.now) for price in open_now):
        against.append("price: not firm")
    if any(price.published_at < since and not price.is_settled for price in open_now):
        against.append("price: before maturity")
    if worth <= 0:
        against.append("pool: insolvent")
    return against


def enter(state: State, receiver: str, assets: Money, minted: int) -> None:
    shares = state.shares
    if against := _check_prices(state, pool_equity(state) + band(state)):
        raise Refused(*against)
    state.house.pool_cash += assets
    shares.supply += minted
    shares.held[receiver] = shares.held.get(receiver, 0) + minted


# Between holders

EVER = 2**256 - 1  # an allowance that does not shrink


def transfer(state: State, owner: str, receiver: str, amount: int) -> None:
    held = state.shares.held
    if amount > held.get(owner, 0):
        raise Refused("erc20: transfer amount exceeds balance")
    held[owner] = held.get(owner, 0) - amount
    if receiver:
        held[receiver] = held.get(receiver, 0) + amount


def spend(state: State, owner: str, spender: str, amount: int) -> None:
    allowed = state.shares.allowances.get((owner, spender), 0)
    if amount > allowed:
        raise Refused("erc20: insufficient allowance")
    if allowed != EVER:
        state.shares.allowances[owner, spender] = allowed - amount


# Leaving


def request(state: State, owner: str, controller: str, amount: int, sender: str) -> int:
    """By the owner, his operator, or whom he allows as many."""
    shares = state.shares
    if sender != owner and (owner, sender) not in shares.operators:
        spend(state, owner, sender, amount)
    transfer(state, owner, "", amount)
    shares.count += 1
    shares.requests[shares.count] = Request(controller, amount, state.now + shares.cooldown)
    return shares.count


def fix(state: State, number: int, pool: str, dust: Dust) -> Fraction:
    """Pays at the pool's equity less premiums and band, down, and keeps the reserves."""
    shares = state.shares
    waiting = shares.requests.get(number)
    if waiting is None:
        raise Refused("request: unknown")
    if state.now < waiting.matures_at:
        raise Refused("request: not mature")
    if state.now > waiting.matures_at + DAY:
        raise Refused("request: lapsed")
    left = pool_equity(state) - premiums(state) - band(state)
    if against := _check_prices(state, left, waiting.matures_at):
        raise Refused(*against)
    whole = waiting.shares * Fraction(left + 1) / (shares.supply + VIRTUAL)
    for number_of, market in enumerate(state.markets):
        terms = market.terms
        reserve = abs(market.skew) * state.prices[number_of].price * terms.reserve_rate
        backing = terms.pool_share * (state.house.pool_cash - whole)
        if not dust.holds(backing, reserve):
            raise Refused("pool: reserve")
    reward = min(REWARD, whole // 2)
    state.house.pool_cash -= whole
    state.accounts[pool].cash += whole - reward
    shares.supply -= waiting.shares
    claim = shares.claims.get(waiting.controller, Claim())
    shares.claims[waiting.controller] = Claim(
        claim.shares + waiting.shares, claim.assets + whole - reward
    )
    del shares.requests[number]
    return whole - reward


def lapse(state: State, number: int) -> None:
    shares = state.shares
    waiting = shares.requests.get(number)
    if waiting is None:
        raise Refused("request: unknown")
    if state.now <= waiting.matures_at + DAY:
        raise Refused("request: not lapsed")
    shares.held[waiting.controller] = shares.held.get(waiting.controller, 0) + waiting.shares
    del shares.requests[number]


def claim_of(state: State, controller: str, sender: str) -> Claim:
    if sender != controller and (controller, sender) not in state.shares.operators:
        raise Refused("caller: not allowed")
    return state.shares.claims.get(controller, Claim())


def claim(state: State, controller: str, sender: str, amount: int, pool: str) -> Money:
    """What part of a claim's shares is worth, down; the last takes all."""
    held = claim_of(state, controller, sender)
    if amount > held.shares:
        raise Refused("claim: too large")
    return _take(state, controller, held, amount, held.assets * amount // held.shares, pool)


def claim_assets(state: State, controller: str, sender: str, amount: int, pool: str) -> Money:
    """The shares of a part of a claim, up."""
    held = claim_of(state, controller, sender)
    if amount > held.assets:
        raise Refused("claim: too large")
    lots = ceil(Fraction(held.shares * amount) / held.assets)
    _take(state, controller, held, lots, amount, pool)
    return lots


def _take(
    state: State, controller: str, held: Claim, amount: int, assets: Money, pool: str
) -> Money:
    shares = state.shares
    shares.claims[controller] = Claim(held.shares - amount, held.assets - assets)
    state.accounts[pool].cash -= assets
    return assets
