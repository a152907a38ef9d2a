import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bulkhead.listings import BTC
from bulkhead.simulate import EquityCurve, Simulation, paths
from bulkhead.simulate.plot import plot


@pytest.fixture(scope="module")
def curve() -> EquityCurve:
    simulation = Simulation((BTC,))
    for name, size in (("alice", "0.1"), ("bob", "0.4")):
        someone = simulation.participant(name)
        someone.deposit(5_000)
        someone.place(BTC.symbol, size, is_buy=True, leverage=10)
    return simulation.run(paths.linear(BTC.symbol, 100_000, 80_000, seconds=6_000, interval=60))


def test_a_plot_shows_equities_the_price_and_liquidations(
    curve: EquityCurve, tmp_path: Path
) -> None:
    figure = plot(curve)
    above, below = figure.axes
    assert [line.get_label() for line in above.lines[:2]] == ["alice", "bob"]
    price, marks = below.lines
    assert price.get_label() == BTC.symbol
    hit = [one for one in curve.liquidations if one.account == "bob"]
    assert hit
    assert np.size(marks.get_xdata()) == len(curve.liquidations)
    figure.savefig(tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_plot_of_one_account_marks_its_liquidations_alone(curve: EquityCurve) -> None:
    figure = plot(curve, accounts=["alice"])
    _, marks = figure.axes[1].lines
    assert np.size(marks.get_xdata()) == 0


def test_a_curve_without_a_step_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="no step"):
        plot(EquityCurve())


def test_matplotlib_is_loaded_by_the_first_plot_alone() -> None:
    program = (
        "import sys; from bulkhead.simulate import Simulation; import bulkhead.simulate.plot; "
        "Simulation(); print('matplotlib' in sys.modules, 'web3' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.stdout.split() == ["False", "False"]


def test_without_matplotlib_the_extra_is_named(
    curve: EquityCurve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"bulkhead\[plot\]"):
        plot(curve)
