"""One keeper over an engine: does what `decisions` says is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bulkhead import decisions, deleveraging, valuation
from bulkhead.decisions import CrossLedger, Vault
from bulkhead.deleveraging import Holding
from bulkhead.markets import MarketState
from bulkhead.orders import PlacedOrder
from bulkhead.protocol import price_validity
from bulkhead.protocol.words import Position
from bulkhead.simulate.engine import Engine


@dataclass(frozen=True, slots=True)
class Held:
    """What the accounts that a keeper watches hold now."""

    states: Mapping[int, MarketState]
    vaults: list[Vault]
    ledgers: list[CrossLedger]


def keep(engine: Engine, keeper: str, accounts: Iterable[str], pending: Iterable[bytes]) -> None:
    """Executes what may be executed, and liquidates what must be, the worst first.

    Shows prices to trailing stops before, deleverages and settles after.

    Args:
        engine: The exchange.
        keeper: Who is paid for it.
        accounts: Whose positions are watched.
        pending: The hashes of orders that wait.
    """
    orders = [engine.placed(one) for one in pending]
    if orders:
        _execute(engine, keeper, orders)
    held = held_by(engine, accounts)
    vaults = decisions.liquidatable_isolated(held.vaults, held.states)
    if vaults:
        engine.liquidate_isolated(keeper, [one.id for one in vaults])
    if held.ledgers:
        if vaults:
            held = held_by(engine, accounts)
        ledgers = decisions.liquidatable_cross(held.ledgers, held.states)
        if ledgers:
            engine.liquidate_cross(keeper, [one.account for one in ledgers])
    for market, state in held.states.items():
        if price_validity.is_settled(state.price):
            mine = _holdings(held_by(engine, accounts), market)
            engine.settle_positions(keeper, [one.id for one in mine])
        elif deleveraging.round_of(engine.market(market), engine.state.house) is not None:
            mine = _holdings(held_by(engine, accounts), market)
            named = deleveraging.proposals(mine, engine.market(market), engine.state.house)
            engine.auto_deleverage(keeper, market, [one.id for one in named])


def held_by(engine: Engine, accounts: Iterable[str]) -> Held:
    """What some accounts hold now."""
    vaults: list[Vault] = []
    ledgers: list[CrossLedger] = []
    for account in accounts:
        word = engine.ledger.account(account)
        if word.vaults:
            vaults += [
                Vault(account, market, slot, position)
                for (market, slot), position in engine.vaults_of(account).items()
            ]
        if word.legs:
            legs = {key: engine.ledger.position(account, *key) for key in valuation.leg_keys(word)}
            ledgers.append(CrossLedger(account, word, legs))
    markets = {one.market for one in vaults}
    markets |= {market for ledger in ledgers for market, _ in ledger.legs}
    return Held({market: engine.market(market) for market in sorted(markets)}, vaults, ledgers)


def _execute(engine: Engine, keeper: str, orders: list[PlacedOrder]) -> None:
    states = {market: engine.market(market) for market in {one.order.market for one in orders}}
    moved = decisions.ratchetable_orders(orders, states, engine.now)
    if moved:
        engine.ratchet(keeper, [one.order for one in moved])
        orders = [engine.placed(one.hash) for one in orders]
    ready = decisions.executable_orders(orders, states, engine.now)
    if ready:
        engine.execute_orders(keeper, [one.order for one in ready])


def _holdings(held: Held, market: int) -> list[Holding]:
    found = [
        Holding(one.account, market, one.slot, one.position)
        for one in held.vaults
        if one.market == market
    ]
    for ledger in held.ledgers:
        for (at, slot), position in ledger.legs.items():
            if at == market:
                other: Position | None = ledger.legs.get((at, slot ^ 1))
                hedged = min(position.size, other.size) if other else 0
                found.append(Holding(ledger.account, market, slot, position, hedged))
    return sorted(found, key=lambda one: one.id)
