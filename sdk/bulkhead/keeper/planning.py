"""What is to be done now: from what a keeper knows and sees to tasks. Pure.

Each function finds the tasks of its jobs, the most urgent first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bulkhead import decisions, deleveraging, valuation
from bulkhead.chain import Block
from bulkhead.decisions import CrossLedger, Readiness, Vault
from bulkhead.deleveraging import Holding
from bulkhead.feeds import DEAD_AFTER
from bulkhead.keeper.book import Book
from bulkhead.keeper.dispatch.intents import order_key
from bulkhead.keeper.work import Job, Task
from bulkhead.liquidity import LAPSE, REWARD, RedeemRequest
from bulkhead.markets import MarketState
from bulkhead.orders import PlacedOrder
from bulkhead.protocol import fixed_point, liquidation_math, price_validity, words
from bulkhead.state import NO_ACCOUNT
from bulkhead.valuation import Valuation

# The most that an entry of a batch may take. A batch is never reverted by one of its entries, so a
# node's estimate may starve them: the limits are named here, well above what an entry can take.
GAS_PER_ORDER = 600_000  # an account with many legs is valued whole
GAS_PER_RATCHET = 60_000
GAS_PER_VAULT = 250_000
GAS_PER_TOP_UP = 1_500_000  # an account with many legs is valued whole
GAS_PER_LEG = 250_000
GAS_PER_REQUEST = 1_500_000  # every market with open interest is valued
GAS_PER_UPDATE = 400_000
GAS_PER_SETTLEMENT = 200_000


@dataclass(frozen=True, slots=True)
class Sight:
    """What a keeper sees of the chain in one pass.

    Attributes:
        at: The block, whose time is the time.
        states: Every market in which something is open or waits.
        requests: Those of liquidity providers that are not fixed, by id.
    """

    at: Block
    states: Mapping[int, MarketState]
    requests: Mapping[int, RedeemRequest] = field(default_factory=dict)


def updates(sight: Sight) -> Iterator[Task]:
    """Prices that a feed is known to be ahead of the oracle with."""
    for state in sight.states.values():
        if not state.is_latest:
            yield update_of(state.market.id)


def update_of(market: int) -> Task:
    """The oracle's update of a market."""
    return _of_market(Job.UPDATE_PRICES, market, "update", GAS_PER_UPDATE)


def isolated_liquidations(vaults: Iterable[Vault], book: Book, sight: Sight) -> Iterator[Task]:
    """Vaults to close or reduce, and those that their owners let add margin instead."""
    for vault in decisions.liquidatable_isolated(vaults, sight.states):
        state = sight.states[vault.market]
        value = valuation.value_vault(state, vault.slot, vault.position)
        may_top_up = vault.position.auto_margin
        top_up = _top_up_of(vault, book, sight) if may_top_up else None
        reward = top_up.reward if top_up else _reward_of(vault, state, value)
        yield Task(
            job=Job.TOP_UP if top_up else Job.LIQUIDATE_ISOLATED,
            key=str(vault.id),
            account=vault.account,
            market=vault.market,
            needs=(vault.market, *_markets_of_legs(book, vault.account, may_top_up)),
            verb="liquidate_isolated",
            argument=vault.id,
            gas=GAS_PER_VAULT + GAS_PER_TOP_UP * may_top_up,
            reward=reward,
            urgency=value.maintenance - value.worth,
            is_debt=value.worth < 0,
        )


def cross_liquidations(ledgers: Iterable[CrossLedger], sight: Sight) -> Iterator[Task]:
    """Accounts whose cross legs are to be netted, reduced or closed."""
    for ledger in decisions.liquidatable_cross(ledgers, sight.states):
        legs = valuation.value_legs(ledger.legs, sight.states)
        equity = valuation.cross_equity(ledger.word, legs)
        yield Task(
            job=Job.LIQUIDATE_CROSS,
            key=ledger.account,
            account=ledger.account,
            market=None,
            needs=valuation.markets_of(ledger.legs),
            verb="liquidate_cross",
            argument=ledger.account,
            gas=GAS_PER_LEG * (1 + len(ledger.legs)),
            # Every market that is touched pays its floor at least.
            reward=sum(
                sight.states[market].market.liquidation_terms.keeper_floor
                for market in valuation.markets_of(ledger.legs)
                if sight.states[market].may_trade
            ),
            urgency=legs.maintenance - equity,
            is_debt=equity < 0,
        )


def executions(orders: Iterable[PlacedOrder], book: Book, sight: Sight) -> Iterator[Task]:
    """Orders that executing would fill or end, first placed first."""
    for placed in decisions.executable_orders(orders, sight.states, sight.at.timestamp):
        readiness = decisions.readiness_of(
            placed, sight.states[placed.order.market], sight.at.timestamp
        )
        is_expired = readiness is Readiness.EXPIRED
        job = Job.CLEAR_EXPIRED if is_expired else Job.EXECUTE_ORDERS
        legs = () if is_expired else _markets_of_legs(book, placed.order.account)
        yield _of_order(job, placed, GAS_PER_ORDER, placed.keeper_fee, legs)


def ratchets(orders: Iterable[PlacedOrder], sight: Sight) -> Iterator[Task]:
    """Trailing stops that the current price would move. Nobody is paid for it."""
    for placed in decisions.ratchetable_orders(orders, sight.states, sight.at.timestamp):
        yield _of_order(Job.TRAIL_STOPS, placed, GAS_PER_RATCHET)


def deleveragings(book: Book, sight: Sight) -> Iterator[Task]:
    """Winners to take off, in the order each market's call wants. Nobody is paid for it."""
    for market, state in sight.states.items():
        if deleveraging.round_of(state, book.state.house) is None:
            continue
        for one in deleveraging.proposals(book.holdings(market), state, book.state.house):
            yield _of_holding(Job.DELEVERAGE, one)


def final_prices(sight: Sight) -> Iterator[Task]:
    """Prices of markets that are over, to be made final. Nobody is paid for it."""
    for state in sight.states.values():
        if (verb := _final_price_of(state)) is not None:
            yield _of_market(Job.SETTLE, state.market.id, verb, GAS_PER_SETTLEMENT)


def settlements(book: Book, sight: Sight) -> Iterator[Task]:
    """Positions to close at final prices. Nobody is paid for it."""
    for market, state in sight.states.items():
        if price_validity.is_settled(state.price):
            for one in decisions.settleable(book.holdings(market), sight.states):
                yield _of_holding(Job.SETTLE, one)


def redemptions(sight: Sight) -> Iterator[Task]:
    """Requests of liquidity providers that are mature, or that nobody fixed in time."""
    for request in sorted(sight.requests.values(), key=lambda one: (one.matures_at, one.id)):
        if not request.shares or request.matures_at > sight.at.timestamp:
            continue
        has_lapsed = sight.at.timestamp > request.matures_at + LAPSE
        yield Task(
            job=Job.FIX_REQUESTS,
            key=str(request.id),
            account=request.controller,
            market=None,
            needs=() if has_lapsed else tuple(_with_open_interest(sight)),
            verb="lapse" if has_lapsed else "fix",
            argument=request.id,
            gas=GAS_PER_REQUEST,
            reward=0 if has_lapsed else REWARD,
        )


def all_tasks(
    book: Book,
    sight: Sight,
    jobs: Collection[Job],
    vaults: Iterable[Vault] | None = None,
    ledgers: Iterable[CrossLedger] | None = None,
) -> Iterator[Task]:
    """Everything to do now, liquidations before orders, the worst first.

    Args:
        book: What is known.
        sight: What is seen.
        jobs: Those that are switched on.
        vaults: Those that may be liquidatable; all where it is None.
        ledgers: Those that may be liquidatable; all where it is None.
    """
    orders = tuple(book.orders())
    found: tuple[Iterable[Task], ...] = (
        updates(sight),
        isolated_liquidations(book.vaults() if vaults is None else vaults, book, sight),
        cross_liquidations(book.ledgers() if ledgers is None else ledgers, sight),
        deleveragings(book, sight),
        final_prices(sight),
        settlements(book, sight),
        executions(orders, book, sight),
        ratchets(orders, sight),
        redemptions(sight),
    )
    for part in found:
        yield from (task for task in part if task.job in jobs)


def _top_up_of(vault: Vault, book: Book, sight: Sight) -> decisions.TopUp | None:
    ledger = book.ledger(vault.account)
    if any(market not in sight.states for market, _ in ledger.legs):
        return None
    legs = valuation.value_legs(ledger.legs, sight.states)
    settings = book.state.settings[vault.account, vault.market]
    return decisions.top_up_of(vault, sight.states[vault.market], settings, ledger.word, legs)


def _reward_of(vault: Vault, state: MarketState, value: Valuation) -> int:
    """What closing a vault, or as much of it as needed, is expected to pay, quote."""
    closed = decisions.closing_size(vault, state) * state.price.price
    equity = max(fixed_point.quote_down(value.worth), 0)
    terms = state.market.liquidation_terms
    _, mine, added = liquidation_math.split_penalty(equity, closed, terms)
    return mine + added


def _final_price_of(state: MarketState) -> str | None:
    """The oracle's function that makes a market's price final now; None while there is none."""
    price = state.price
    if price_validity.is_settled(price) or price.price == 0:
        return None
    if price.settles_at and state.now >= (price.settles_at + 1) * words.HOUR:
        return "fix_settlement"
    if price.published_at + price.max_age + DEAD_AFTER < state.now:
        return "settle_dead"
    return None


def _markets_of_legs(book: Book, account: str, is_asked: bool = True) -> tuple[int, ...]:
    """Where an account has cross legs, whose prices say what it can afford."""
    word = book.state.accounts.get(account, NO_ACCOUNT)
    return valuation.markets_of(valuation.leg_keys(word)) if is_asked else ()


def _with_open_interest(sight: Sight) -> Iterator[int]:
    for market, state in sight.states.items():
        if state.long.size or state.short.size:
            yield market


def _of_order(
    job: Job, placed: PlacedOrder, gas: int, reward: int = 0, legs: tuple[int, ...] = ()
) -> Task:
    return Task(
        job=job,
        key=order_key(placed.hash),
        account=placed.order.account,
        market=placed.order.market,
        needs=(placed.order.market, *legs),
        verb="ratchet" if job is Job.TRAIL_STOPS else "execute_orders",
        argument=placed.order.to_tuple(),
        gas=gas,
        reward=reward,
    )


def _of_holding(job: Job, holding: Holding) -> Task:
    return Task(
        job=job,
        key=str(holding.id),
        account=holding.account,
        market=holding.market,
        needs=(holding.market,),
        verb="auto_deleverage" if job is Job.DELEVERAGE else "settle_positions",
        argument=holding.id,
        gas=GAS_PER_VAULT,
    )


def _of_market(job: Job, market: int, verb: str, gas: int) -> Task:
    return Task(
        job=job,
        key=str(market),
        account="",
        market=market,
        needs=(),
        verb=verb,
        argument=market,
        gas=gas,
    )
