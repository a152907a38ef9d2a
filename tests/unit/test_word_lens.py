"""What the word lens says is what the contracts say word by word, in pages that end in time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

import boa
import pytest

from bulkhead import errors, queries
from bulkhead.contracts import Contracts
from bulkhead.deployment import Deployment
from bulkhead.protocol import words
from bulkhead.protocol.words import CROSS_LONG, ISOLATED_LONG
from bulkhead.snapshots import MARKETS
from tests.helpers import word_by_word
from tests.helpers.chain import Contract, account_named, advance, now
from tests.helpers.feeds import answer, bring
from tests.helpers.protocol import (
    BTC,
    ETH,
    ISOLATED,
    NOBODY,
    SOL,
    USD,
    WAD,
    Market,
    Protocol,
    mapped,
    position_id,
)

if TYPE_CHECKING:
    from bulkhead.chain import Query
    from bulkhead.interfaces import Call

Result = TypeVar("Result")

NODE_GAS = 20_000_000
BIT = 10**8  # lots in a bitcoin
LISTED = 12
WORDS = 6_144  # that a page has room for
BURNS = 4  # the hostile aggregator's way
HEDGED, SETTLED, SILENT, AHEAD, RAMPING = range(5)  # markets of the varied world


@dataclass(slots=True)
class Node:
    """Runs queries as a node does, and keeps what each call took."""

    gas: int = NODE_GAS
    used: list[int] = field(default_factory=list)
    steps: int = 0

    def run(self, query: "Query[Result]") -> Result:
        self.used, self.steps = [], 0
        try:
            calls = next(query)
            while True:
                self.steps += 1
                calls = query.send(tuple(map(self.answer, calls)))
        except StopIteration as end:
            found: Result = end.value
            return found

    def answer(self, call: "Call") -> Any:
        computation = boa.env.execute_code(
            to_address=call.to, data=call.data, gas=self.gas, is_modifying=False
        )
        if computation.is_error:
            raise errors.revert_of(computation.output)
        self.used.append(computation.get_gas_used())
        return call.decode(computation.output)


def contracts_of(protocol: Protocol) -> Contracts:
    """The protocol as the SDK knows it."""
    lens = Contract(
        "WordLens",
        protocol.clearinghouse.address,
        protocol.oracle.address,
        protocol.book.address,
    )
    known: dict[str, Any] = {one.name: NOBODY for one in fields(Deployment)} | {
        "timelock": None,
        "clearinghouse": protocol.clearinghouse.address,
        "price_oracle": protocol.oracle.address,
        "order_book": protocol.book.address,
        "liquidity_pool": protocol.pool.address,
        "word_lens": lens.address,
    }
    return Contracts(Deployment(**known))


def store(protocol: Protocol, table: str, key: int, word: int) -> None:
    house = protocol.clearinghouse
    boa.env.set_storage(house.address, mapped(house.slots[f"ledger.{table}"], key), word)


def hold(
    protocol: Protocol,
    account: str,
    positions: dict[tuple[int, int], words.Position],
    **changes: int,
) -> None:
    """Gives an account positions, whatever made it have them."""
    legs = sum(words.leg_bit(*key) for key in positions if key[1] < ISOLATED_LONG)
    vaults = sum(slot >= ISOLATED_LONG for _, slot in positions)
    known = words.Account(cash=0, legs=legs, vaults=vaults, epoch=0, flags=0, escrow=0)
    word = words.pack_account(replace(known, **changes))
    store(protocol, "_accounts", int(account, 16), word)
    for key, position in positions.items():
        store(protocol, "_positions", position_id(account, *key), words.pack_position(position))


def drawn_position(random: Random, slot: int) -> words.Position:
    return words.Position(
        size=random.randint(1, 10 ** random.randint(1, 10)),
        entry_notional=random.randint(0, 10 ** random.randint(1, 12)),
        margin=random.randint(0, 10**10 if slot >= ISOLATED_LONG else words.MAX_LEVERAGE),
        generation=random.randint(0, words.GENERATIONS - 1),
        funding_index=random.randint(-(10**9), 10**9),
        auto_margin=random.random() < 0.2,
    )


def drawn_account(protocol: Protocol, random: Random, name: str) -> str:
    """Legs, pairs and vaults in some markets, closed slots and settings in others."""
    account = account_named(name)
    open_slots = [
        (market, slot)
        for market in random.sample(range(LISTED), random.randint(0, LISTED))
        for slot in random.sample(range(4), random.randint(1, 4))
    ]
    hold(
        protocol,
        account,
        {(market, slot): drawn_position(random, slot) for market, slot in open_slots},
        cash=random.randint(-(10**9), 10**12),
        epoch=random.randint(0, words.EPOCHS - 1),
        flags=random.randint(0, 1),
        escrow=random.randint(0, 10**7),
    )
    for market in random.sample(range(LISTED), 4):
        if (market, CROSS_LONG) not in open_slots:
            closed = words.pack_position(words.Position(0, 0, 0, random.randint(1, 9), 0))
            store(protocol, "_positions", position_id(account, market, CROSS_LONG), closed)
        wishes = words.Settings(
            random.random() < 0.5,
            *(random.randint(0, words.MAX_LEVERAGE) for _ in range(3)),
            *(random.randint(0, 10**9) for _ in range(2)),
        )
        word = words.pack_settings(wishes)
        store(protocol, "_settings", position_id(account, market, 0), word)
    return account


@dataclass(frozen=True, slots=True)
class World:
    protocol: Protocol
    contracts: Contracts
    node: Node

    def assert_same(self, addresses: Sequence[str]) -> None:
        together = self.node.run(queries.accounts(self.contracts, addresses))
        for address in addresses:
            expected = self.node.run(word_by_word.account(self.contracts, address, now()))
            assert self.node.run(queries.account(self.contracts, address)) == expected
            assert len(self.node.used) == 1
            assert together[address] == expected


@pytest.fixture(scope="module")
def varied() -> World:
    """Markets in every state, with funding pending."""
    listed = [BTC, ETH, SOL] + [
        Market(f"M{number}-PERP", 100 + number, 10**5) for number in range(3, LISTED)
    ]
    protocol = Protocol(
        *(replace(one, terms=replace(one.terms, pool_share=10_000)) for one in listed)
    )
    trader = protocol.trader
    protocol.deposit(trader, 10_000 * USD)
    protocol.trade(trader, HEDGED, BIT // 10)
    protocol.trade(trader, RAMPING, 10**6)
    return World(protocol, contracts_of(protocol), Node())


@pytest.fixture
def scene(varied: World) -> Iterator[World]:
    with varied.protocol.anchored():
        yield varied


def vary(protocol: Protocol) -> None:
    """Silence, doubt, a round that is out, a ramp half way, an end."""
    protocol.clearinghouse.send(
        protocol.owner, "ramp_tiers", RAMPING, ((0, 10_000, 20_000), *BTC.tiers[1:]), 10 * 86_400
    )
    advance(5 * 86_400)
    for market in range(LISTED):
        if market != SILENT:
            protocol.publish(market, protocol.dollars(market))
    protocol.requote(HEDGED, confidence=900, caution=words.ONLY_BANKRUPT)
    protocol.requote(SETTLED, kind=words.SETTLED, settles_at=now() // words.HOUR, trade_age=0)
    aggregator = Contract("mocks/MockAggregator", 8)
    set_chainlink_feed(protocol, AHEAD, protocol.markets[AHEAD], aggregator)
    advance(1)
    answer(protocol, aggregator, 31)
    bring(protocol, AHEAD)
    advance(1)
    answer(protocol, aggregator, 32)


def set_chainlink_feed(
    protocol: Protocol, number: int, market: Market, aggregator: Contract
) -> None:
    ages = (market.trade_age, market.max_age)
    protocol.oracle.send(
        protocol.owner,
        "set_chainlink_feed",
        *(number, WAD // market.lots, *ages, aggregator.address),
    )


@pytest.mark.parametrize("seed", range(4))
def test_accounts_are_what_their_words_say(scene: World, seed: int) -> None:
    vary(scene.protocol)
    random = Random(seed)
    drawn = [drawn_account(scene.protocol, random, f"{seed} {number}") for number in range(8)]
    scene.assert_same([*drawn, scene.protocol.trader, account_named("a stranger")])
    states = scene.node.run(queries.markets(scene.contracts))
    assert not states[SILENT].is_live
    assert not states[AHEAD].is_latest
    assert states[RAMPING].market.ramp is not None
    assert states[HEDGED].area != 0


def test_a_position_is_that_of_its_account(scene: World) -> None:
    vary(scene.protocol)
    account = drawn_account(scene.protocol, Random(0), "0 0")
    view = scene.node.run(queries.account(scene.contracts, account))
    assert {one.slot for one in view.positions} == {0, 1, 2, 3}
    keys = [(one.market.id, one.slot) for one in view.positions]
    found = scene.node.run(queries.positions(scene.contracts, account, keys))
    assert found == {(one.market.id, one.slot): one.word for one in view.positions}
    assert len(scene.node.used) == 1


def test_markets_are_what_their_words_say(scene: World) -> None:
    vary(scene.protocol)
    expected = scene.node.run(word_by_word.market_states(scene.contracts, range(LISTED), now()))
    assert scene.node.run(queries.markets(scene.contracts)) == expected
    some = scene.node.run(queries.market_states(scene.contracts, [7, SILENT, 7]))
    assert some == {7: expected[7], SILENT: expected[SILENT]}
    assert len(scene.node.used) == 1


@pytest.mark.parametrize("market", [LISTED, 1_023, 1_024, 2**256 - 1])
def test_a_market_that_is_not_listed_is_unknown(scene: World, market: int) -> None:
    with pytest.raises(errors.MarketUnknown):
        scene.node.run(queries.market_states(scene.contracts, [0, market]))


def test_a_snapshot_holds_the_words_themselves(scene: World) -> None:
    protocol = scene.protocol
    account = drawn_account(protocol, Random(1), "snapshot")
    found = scene.node.run(queries.snapshot(scene.contracts, [account]))
    state = found.state
    assert (found.timestamp, found.number) == (now(), boa.env.evm.patch.block_number)
    assert found.market_count == LISTED
    assert state.house == protocol.house()
    assert state.accounts == {account: protocol.account(account)}
    assert state.positions
    for holder, market, slot in state.positions:
        assert state.positions[holder, market, slot] == protocol.position(account, market, slot)
        assert state.settings[holder, market] == protocol.settings(account, market)
        assert list(state.market_words(market)) == protocol.market_words(market)
        assert state.prices[market] == protocol.price(market)
        terms = protocol.book.read("order_terms_word", market)
        assert state.order_terms[market] == words.unpack_order_terms(terms)
    assert set(state.markets) == {market for _, market, _ in state.positions}


def test_what_was_not_read_is_not_guessed(scene: World) -> None:
    found = scene.node.run(queries.snapshot(scene.contracts, [scene.protocol.trader]))
    with pytest.raises(KeyError):
        found.account_view(scene.protocol.attacker)
    with pytest.raises(errors.MarketUnknown):
        found.market_state(LISTED - 1)


def test_nothing_asked_is_answered_with_nothing(scene: World) -> None:
    assert scene.node.run(queries.accounts(scene.contracts, [])) == {}
    assert scene.node.run(queries.market_states(scene.contracts, [])) == {}
    assert scene.node.run(queries.order_words(scene.contracts, [])) == ()
    assert scene.node.run(queries.positions(scene.contracts, NOBODY, [])) == {}


def test_an_address_is_the_same_in_any_case(scene: World) -> None:
    trader = scene.protocol.trader
    found = scene.node.run(queries.accounts(scene.contracts, [trader, trader.lower()]))
    assert found[trader].word == found[trader.lower()].word
    assert found[trader.lower()].address == trader.lower()


def test_orders_are_read_many_at_once(scene: World) -> None:
    protocol = scene.protocol
    placed = [
        protocol.place(protocol.trader, HEDGED, BIT // 100, margin_mode=ISOLATED) for _ in range(3)
    ]
    hashes = [protocol.hash_of(order) for order in placed] + [bytes(32)]
    found = scene.node.run(queries.order_words(scene.contracts, hashes))
    assert found[:3] == tuple(map(protocol.order_state, placed))
    assert found[3] == words.unpack_order_state(0)
    assert len(scene.node.used) == 1


def test_positions_are_read_many_at_once(scene: World) -> None:
    protocol, trader = scene.protocol, scene.protocol.trader
    keys = [(market, slot) for market in range(LISTED) for slot in range(4)]
    found = scene.node.run(queries.positions(scene.contracts, trader, keys))
    expected = {key: position for key in keys if (position := protocol.position(trader, *key)).size}
    assert found == expected
    assert len(found) == 2
    assert len(scene.node.used) == 1


# Pages


def crowd(protocol: Protocol, count: int, legs: int) -> list[str]:
    """Accounts with legs in the first markets."""
    random = Random(count)
    accounts = [account_named(f"one of {count}, {number}") for number in range(count)]
    for account in accounts:
        held = {(market, CROSS_LONG): drawn_position(random, CROSS_LONG) for market in range(legs)}
        hold(protocol, account, held, cash=10**9)
    return accounts


def test_a_thousand_accounts_are_a_few_pages(scene: World) -> None:
    accounts = crowd(scene.protocol, 1_000, 3)
    found = scene.node.run(queries.accounts(scene.contracts, accounts))
    assert list(found) == accounts
    assert all(len(view.cross) == 3 for view in found.values())
    assert len(scene.node.used) == 2
    assert max(scene.node.used) < NODE_GAS


@pytest.mark.parametrize("gas", [1_450_000, 1_500_000, 1_700_000])
def test_a_node_that_gives_less_gas_takes_more_pages(scene: World, gas: int) -> None:
    accounts = crowd(scene.protocol, 40, 6)
    expected = scene.node.run(queries.accounts(scene.contracts, accounts))
    assert len(scene.node.used) == 1
    node = Node(gas)
    assert node.run(queries.accounts(scene.contracts, accounts)) == expected
    assert len(node.used) > 1


def test_an_account_that_no_call_can_read_is_an_error(scene: World) -> None:
    (account,) = crowd(scene.protocol, 1, LISTED)
    with pytest.raises(errors.OutOfGas):
        Node(1_200_000).run(queries.account(scene.contracts, account))


def test_the_longest_page_fits_and_so_does_its_answer_in_what_is_kept_for_it(
    scene: World,
) -> None:
    # One account over and over: only its first read is of cold storage.
    accounts = crowd(scene.protocol, 1, LISTED) * 1_024
    call = scene.contracts.word_lens.call("accounts", accounts)
    longest = WORDS // (1 + 3 * LISTED)
    _, finished, found, markets = scene.node.answer(call)
    assert finished == longest
    assert len(found) == longest * (1 + 3 * LISTED)
    assert len(markets) == LISTED
    short = Node(scene.node.used[-1] * 9 // 10)
    _, finished, _, markets = short.answer(call)
    assert longest // 2 < finished < longest
    assert not markets


def test_the_largest_account_fits_in_one_call_among_a_thousand_markets(scene: World) -> None:
    protocol, account = scene.protocol, account_named("everywhere")
    house = protocol.clearinghouse
    boa.env.set_storage(house.address, house.slots["markets.count"], words.MAX_MARKETS)
    random = Random(0)
    vaults = [(1_023 - number, ISOLATED_LONG) for number in range(255)]
    legs = [(number, CROSS_LONG) for number in range(32)]
    held = {key: drawn_position(random, key[1]) for key in (*legs, *vaults)}
    hold(protocol, account, held)
    lens = scene.contracts.word_lens
    _, finished, found, markets = scene.node.answer(lens.call("accounts", [account]))
    assert finished == 1
    assert len(found) == 1 + 3 * len(held)
    assert len(markets) == MARKETS
    assert scene.node.used[-1] < NODE_GAS


def test_markets_beyond_one_page_follow(scene: World) -> None:
    protocol = scene.protocol
    count = 2 * MARKETS + 2
    terms = replace(BTC.terms, pool_share=1, skew_scale=10**13)
    for number in range(LISTED, count):
        protocol.list_market(Market(f"P{number}-PERP", 100, 10**5, terms))
    account, random = account_named("spread"), Random(0)
    keys = [(market, ISOLATED_LONG) for market in range(count)]
    hold(protocol, account, {key: drawn_position(random, key[1]) for key in keys})
    expected = scene.node.run(word_by_word.account(scene.contracts, account, now()))
    assert scene.node.run(queries.account(scene.contracts, account)) == expected
    assert len(scene.node.used) == 3  # the account with as many as fit, and two pages of markets
    assert list(scene.node.run(queries.markets(scene.contracts))) == list(range(count))
    assert len(scene.node.used) == 3


def test_feeds_that_burn_their_gas_do_not_stop_an_account(scene: World) -> None:
    protocol, account = scene.protocol, crowd(scene.protocol, 1, LISTED)[0]
    hostile = Contract("mocks/HostileAggregator", BURNS)
    for market, listed in enumerate(protocol.markets):
        set_chainlink_feed(protocol, market, listed, hostile)
    hostile.send(protocol.attacker, "turn")
    found = scene.node.run(queries.account(scene.contracts, account))
    assert len(scene.node.used) == 1
    assert scene.node.used[0] > LISTED * 200_000
    assert len(found.cross) == LISTED
    assert all(one.state.is_latest for one in found.cross)


def test_parts_of_different_blocks_are_refused(scene: World) -> None:
    accounts = crowd(scene.protocol, 1_000, 3)
    query = queries.accounts(scene.contracts, accounts)
    (call,) = next(query)
    first = scene.node.answer(call)
    (call,) = query.send((first,))
    advance(1)
    with pytest.raises(errors.MovedOn, match="several blocks"):
        query.send((scene.node.answer(call),))
