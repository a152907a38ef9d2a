"""How fast the liquidation index finds what a tick endangers: `python -m benchmarks.screening`.

A tick is measured from a market's new state to the arrays of candidates, the best of several. No
object is made of a candidate in it: what that takes, with the exact verdict, has its own line.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bulkhead import decisions
from bulkhead.keeper.screening import LiquidationIndex
from bulkhead.listings import BTC
from bulkhead.markets import Market, MarketState, state_at
from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG, ISOLATED_LONG, Account, Position, Tier

VAULTS = 1_000_000
LEGS = 1_000_000
ACCOUNTS = 250_000
MARKETS = 50
CHANGES = 3_000  # since the index last sorted itself
TICKS = 15

PRICE = 10**12  # femto per lot of 1e-8 BTC: 100,000 USD a BTC
NOW = 1_000_000_000
USD = 10**6
FEMTO_USD = 10**15

States: TypeAlias = dict[int, MarketState]
Positions: TypeAlias = dict[tuple[str, int, int], Position]
Doubles: TypeAlias = "NDArray[np.float64]"

RANDOM = np.random.default_rng(5)
NO_MARKET = words.unpack_market(0)
TIERS = tuple(Tier(one.floor, one.maintenance_rate, one.initial_rate) for one in BTC.tiers)
FRESH = replace(
    words.unpack_price(0), published_at=NOW, trade_age=60, max_age=3_600, kind=words.PYTH
)


def main() -> None:
    isolated()
    gc.collect()
    cross()


def isolated() -> None:
    """All in one market, so that its tick has the longest lists to search."""
    sides = ISOLATED_LONG + RANDOM.integers(0, 2, VAULTS)
    keys = ((name, 0, slot) for name, slot in zip(names(VAULTS), sides.tolist(), strict=True))
    dollars = 10 ** RANDOM.uniform(1, 7, VAULTS)
    held = dict(
        zip(keys, positions(dollars, dollars * RANDOM.uniform(0.3, 1, VAULTS)), strict=True)
    )
    market = market_of(0)
    index, seconds = built({}, held, {0: state_of(market, 1.0)})
    report("isolated: build", seconds, 10, "s")
    print(f"isolated: {index.nbytes / len(index):.0f} bytes a position (target 300)")

    fall = price_of_hits(index, market)
    for key in list(held)[:CHANGES]:
        index.set_position(*key, replace(held[key], margin=held[key].margin + 1))

    def tick(turn: int) -> int:
        state = state_of(market, fall * (1 + 1e-6 * (turn % 3)))
        return len(index.candidates({0: state}, {0}).vault_rows)

    hits, seconds = best(tick)
    report(f"isolated: a tick of {len(index):,} positions, {hits} hits", 1_000 * seconds, 1, "ms")
    states = {0: state_of(market, fall)}
    begin = perf_counter()
    due = decisions.liquidatable_isolated(index.candidates(states, {0}).vaults, states)
    print(f"isolated: objects and exact verdict of {hits}: {perf_counter() - begin:.3f} s")
    assert len(due) == hits

    begin = perf_counter()
    for key in list(held)[-CHANGES:]:
        index.set_position(*key, held[key])
    print(f"isolated: {1e6 * (perf_counter() - begin) / CHANGES:.0f} us a change")
    crash = {0: state_of(market, 0.3)}

    def fallen(_: int) -> int:
        return len(index.candidates(crash, {0}).vault_rows)

    _, seconds = best(fallen)
    print(f"isolated: a tick that brings down every long, 1,000 taken: {1_000 * seconds:.2f} ms")


def cross() -> None:
    """Four legs an account, in markets next to each other."""
    everyone = names(ACCOUNTS)
    legs = LEGS // ACCOUNTS
    first = RANDOM.integers(0, MARKETS, ACCOUNTS)
    dollars = 10 ** RANDOM.uniform(1, 6, (ACCOUNTS, legs))
    cash = (dollars.sum(axis=1) * RANDOM.uniform(0.19, 1, ACCOUNTS) * USD).astype(np.int64)
    nobody = words.unpack_account(0)
    accounts = {
        name: replace(nobody, cash=one) for name, one in zip(everyone, cash.tolist(), strict=True)
    }
    sides = CROSS_LONG + RANDOM.integers(0, 2, LEGS)
    places = ((first[:, None] + np.arange(legs)) % MARKETS).ravel()
    owners = np.repeat(np.arange(ACCOUNTS), legs)
    keys = (
        (everyone[owner], market, slot)
        for owner, market, slot in zip(
            owners.tolist(), places.tolist(), sides.tolist(), strict=True
        )
    )
    flat = dollars.ravel()
    held = dict(zip(keys, positions(flat, np.zeros(LEGS)), strict=True))
    markets = [market_of(market) for market in range(MARKETS)]
    states = {one.id: state_of(one, 1.0) for one in markets}
    index, seconds = built(accounts, held, states)
    report("cross: build", seconds, 10, "s")
    print(f"cross: {index.nbytes / len(index):.0f} bytes a leg (target 300)")

    def one(turn: int) -> int:
        mine = turn % MARKETS
        states[mine] = state_of(markets[mine], 0.999 - turn / 10**5)
        return len(index.candidates(states, {mine}).ledger_rows)

    def all_of_them(turn: int) -> int:
        moved = {one.id: state_of(one, 0.999 - turn / 10**5) for one in markets}
        return len(index.candidates(moved, moved.keys()).ledger_rows)

    size = f"{index.legs:,} legs in {index.ledgers:,} accounts"
    hits, seconds = best(one)
    report(f"cross: one market's tick, {size}, {hits} hits", 1_000 * seconds, 25, "ms")
    hits, seconds = best(all_of_them)
    report(f"cross: all {MARKETS} markets, {hits} hits", 1_000 * seconds, 150, "ms")

    begin = perf_counter()
    for key in list(held)[:CHANGES]:
        index.set_position(*key, held[key])
    print(f"cross: {1e6 * (perf_counter() - begin) / CHANGES:.0f} us a change")


def built(
    accounts: Mapping[str, Account], held: Positions, states: States
) -> tuple[LiquidationIndex, float]:
    """An index of Python's own mappings, after its first tick: that one sorts."""
    begin = perf_counter()
    index = LiquidationIndex()
    index.load(accounts, held)
    index.candidates(states, states.keys())
    return index, perf_counter() - begin


def price_of_hits(index: LiquidationIndex, market: Market) -> float:
    """A price that brings down nearly a thousand."""
    low, high = 0.5, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        found = index.candidates({0: state_of(market, middle)}, {0}, limit=2_000)
        hits = len(found.vault_rows)
        if 950 <= hits <= 1_000:
            return middle
        low, high = (middle, high) if hits > 1_000 else (low, middle)
    raise RuntimeError("no price does")


def best(tick: Callable[[int], int]) -> tuple[int, float]:
    """What the last of several ticks found, and seconds that the fastest took."""
    fastest, hits = float("inf"), 0
    for turn in range(TICKS):
        begin = perf_counter()
        hits = tick(turn)
        fastest = min(fastest, perf_counter() - begin)
    return hits, fastest


def names(count: int) -> list[str]:
    return [f"0x{RANDOM.bytes(20).hex()}" for _ in range(count)]


def positions(dollars: Doubles, margin: Doubles) -> Iterable[Position]:
    """Entered at up to a fifth above or below the price."""
    count = len(dollars)
    columns = (
        dollars * FEMTO_USD / PRICE,
        dollars * USD * RANDOM.uniform(0.8, 1.2, count),
        margin * USD,
        np.ones(count),
        RANDOM.uniform(-PRICE / 100, PRICE / 100, count),
    )
    return map(Position, *(column.astype(np.int64).tolist() for column in columns))


def market_of(number: int) -> Market:
    return Market(
        id=number,
        symbol=f"M{number}-PERP",
        lot_size=BTC.lot_size_wad,
        terms=words.unpack_trade_terms(0),
        liquidation_terms=words.unpack_liquidation_terms(0),
        tiers=TIERS,
    )


def state_of(market: Market, price: float) -> MarketState:
    nobody = words.unpack_side(0)
    fresh = replace(FRESH, price=int(PRICE * price))
    return state_at(market, NO_MARKET, (nobody, nobody), fresh, NOW)


def report(what: str, figure: float, target: float, unit: str) -> None:
    print(f"{what}: {figure:.2f} {unit} (target {target} {unit})")


if __name__ == "__main__":
    main()
