"""How fast the offline engine is: `python -m benchmarks.simulation`.

A step is one price of each of three markets, an account with a position in each of them valued, and
a keeper that looks for what is due.
"""

from time import perf_counter

from bulkhead.listings import BTC, ETH, SOL, Listing
from bulkhead.orders import MarginMode
from bulkhead.simulate import Simulation, paths
from bulkhead.simulate.paths import Step
from bulkhead.values import Amount

STEPS = 4_000
INTERVAL = 10  # seconds
SIZES: dict[Listing, tuple[Amount, MarginMode]] = {
    BTC: ("0.1", MarginMode.CROSS),
    ETH: (2, MarginMode.CROSS),
    SOL: (20, MarginMode.ISOLATED),
}


def main() -> None:
    simulation = Simulation(tuple(SIZES))
    trader = simulation.participant("trader")
    trader.deposit(50_000)
    for listing, (size, mode) in SIZES.items():
        trader.place(listing.symbol, size, is_buy=True, margin_mode=mode, leverage=10)
    simulation.run(walk(steps=1))
    assert len(trader.account.positions) == len(SIZES)

    path = walk(STEPS)
    begin = perf_counter()
    curve = simulation.run(path)
    seconds = perf_counter() - begin
    assert len(trader.account.positions) == len(SIZES)
    print(f"simulation: {len(curve.times) / seconds:,.0f} steps/s, 1 account with 3 positions")


def walk(steps: int) -> list[Step]:
    """Prices that stay near where they begin, so that nobody is liquidated."""
    return list(
        paths.together(
            *(
                paths.random_walk(
                    listing.symbol,
                    listing.price,
                    most="0.0001",
                    seconds=steps * INTERVAL,
                    interval=INTERVAL,
                    seed=1,
                )
                for listing in SIZES
            )
        )
    )


if __name__ == "__main__":
    main()
