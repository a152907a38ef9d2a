"""An equity curve as a picture. Needs matplotlib: the extra `plot`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bulkhead.simulate.curve import EquityCurve

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot(
    curve: EquityCurve, symbol: str | None = None, accounts: Sequence[str] | None = None
) -> Figure:
    """Equity above, a price below, and a mark on both wherever somebody was liquidated.

    No window opens and no global state is touched: `figure.savefig("curve.png")` writes it.

    Args:
        curve: What to draw.
        symbol: The market whose price is drawn; the first if left out.
        accounts: Whose equity is drawn; everybody's if left out.

    Raises:
        ImportError: Without matplotlib.
        ValueError: For a curve of no step.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ImportError('plots need matplotlib: pip install "bulkhead[plot]"') from None
    if not curve.times:
        raise ValueError("curve: no step")
    symbol = symbol or next(iter(curve.prices))
    names = tuple(curve.equities) if accounts is None else tuple(accounts)
    begin = curve.times[0]
    hours = [(time - begin) / 3_600 for time in curve.times]

    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True)
    for name in names:
        above.plot(hours, [float(usd) for usd in curve.equity(name)], label=name)
    below.plot(hours, [float(usd) for usd in curve.price(symbol)], color="black", label=symbol)
    hit = [one for one in curve.liquidations if one.account in names]
    mine = [one for one in hit if one.market.symbol == symbol]
    below.plot(
        [(one.time - begin) / 3_600 for one in mine],
        [float(one.price) for one in mine],
        "rx",
        label="liquidation",
    )
    for time in sorted({one.time for one in hit}):
        above.axvline((time - begin) / 3_600, color="red", linewidth=0.8, linestyle=":")
    above.set_ylabel("equity, USD")
    below.set_ylabel(f"{symbol}, USD")
    below.set_xlabel("hours")
    for axes in (above, below):
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="best")
    return figure
