from decimal import Decimal
from pathlib import Path

import pytest

from bulkhead.local.price_paths import Fixed, PricePath, Script, Walk

WAD = 10**18
START = {"BTC-PERP": 100_000 * WAD, "DOGE-PERP": WAD // 5}
VOLATILITY = {"BTC-PERP": 500, "DOGE-PERP": 2_000}


def followed(path: PricePath, ticks: int, start: dict[str, int]) -> list[dict[str, int]]:
    prices, seen = start, []
    for tick in range(ticks):
        prices = path.step(tick, prices)
        seen.append(prices)
    return seen


def test_fixed_prices_stay() -> None:
    assert followed(Fixed(), 3, START) == [START] * 3


def test_the_same_seed_walks_the_same_way() -> None:
    assert followed(Walk(7, VOLATILITY), 50, START) == followed(Walk(7, VOLATILITY), 50, START)


def test_another_seed_walks_another_way() -> None:
    assert followed(Walk(7, VOLATILITY), 5, START) != followed(Walk(8, VOLATILITY), 5, START)


def test_a_walk_is_of_known_numbers() -> None:
    # Whatever the platform or the version of Python: a seed that is written down stays good.
    (first, second) = followed(Walk(1, VOLATILITY), 2, START)
    assert first == {"BTC-PERP": 99979200000000000000000, "DOGE-PERP": 200018600000000000}
    assert second == {"BTC-PERP": 100033500000000000000000, "DOGE-PERP": 200516200000000000}


def test_a_step_is_about_as_wide_as_the_volatility() -> None:
    ticks = 4_000
    path = Walk(3, VOLATILITY)
    for symbol, volatility in VOLATILITY.items():
        squares = sum(
            ((path.step(tick, START)[symbol] - START[symbol]) * 10**6 // START[symbol]) ** 2
            for tick in range(ticks)
        )
        assert (volatility * 9 // 10) ** 2 < squares // ticks < (volatility * 11 // 10) ** 2


def test_markets_move_a_little_together() -> None:
    path, together = Walk(3, VOLATILITY), 0
    for tick in range(1_000):
        moved = path.step(tick, START)
        together += (moved["BTC-PERP"] > START["BTC-PERP"]) == (
            moved["DOGE-PERP"] > START["DOGE-PERP"]
        )
    assert 550 < together < 750


def test_a_walk_stays_between_half_and_twice_its_beginning() -> None:
    wild = {"BTC-PERP": 50_000}
    prices = [seen["BTC-PERP"] for seen in followed(Walk(5, wild), 2_000, START)]
    low, high = START["BTC-PERP"] // 2, 2 * START["BTC-PERP"]
    assert low <= min(prices) < low * 5 // 4
    assert high * 3 // 4 < max(prices) <= high


def test_a_price_set_by_hand_holds_and_the_walk_goes_on_from_it() -> None:
    path = Walk(1, VOLATILITY)
    walked = path.step(0, START)
    by_hand = 7_000 * WAD
    moved = path.step(1, {**walked, "BTC-PERP": by_hand})["BTC-PERP"]
    assert moved != by_hand
    assert abs(moved - by_hand) < by_hand // 100
    for tick in range(2, 500):
        moved = path.step(tick, {**walked, "BTC-PERP": moved})["BTC-PERP"]
        assert by_hand // 2 <= moved <= 2 * by_hand


def test_a_market_without_a_volatility_walks_too() -> None:
    assert Walk(1, {}).step(0, START) != START


def test_a_price_never_reaches_zero() -> None:
    assert Walk(1, {"BTC-PERP": 10**9}).step(0, {"BTC-PERP": 1}) == {"BTC-PERP": 1}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prices.csv", "BTC-PERP, DOGE-PERP\n90000.5, 0.1\n, 0.3\n"),
        (
            "prices.toml",
            '[[step]]\nBTC-PERP = "90000.5"\nDOGE-PERP = 0.1\n[[step]]\nDOGE-PERP = 0.3\n',
        ),
    ],
)
def test_a_file_says_where_prices_go(tmp_path: Path, name: str, text: str) -> None:
    script = Script.load(written(tmp_path, name, text), START)
    half, tenth = Decimal("90000.5"), WAD // 10
    assert followed(script, 3, START) == [
        {"BTC-PERP": int(half * WAD), "DOGE-PERP": tenth},
        {"BTC-PERP": int(half * WAD), "DOGE-PERP": 3 * tenth},
        {"BTC-PERP": int(half * WAD), "DOGE-PERP": 3 * tenth},
    ]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("p.txt", "", r"p\.txt: prices are in a \.csv or a \.toml file"),
        ("p.csv", "", r"p\.csv: no steps"),
        ("p.csv", "BTC-PERP\n", r"p\.csv: no steps"),
        ("p.csv", "BTC-PERP\n1\n2,3\n", r"p\.csv, line 3: not 1 cells"),
        ("p.csv", "BTC-PERP,BTC-PERP\n1,2\n", r"p\.csv: a market is named twice"),
        ("p.csv", "DOG-PERP\n1\n", r"p\.csv, step 1: there is no market 'DOG-PERP'"),
        ("p.csv", "BTC-PERP\n1\nlow\n", r"p\.csv, step 2, BTC-PERP: 'low' is not a number"),
        ("p.csv", "BTC-PERP\n0\n", r"p\.csv, step 1, BTC-PERP: a price is above zero"),
        ("p.csv", "BTC-PERP\n-1\n", r"p\.csv, step 1, BTC-PERP: a price is above zero"),
        ("p.csv", "BTC-PERP\nnan\n", r"p\.csv, step 1, BTC-PERP: 'nan' is not a finite number"),
        ("p.toml", "[[step]\n", r"p\.toml: "),
        ("p.toml", "step = 1\n", r"p\.toml: 'step' is no \[\[step\]\]"),
        ("p.toml", "steps = []\n", r"p\.toml: 'steps' is no \[\[step\]\]"),
        ("p.toml", "[[step]]\nBTC-PERP = [1]\n", r"p\.toml, step 1, BTC-PERP: \[1\] is not a"),
        ("p.toml", "[[step]]\nBTC-PERP = true\n", r"p\.toml, step 1, BTC-PERP: True is not a"),
    ],
)
def test_a_file_that_says_something_else_is_refused_where_it_does(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Script.load(written(tmp_path, name, text), START)
