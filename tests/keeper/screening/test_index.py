import numpy as np
import pytest

from bulkhead.keeper.screening import LiquidationIndex
from bulkhead.keeper.screening import limbs as rows
from bulkhead.protocol import words
from tests.helpers.positions import NO_ACCOUNT, Held, address_of, position_of, state_of

PRICE = 10**12
ALICE = address_of(0xA11CE << 100)
POSITION = position_of(10**7, 10**10, 5, -7)
NO_ADDRESS = r"account: .* is no address"
DUE = {0: state_of(PRICE)}


def test_every_field_that_matters_is_read_from_packed_words() -> None:
    most = words.Position(words.MAX_SIZE, 1, words.MAX_NOTIONAL, 7, -(2**63), True)
    other = words.Position(1, words.MAX_NOTIONAL, 2**30, 2**23 - 1, 2**63 - 1)
    columns = rows.columns_of(rows.limbs_of(map(words.pack_position, (most, other))))
    assert columns.size.tolist() == [most.size, other.size]
    assert columns.entry_notional.tolist() == [most.entry_notional, other.entry_notional]
    assert columns.margin.tolist() == [most.margin, other.margin]
    assert columns.funding_index.tolist() == [most.funding_index, other.funding_index]


def test_a_candidate_is_what_was_told_to_the_last_bit() -> None:
    held = Held()
    position = words.Position(10**7, 10**10, 5, 2**23 - 1, -7, True)
    account = words.Account(-5, 1, 3, 9, 1, 77)
    held.index.set_account(ALICE, account)
    held.set_position(ALICE, 0, 2, position)
    held.set_position(ALICE, 0, 0, position)
    held.accounts[ALICE] = account
    found = held.check(DUE)
    assert [one.position for one in found.vaults] == [position]
    assert [(one.word, one.legs) for one in found.ledgers] == [(account, {(0, 0): position})]


def test_candidates_do_not_change_with_what_is_told_later() -> None:
    held = Held()
    held.set_position(ALICE, 0, 2, POSITION)
    held.set_position(ALICE, 0, 1, POSITION)
    found = held.index.candidates(DUE, {0})
    held.set_position(ALICE, 0, 2, position_of(0, 0))
    held.set_position(ALICE, 0, 1, position_of(0, 0))
    assert [one.position for one in found.vaults] == [POSITION]
    assert [one.legs for one in found.ledgers] == [{(0, 1): POSITION}]


def test_an_address_is_the_same_however_it_is_written_and_comes_with_its_checksum() -> None:
    index = LiquidationIndex()
    index.set_position(ALICE.lower(), 0, 2, POSITION)
    index.set_position(ALICE, 0, 2, POSITION)
    assert len(index) == 1
    assert [one.account for one in index.candidates(DUE, {0}).vaults] == [ALICE]


def test_addresses_that_end_in_zeros_are_told_apart() -> None:
    held = Held()
    for shift in range(0, 160, 8):
        held.set_position(address_of(1 << shift), 0, 2, POSITION)
    held.reload()
    assert len(held.check(DUE).vaults) == 20
    for shift in range(0, 160, 8):
        held.set_position(address_of(1 << shift), 0, 2, position_of(0, 0))
    assert not len(held.index)


def test_thousands_of_new_accounts_are_found_again() -> None:
    held = Held()
    for number in range(1, 3_000):
        held.set_cash(address_of(number * 0x9E3779B97F4A7C15 << 60), number)
    for account in list(held.accounts)[::7]:
        held.set_position(account, 0, 0, POSITION)
    found = held.check(DUE)
    assert {one.account for one in found.ledgers} == set(list(held.accounts)[::7])


def test_counts_and_memory_are_told() -> None:
    held = Held()
    assert (len(held.index), held.index.nbytes > 0) == (0, True)
    for slot in range(4):
        held.set_position(ALICE, 0, slot, POSITION)
    index = held.index
    assert (len(index), index.vaults, index.legs, index.ledgers) == (4, 2, 2, 1)


def test_only_the_vaults_of_the_markets_asked_for_are_looked_through() -> None:
    held = Held()
    for market in (0, 1):
        held.set_position(ALICE, market, 2, POSITION)
    states = {0: state_of(PRICE), 1: state_of(PRICE)}
    found = held.index.candidates(states, {1})
    assert [one.market for one in found.vaults] == [1]


def test_loading_replaces_everything() -> None:
    held = Held()
    held.set_position(ALICE, 0, 2, POSITION)
    held.set_position(ALICE, 0, 0, POSITION)
    held.index.load({}, {(ALICE, 3, 3): POSITION, (ALICE, 3, 2): position_of(0, 0)})
    assert (held.index.vaults, held.index.legs) == (1, 0)
    assert not held.index.candidates(DUE, {0}).vaults


@pytest.mark.parametrize("account", ["", "0x12", "alice", "0x" + "g" * 40, ALICE + "00"])
def test_what_is_no_address_is_refused(account: str) -> None:
    index = LiquidationIndex()
    with pytest.raises(ValueError, match=NO_ADDRESS):
        index.set_position(account, 0, 2, POSITION)
    with pytest.raises(ValueError, match=NO_ADDRESS):
        index.set_account(account, NO_ACCOUNT)
    with pytest.raises(ValueError, match=NO_ADDRESS):
        index.load({account: NO_ACCOUNT}, {})


@pytest.mark.parametrize(
    ("market", "slot", "reason"),
    [
        (0, 4, "slot:"),
        (0, -1, "slot:"),
        (64, 0, "market: 64 is not below 64"),
        (1_024, 2, "market: 1024 is not below 1024"),
        (-1, 2, "market: -1"),
    ],
)
def test_a_place_that_does_not_exist_is_refused(market: int, slot: int, reason: str) -> None:
    held = Held()
    held.set_position(ALICE, 0, 2, POSITION)
    with pytest.raises(ValueError, match=reason):
        held.index.set_position(ALICE, market, slot, POSITION)
    with pytest.raises(ValueError, match=reason):
        held.index.load({}, {(ALICE, market, slot): POSITION})
    assert len(held.index) == 1


def test_a_position_that_fits_no_word_is_refused() -> None:
    index = LiquidationIndex()
    with pytest.raises(words.OutOfRange):
        index.set_position(ALICE, 0, 2, position_of(2**56, 1))
    assert not len(index)


def test_what_comes_twice_is_refused() -> None:
    index = LiquidationIndex()
    with pytest.raises(ValueError, match="an address comes twice"):
        index.load({ALICE: NO_ACCOUNT, ALICE.lower(): NO_ACCOUNT}, {})
    twice = rows.limbs_of([words.pack_position(POSITION)] * 2)
    addresses = np.array([bytes.fromhex(ALICE[2:])], "S20")
    keys = np.array([(0, 0, 2), (0, 0, 2)])
    with pytest.raises(ValueError, match="positions: one comes twice"):
        index.load_rows(addresses, rows.limbs_of([0]), keys, twice)


def test_positions_of_accounts_that_are_not_given_are_refused() -> None:
    index = LiquidationIndex()
    with pytest.raises(ValueError, match="an account that is not given"):
        index.load_rows(
            np.empty(0, "S20"),
            rows.limbs_of([]),
            np.array([(0, 0, 2)]),
            rows.limbs_of([words.pack_position(POSITION)]),
        )


def test_a_missing_state_is_named() -> None:
    index = LiquidationIndex()
    index.set_position(ALICE, 7, 0, POSITION)
    with pytest.raises(ValueError, match=r"states: none of markets \[7\]"):
        index.candidates({}, ())
    with pytest.raises(ValueError, match=r"states: none of markets \[3, 7\]"):
        index.candidates({}, {3})
