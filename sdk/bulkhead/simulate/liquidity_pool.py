"""The LP shares: `LiquidityPool.vy` with `modules/pool_valuation.vy`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bulkhead.deleveraging import owed_by
from bulkhead.errors import REASONS
from bulkhead.liquidity import LAPSE, REWARD, RedeemRequest
from bulkhead.orders import NOBODY
from bulkhead.protocol import price_validity
from bulkhead.protocol.fixed_point import FEMTO, PPM, div_up, quote_ceiling, quote_down
from bulkhead.protocol.market_math import impact_cost
from bulkhead.simulate import custody, house
from bulkhead.simulate.cross_margin import require_firm
from bulkhead.simulate.custody import to_quote
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger

VIRTUAL_SHARES = 10**6  # so a share starts at 1e-6 quote units
NO_CLAIM = (0, 0)


@dataclass(slots=True)
class PoolState:
    """Who has which part of the pool.

    Attributes:
        cooldown: Seconds from a request to its maturity.
        shares: Units of the share token by holder; what waits in requests is the pool's own.
        requests: By id; fixed and lapsed ones have no shares.
        claims: Shares of fixed requests, and what they are worth in quote units, by controller.
    """

    cooldown: int = 3_600
    shares: dict[str, int] = field(default_factory=dict)
    requests: dict[int, RedeemRequest] = field(default_factory=dict)
    claims: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def supply(self) -> int:
        """All shares there are."""
        return sum(self.shares.values())


@dataclass(frozen=True, slots=True)
class PoolValuation:
    """What the pool is worth: its cash less what all markets owe all traders.

    Attributes:
        cash: Quote.
        equity: Femto, exact.
        band: Femto, how far the prices' confidence may move it.
        premium: Femto, the most that closing all skews would pay back of their premiums.
        reserved: Quote, the least pool cash that covers every market's reserve; None where a market
            without a share needs one.
        is_firm: Whether liquidity may move at the prices of all markets with open interest.
        oldest: Seconds, when the oldest of those prices was published, final ones left out.
    """

    cash: int
    equity: int
    band: int
    premium: int
    reserved: int | None
    is_firm: bool
    oldest: int


def value_pool(ledger: Ledger) -> PoolValuation:
    """Values the pool at the current prices."""
    cash = ledger.house.pool_cash
    equity, band, premium, is_firm, oldest = cash * FEMTO, 0, 0, True, ledger.now
    reserved: int | None = 0
    for market in sorted(ledger.state.markets):
        state = ledger.market_state(market)
        if not state.long.size and not state.short.size:
            continue
        price, terms = state.price, state.market.terms
        # A market that is settled closes without a premium.
        if not price_validity.is_settled(price):
            oldest = min(oldest, price.published_at)
            premium -= impact_cost(-state.skew, state.skew, terms.skew_scale, price.price)
        may_move = price_validity.may_move_liquidity(price, ledger.now)
        is_firm = is_firm and may_move and state.is_latest
        equity -= owed_by(state)
        exposure = abs(state.skew) * price.price
        band += div_up(exposure * price.confidence, PPM)
        if exposure and not terms.pool_share:
            reserved = None
        elif exposure and reserved is not None:
            backed = div_up(exposure * terms.reserve_rate, terms.pool_share * FEMTO)
            reserved = max(reserved, backed)
    return PoolValuation(cash, equity, band, premium, reserved, is_firm, oldest)


def deposit(ledger: Ledger, pool: PoolState, sender: str, assets: int, receiver: str) -> int:
    """Brings money in for shares.

    Returns:
        The shares.
    """
    quote = to_quote(assets)
    # Down, against the entrant.
    shares = quote * (pool.supply + VIRTUAL_SHARES) // (_equity_for_entry(ledger) + 1)
    _enter(ledger, pool, sender, quote, shares, receiver)
    return shares


def mint(ledger: Ledger, pool: PoolState, sender: str, shares: int, receiver: str) -> int:
    """Brings in what so many shares cost.

    Returns:
        Quote.
    """
    require(shares < 2**128, "shares: too many")
    equity = _equity_for_entry(ledger)
    quote = to_quote(div_up(shares * (equity + 1), pool.supply + VIRTUAL_SHARES))
    _enter(ledger, pool, sender, quote, shares, receiver)
    return quote


def request_redeem(
    ledger: Ledger, pool: PoolState, owner: str, shares: int, controller: str
) -> int:
    """Locks shares until anyone fixes the request.

    Returns:
        The request's id.
    """
    require(shares != 0, "shares: zero")
    require(controller != NOBODY, "controller: zero")
    _transfer(ledger, pool, owner, ledger.state.liquidity_pool, shares)
    number = len(pool.requests) + 1
    request = RedeemRequest(number, controller, shares, ledger.now + pool.cooldown)
    ledger.put(pool.requests, number, request)
    ledger.log(
        "RedeemRequest",
        controller=controller,
        owner=owner,
        request_id=number,
        sender=owner,
        shares=shares,
    )
    return number


def fix(ledger: Ledger, pool: PoolState, fixer: str, request_id: int) -> int:
    """Turns a mature request into a claim, at the pool's lower edge.

    Returns:
        Quote, what the claim is worth.
    """
    request = _open_request(pool, request_id)
    require(ledger.now >= request.matures_at, "request: not mature")
    require(ledger.now <= request.matures_at + LAPSE, "request: lapsed")
    worth = _firm_pool(ledger)
    require(worth.oldest >= request.matures_at, "price: before maturity")
    equity = quote_down(worth.equity - worth.band - worth.premium)
    require(equity > 0, "pool: insolvent")
    quote = request.shares * (equity + 1) // (pool.supply + VIRTUAL_SHARES)
    require(
        worth.reserved is not None and worth.cash >= quote and worth.cash - quote >= worth.reserved,
        "pool: reserve",
    )
    reward = min(REWARD, quote // 2)
    assets = quote - reward

    ledger.put(pool.requests, request_id, replace(request, shares=0))
    claimed_shares, claimed = pool.claims.get(request.controller, NO_CLAIM)
    claim = (claimed_shares + request.shares, claimed + assets)
    ledger.put(pool.claims, request.controller, claim)
    _transfer(ledger, pool, ledger.state.liquidity_pool, NOBODY, request.shares)
    ledger.log(
        "RedeemFixed",
        controller=request.controller,
        request_id=request_id,
        fixer=fixer,
        assets=assets,
        reward=reward,
    )
    if quote:
        house.remove_liquidity(ledger, quote)
    if reward:
        custody.withdraw(ledger, ledger.state.liquidity_pool, reward, fixer)
    return assets


def lapse(ledger: Ledger, pool: PoolState, request_id: int) -> None:
    """Returns the shares of a request that nobody fixed in time."""
    request = _open_request(pool, request_id)
    require(ledger.now > request.matures_at + LAPSE, "request: not lapsed")
    ledger.put(pool.requests, request_id, replace(request, shares=0))
    _transfer(ledger, pool, ledger.state.liquidity_pool, request.controller, request.shares)
    ledger.log(
        "RedeemLapsed",
        controller=request.controller,
        request_id=request_id,
        shares=request.shares,
    )


def redeem(ledger: Ledger, pool: PoolState, controller: str, shares: int, receiver: str) -> int:
    """Claims what fixed requests are worth, by shares.

    Returns:
        Quote.
    """
    claimable, assets = pool.claims.get(controller, NO_CLAIM)
    require(0 < shares <= claimable, "claim: too large")
    assets = assets * shares // claimable
    _claim(ledger, pool, controller, assets, shares, receiver)
    return assets


def withdraw(ledger: Ledger, pool: PoolState, controller: str, assets: int, receiver: str) -> int:
    """Claims what fixed requests are worth, by quote units.

    Returns:
        The shares it took.
    """
    shares, claimable = pool.claims.get(controller, NO_CLAIM)
    require(0 < assets <= claimable, "claim: too large")
    shares = div_up(shares * assets, claimable)
    _claim(ledger, pool, controller, assets, shares, receiver)
    return shares


def _enter(
    ledger: Ledger, pool: PoolState, sender: str, quote: int, shares: int, receiver: str
) -> None:
    require(shares != 0, "shares: zero")
    require(receiver != NOBODY, "erc20: mint to the zero address")
    _transfer(ledger, pool, NOBODY, receiver, shares)
    ledger.log("Deposit", sender=sender, owner=receiver, assets=quote, shares=shares)
    house.add_liquidity(ledger, quote)


def _claim(
    ledger: Ledger, pool: PoolState, controller: str, assets: int, shares: int, receiver: str
) -> None:
    claimed_shares, claimed = pool.claims[controller]
    ledger.put(pool.claims, controller, (claimed_shares - shares, claimed - assets))
    ledger.log(
        "Withdraw",
        sender=controller,
        receiver=receiver,
        owner=controller,
        assets=assets,
        shares=shares,
    )
    if assets:
        custody.withdraw(ledger, ledger.state.liquidity_pool, assets, receiver)


def _transfer(ledger: Ledger, pool: PoolState, source: str, target: str, shares: int) -> None:
    """Moves shares; from nobody they are new, to nobody they are gone."""
    if source != NOBODY:
        held = pool.shares.get(source, 0)
        require(held >= shares, "erc20: transfer amount exceeds balance")
        ledger.put(pool.shares, source, held - shares)
    if target != NOBODY:
        ledger.put(pool.shares, target, pool.shares.get(target, 0) + shares)


def _open_request(pool: PoolState, request_id: int) -> RedeemRequest:
    request = pool.requests.get(request_id)
    if request is None or not request.shares:
        raise REASONS["request: unknown"]
    return request


def _firm_pool(ledger: Ledger) -> PoolValuation:
    worth = value_pool(ledger)
    require_firm(worth.is_firm)
    return worth


def _equity_for_entry(ledger: Ledger) -> int:
    """The equity an entrant buys into, quote, up and at the upper edge of the prices."""
    worth = _firm_pool(ledger)
    upper = quote_ceiling(worth.equity + worth.band)
    require(upper >= 0, "pool: insolvent")
    return upper
