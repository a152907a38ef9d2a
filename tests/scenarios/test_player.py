"""Stories are played: what comes with the package, and what fails."""

from dataclasses import replace
from functools import lru_cache

import pytest

from bulkhead import Keeper
from bulkhead.local import anchored, memory_chain, steady_blocks
from bulkhead.scenarios import Player, Story, Told, load, open_stage, parse, shipped
from bulkhead.world import ROLES, World
from tests.helpers.anvil import Anvil

SMALL = '[world]\nmarkets = ["BTC-PERP"]\npeople = ["alice"]\n'


def played(story: Story) -> list[Told]:
    world = open_stage(story, memory_chain(len(ROLES) + len(story.people)))
    return list(Player(story, world).play())


def failures(told: list[Told]) -> list[str]:
    return [failure for one in told for failure in one.failures]


@lru_cache
def small_stage() -> World:
    return open_stage(parse('steps = [{ say = "x" }]\n' + SMALL, "s.toml"), memory_chain(4))


def small(*steps: str) -> list[Told]:
    story = parse("steps = [" + ",\n".join(steps) + "]\n" + SMALL, "s.toml")
    stage = small_stage()
    with anchored(stage.reader.chain.w3):
        # A keeper of its own: another remembers what was undone.
        keeper = Keeper(stage.reader, stage.keeper.signer)
        return list(Player(story, replace(stage, keeper=keeper)).play())


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_story_happens_as_it_is_written(name: str) -> None:
    story = load(name)
    told = played(story)
    assert failures(told) == []
    assert len(told) == len(story.steps)


@pytest.mark.anvil
@pytest.mark.slow
def test_a_story_is_the_same_to_the_unit_on_a_node() -> None:
    story = load("worked_example")
    with Anvil() as node:
        w3 = node.connect()
        with steady_blocks(w3):
            assert failures(list(Player(story, open_stage(story, w3)).play())) == []


def test_whatever_is_not_as_expected_is_named_and_the_story_goes_on() -> None:
    told = small(
        '{ deposit = 5, who = "alice" }',
        '{ expect = "account", of = "alice", cash = 6, positions = 1, escrow = 0 }',
        '{ expect = "position", of = "alice", market = "BTC-PERP", side = "long",'
        ' margin_mode = "cross", size = 1 }',
        '{ expect = "market", of = "BTC-PERP", mark_price = 1, is_fresh = false }',
        '{ expect = "house", insurance = 1 }',
        '{ expect = "books" }',
    )
    assert failures(told) == [
        "s.toml, step 2 (expect), cash: 5, not 6",
        "s.toml, step 2 (expect), positions: 0, not 1",
        "s.toml, step 3 (expect), size: None, not 1",
        "s.toml, step 4 (expect), mark_price: 100,000, not 1",
        "s.toml, step 4 (expect), is_fresh: True, not False",
        "s.toml, step 5 (expect), insurance: 100,000, not 1",
    ]
    assert len(told) == 6


def test_what_the_keeper_never_did_is_not_as_expected() -> None:
    assert failures(small('{ expect = "keeper", executed = 0 }')) == [
        "s.toml, step 1 (expect), executed: None, not 0"
    ]


def test_a_step_that_is_refused_ends_the_story() -> None:
    told = small('{ withdraw = 1, who = "alice" }', '{ say = "Never told." }')
    (failure,) = failures(told)
    assert failure.startswith("s.toml, step 1 (withdraw): refused: balance: not withdrawable (")
    assert len(told) == 1


def test_a_step_that_must_be_refused_is_and_the_story_goes_on() -> None:
    refused = '{ withdraw = 1, who = "alice", refused = "balance: not withdrawable" }'
    told = small(refused, '{ say = "Told." }')
    assert failures(told) == []
    assert told[0].lines == ("Refused, as it must be: balance: not withdrawable.",)
    assert told[1].lines == ("Told.",)


def test_another_reason_than_the_one_it_must_be_refused_for_is_a_failure() -> None:
    told = small('{ withdraw = 1, who = "alice", refused = "price: stale" }', '{ say = "x" }')
    assert "not withdrawable" in failures(told)[0]
    assert failures(told)[0].endswith("not 'price: stale'")


def test_what_should_have_been_refused_and_was_not_is_a_failure() -> None:
    told = small('{ deposit = 1, who = "alice", refused = "price: stale" }')
    assert failures(told) == [
        "s.toml, step 1 (deposit), refused: it was not, and should be: price: stale"
    ]


def test_every_verb_of_a_position_s_life_is_played() -> None:
    told = small(
        '{ deposit = 5000, who = "alice" }',
        '{ provide = 100, who = "alice" }',
        '{ hedge_mode = true, who = "alice" }',
        '{ hedge_mode = false, who = "alice" }',
        '{ set_leverage = 5, market = "BTC-PERP", who = "alice", margin_mode = "isolated" }',
        '{ buy = 0.1, market = "BTC-PERP", who = "alice", margin_mode = "isolated",'
        ' take_profit = 120000, stop_loss = 90000, name = "entry" }',
        '{ prices = "again" }',
        '{ keeper = ["execute", "ratchet", "liquidate", "deleverage", "settle"] }',
        '{ expect = "keeper", executed = 1, cancelled = 0, ratcheted = 0, liquidated = 0,'
        " topped_up = 0, deleveraged = 0, settled = 0, penalty = 0 }",
        '{ expect = "order", of = "entry", state = "executed", keeper_fee = 0.2 }',
        '{ add_margin = 10, market = "BTC-PERP", who = "alice", side = "long" }',
        '{ remove_margin = 5, market = "BTC-PERP", who = "alice", side = "long" }',
        '{ auto_margin = 5, market = "BTC-PERP", who = "alice", side = "long" }',
        '{ convert = "cross", market = "BTC-PERP", who = "alice", side = "long" }',
        '{ convert = "isolated", market = "BTC-PERP", who = "alice", side = "long" }',
        '{ sell = 0.1, market = "BTC-PERP", who = "alice", margin_mode = "isolated",'
        ' kind = "limit", acceptable_price = 130000, expires_in = 9, name = "exit" }',
        "{ wait = 10 }",
        '{ expect = "order", of = "exit", state = "expired" }',
        '{ cancel = "exit" }',
        '{ close = "BTC-PERP", who = "alice", side = "long", margin_mode = "isolated" }',
        '{ prices = "again" }',
        '{ keeper = "execute" }',
        '{ expect = "account", of = "alice", positions = 0 }',
        '{ withdraw = 1, who = "alice" }',
        '{ expect = "books" }',
    )
    assert failures(told) == []
