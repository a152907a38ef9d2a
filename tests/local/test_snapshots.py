import json
from pathlib import Path

import pytest
from web3 import Web3

from bulkhead.chain import Chain
from bulkhead.errors import Rejected
from bulkhead.local import (
    Snapshots,
    advance_time,
    anchored,
    memory_chain,
    revert_to,
    take_snapshot,
)


def test_a_chain_goes_back_in_state_and_time(w3: Web3) -> None:
    before = advance_time(w3)
    snapshot = take_snapshot(w3)
    advance_time(w3, 1_000)
    revert_to(w3, snapshot)
    assert Chain(w3).block() == before


def test_a_snapshot_that_never_was_is_refused(w3: Web3) -> None:
    with pytest.raises(Rejected, match="the chain has no snapshot 99999"):
        revert_to(w3, 99_999)


def test_an_anchored_chain_is_as_it_was_whatever_happened(w3: Web3) -> None:
    before = advance_time(w3)

    def fail() -> None:
        with anchored(w3):
            advance_time(w3)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert Chain(w3).block() == before


def test_a_name_can_be_gone_back_to_again_and_again(w3: Web3, tmp_path: Path) -> None:
    before = advance_time(w3)
    Snapshots(w3, tmp_path).take("start")
    for _ in range(3):
        advance_time(w3)
        Snapshots(w3, tmp_path).rewind("start")
        assert Chain(w3).block() == before


def test_going_back_forgets_what_was_named_later(w3: Web3, tmp_path: Path) -> None:
    snapshots = Snapshots(w3, tmp_path)
    for name in ("one", "two", "three"):
        advance_time(w3)
        snapshots.take(name)
    snapshots.rewind("two")
    assert snapshots.names() == ("one", "two")
    with pytest.raises(Rejected, match=r"no snapshot is called 'three' .* there are: one, two"):
        snapshots.rewind("three")
    snapshots.rewind("one")
    assert snapshots.names() == ("one",)


def test_a_name_is_given_anew(w3: Web3, tmp_path: Path) -> None:
    snapshots = Snapshots(w3, tmp_path)
    snapshots.take("here")
    after = advance_time(w3)
    snapshots.take("here")
    advance_time(w3)
    snapshots.rewind("here")
    assert Chain(w3).block() == after


def test_a_name_is_not_empty(w3: Web3, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name: empty"):
        Snapshots(w3, tmp_path).take("")


def test_another_chain_s_names_are_not_taken_for_its_own(tmp_path: Path) -> None:
    w3 = memory_chain(accounts=1)
    snapshots = Snapshots(w3, tmp_path)
    snapshots.take("here")
    table = json.loads(snapshots.path.read_text())
    snapshots.path.write_text(json.dumps({**table, "genesis_hash": "0x00"}))
    assert Snapshots(w3, tmp_path).names() == ()


@pytest.mark.parametrize("text", ["{", "[]", '{"genesis_hash": "0x00"}'])
def test_a_file_that_is_no_list_of_snapshots_is_refused(tmp_path: Path, text: str) -> None:
    w3 = memory_chain(accounts=1)
    snapshots = Snapshots(w3, tmp_path)
    snapshots.path.write_text(text)
    with pytest.raises(Rejected, match=r"snapshots\.json holds no snapshots: remove it"):
        snapshots.names()
