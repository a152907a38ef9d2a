"""Which mutants are judged, in which order: all of the libraries', a sample of the other files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tools.mutation.candidates import Mutant, mutants
from tools.mutation.definitions import definitions
from tools.mutation.places import CONTRACTS
from tools.mutation.results import Results

SAMPLE = 440
LEAST = 5  # of a file
# What moves money or decides risk.
SAMPLED = (
    "Clearinghouse.vy",
    "LiquidityPool.vy",
    "OrderBook.vy",
    "PriceOracle.vy",
    "modules/aggregators.vy",
    "modules/backing.vy",
    "modules/builders.vy",
    "modules/closing.vy",
    "modules/conversion.vy",
    "modules/cross_liquidation.vy",
    "modules/cross_margin.vy",
    "modules/custody.vy",
    "modules/deleveraging.vy",
    "modules/fills.vy",
    "modules/insurance.vy",
    "modules/isolated_liquidation.vy",
    "modules/isolated_margin.vy",
    "modules/ledger.vy",
    "modules/liquidation.vy",
    "modules/listing.vy",
    "modules/market_bounds.vy",
    "modules/markets.vy",
    "modules/operators.vy",
    "modules/order_rules.vy",
    "modules/order_store.vy",
    "modules/placement.vy",
    "modules/pool_valuation.vy",
    "modules/price_checks.vy",
    "modules/settings.vy",
    "modules/settlement.vy",
    "modules/settlements.vy",
    "modules/tier_ramps.vy",
    "modules/top_up.vy",
    "modules/trade_checks.vy",
    "modules/trade_plan.vy",
    "modules/trading.vy",
)


def library_paths() -> list[str]:
    return sorted(f"lib/{path.name}" for path in (CONTRACTS / "lib").glob("*.vy"))


def library_mutants() -> list[Mutant]:
    """Every mutant of every library, mixed: whatever has been judged is a sample of them."""
    found = [mutant for path in library_paths() for mutant in mutants(path)]
    return sorted(found, key=lambda one: one.rank)


def quotas() -> dict[str, int]:
    """How many mutants of each file are in the sample, by its lines of code."""
    lines = {path: sum(one.last - one.first + 1 for one in definitions(path)) for path in SAMPLED}
    return {
        path: max(LEAST, round(SAMPLE * count / sum(lines.values())))
        for path, count in lines.items()
    }


def sample(results: Results, files: re.Pattern[str]) -> Iterator[Mutant]:
    """The next one to judge, of the file that lags most, until every quota is full.

    Whether one is valid is known only once it is judged: in the order of each file's mutants, the
    first so many valid ones are the sample.
    """
    wanted = {path: quota for path, quota in quotas().items() if files.search(path)}
    waiting = {path: iter(mutants(path)) for path in wanted}
    done = dict.fromkeys(wanted, 0)
    while waiting:
        path = min(waiting, key=lambda one: (done[one] / wanted[one], one))
        mutant = next(waiting[path], None)
        if mutant is None:
            del waiting[path]
            continue
        if results[mutant.id] is None:
            yield mutant
        verdict = results[mutant.id]
        if verdict is None:
            return
        done[path] += verdict.is_valid
        if done[path] == wanted[path]:
            del waiting[path]
