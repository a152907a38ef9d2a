"""What is no story is refused, naming file, step and word."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bulkhead.listings import BTC, DEMO_LISTINGS
from bulkhead.orders import MarginMode
from bulkhead.scenarios import StoryError, load, parse, shipped


def story(*steps: str, before: str = "") -> str:
    return f"{before}\nsteps = [\n" + "".join(f"  {step},\n" for step in steps) + "]\n"


def test_a_story_comes_with_the_package_for_each_thing_that_can_go_wrong() -> None:
    assert {"worked_example", "crash", "short_squeeze", "oracle_outage"} <= set(shipped())
    for name in shipped():
        assert load(name).steps


def test_a_story_says_nothing_and_gets_the_usual_world() -> None:
    found = parse(story('{ say = "Nothing." }'), "s.toml")
    assert found.people == ("alice", "bob", "carol")
    assert found.listings == DEMO_LISTINGS
    assert (found.title, found.steps[0].verb, found.steps[0].object) == (
        "s.toml",
        "say",
        "Nothing.",
    )


def test_numbers_are_taken_exactly_as_written() -> None:
    (step,) = parse(story('{ deposit = 0.1, who = "bob" }'), "s.toml").steps
    assert step.object == Decimal("0.1")
    (step,) = parse(story('{ deposit = "0.10", who = "bob" }'), "s.toml").steps
    assert step.object == Decimal("0.10")


def test_words_become_the_sdk_s_own() -> None:
    written = story('{ buy = 1, market = "BTC-PERP", who = "bob", margin_mode = "isolated" }')
    (step,) = parse(written, "s.toml").steps
    assert step.words["margin_mode"] is MarginMode.ISOLATED


def test_a_market_takes_other_terms() -> None:
    before = (
        '[world]\nmarkets = ["GOLD-PERP"]\n[market.GOLD-PERP]\nlike = "BTC-PERP"\nprice = 50000\n'
        'keeper_fee = "0.1"\nmax_age = 100\nterms = { taker_fee = 0 }\n'
    )
    written = story('{ say = "x" }') + before
    (listing,) = parse(written, "s.toml").listings
    assert listing == BTC._replace(
        symbol="GOLD-PERP",
        price=Decimal(50_000),
        keeper_fee=100_000,
        max_age=100,
        terms=BTC.terms._replace(taker_fee=0),
    )


def test_a_name_that_is_no_file_names_those_there_are() -> None:
    with pytest.raises(StoryError, match="nowhere: no such file, and none of crash, "):
        load("nowhere")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(StoryError, match=r"s\.toml: "):
        load(path)


BUY = '{ buy = 1, market = "BTC-PERP", who = "bob", name = "one" }'


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        (["1"], "step 1: 1 is no step"),
        (["{}"], "step 1: one verb, not none; verbs are chapter, say,"),
        (['{ say = "x", chapter = "y" }'], "step 1: one verb, not say and chapter"),
        (['{ say = "x" }', '{ say = "" }'], r"step 2 \(say\), say: '' is no text"),
        (["{ deposit = 1 }"], r"step 1 \(deposit\), who: missing"),
        (['{ deposit = 1, who = "zoe" }'], r"step 1 \(deposit\), who: 'zoe' is none of alice, bob"),
        (["{ deposit = 1, who = [] }"], r"who: nobody and nothing"),
        (['{ deposit = "low", who = "bob" }'], r"deposit: value: 'low' is not a number"),
        (['{ deposit = true, who = "bob" }'], r"deposit: value: bool is not exact money"),
        (['{ deposit = nan, who = "bob" }'], r"deposit: value: .* not a finite number"),
        (
            ['{ deposit = 1, who = "bob", why = 1 }'],
            r"\(deposit\), why: no such word; there are dep",
        ),
        (
            ['{ buy = 1, market = "DOG", who = "bob" }'],
            r"\(buy\), market: 'DOG' is none of BTC-PERP",
        ),
        (
            ['{ buy = 1, market = "BTC-PERP", who = "bob", kind = "iceberg" }'],
            r"kind: 'iceberg' is none of market, limit, stop, take-profit, trailing-stop",
        ),
        (
            ['{ close = "BTC-PERP", who = "bob", side = "up" }'],
            r"side: 'up' is none of long, short",
        ),
        (['{ cancel = "one" }'], r"\(cancel\), cancel: 'one' is none of none that there are"),
        ([BUY, BUY], r"step 2 \(buy\), name: an order is called 'one' already"),
        (["{ wait = 0 }"], r"\(wait\), wait: time only moves on"),
        (['{ wait = "1" }'], r"\(wait\), wait: '1' is no whole number"),
        (["{ wait = -1 }"], r"\(wait\), wait: -1 is no whole number"),
        (['{ hedge_mode = 1, who = "bob" }'], r"hedge_mode: 1 is neither true nor false"),
        (['{ prices = "more" }'], r"prices: 'more' is neither \"again\" nor"),
        (["{ prices = {} }"], r"prices: {} is neither"),
        (["{ prices = { DOG = 1 } }"], r"prices: 'DOG' is none of BTC-PERP"),
        (["{ prices = { BTC-PERP = 0 } }"], r"prices: a price is above zero"),
        (['{ keeper = "sleep" }'], r"keeper: 'sleep' is none of execute, liquidate"),
        (['{ show = "zoe" }'], r"show: 'zoe' is none of markets, house, books, alice"),
        (['{ expect = "luck" }'], r"expect: 'luck' is none of account, position"),
        (['{ expect = "account", cash = 1 }'], r"\(expect\), of: missing"),
        (['{ expect = "account", of = "bob", luck = 1 }'], r"\(expect\), luck: no such word"),
        (['{ expect = "order", of = "two" }'], r"\(expect\), of: 'two' is none"),
        (['{ say = "x", refused = 1 }'], r"\(say\), refused: 1 is no text"),
    ],
)
def test_a_step_that_says_something_else_is_named(steps: list[str], complaint: str) -> None:
    with pytest.raises(StoryError, match=r"^s\.toml, .*" + complaint):
        parse(story(*steps), "s.toml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("steps = [", r"s\.toml: "),
        ("", r"s\.toml, steps: a list of steps"),
        ("steps = []", r"s\.toml, steps: a list of steps"),
        ("steps = 1", r"s\.toml, steps: a list of steps"),
        ("story = 1", r"s\.toml, story: no such word; there are title, world, market, steps"),
        ("title = 1", r"s\.toml, title: 1 is no text"),
        ("world = 1", r"s\.toml, world: a table"),
        ("[world]\nmoon = 1", r"s\.toml, world, moon: no such word"),
        ('[world]\npeople = ["al", "al"]', r"s\.toml, world, people: each once"),
        ('[world]\npool = "much"', r"s\.toml, world, pool: value: 'much' is not a number"),
        ("[world]\nmarkets = []", r"s\.toml, world, markets: nobody and nothing"),
        ('[world]\nmarkets = ["X", "X"]', r"s\.toml, world, markets: at least one, each once"),
        ('[world]\nmarkets = ["X"]', r"s\.toml, market, X, like: one of BTC-PERP"),
        ('[world]\nmarkets = ["BTC-PERP"]\n[market.ETH-PERP]', r"market, ETH-PERP: not one of"),
        ("[market.BTC-PERP]\ncolour = 1", r"s\.toml, market, BTC-PERP, colour: no such word"),
        ("[market.BTC-PERP]\nmax_age = 1.5", r"BTC-PERP, max_age: .* is no whole number"),
        ("[market.BTC-PERP]\nterms = { taker = 1 }", r"BTC-PERP, terms, taker: no such word"),
        ("[market.BTC-PERP]\nterms = { taker_fee = -1 }", r"terms, taker_fee: -1 is no whole"),
        (
            "[market.BTC-PERP]\nkeeper_fee = 0.0000001",
            r"keeper_fee: value: not a whole number of units",
        ),
        ("[market]\nBTC-PERP = 1", r"s\.toml, market, BTC-PERP: a table"),
    ],
)
def test_a_world_that_says_something_else_is_named(text: str, complaint: str) -> None:
    with pytest.raises(StoryError, match=complaint):
        parse(text, "s.toml")


def test_a_step_knows_where_it_is() -> None:
    found = parse(story('{ say = "x" }'), "s.toml")
    assert found.at(replace(found.steps[0], number=7)) == "s.toml, step 7 (say)"
