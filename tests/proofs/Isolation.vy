# pragma version 0.4.3
"""
@title What storing a position leaves alone
@license MIT
@notice A position is one word under its own name: storing it, as every liquidation does, writes no word of
        another position, account or market setting.
"""

from contracts.modules import ledger
from contracts.lib import words

initializes: ledger


@internal
@pure
def _prove(claim: bool):
    if not claim:
        raw_revert(abi_encode(convert(1, uint256), method_id=method_id("Panic(uint256)")))


@external
def check_a_stored_position_is_the_only_one_written(
    id: uint256, other: uint256, position: words.Position
):
    if id == other:
        return
    before: uint256 = ledger._positions[other]
    ledger._store_position(id, position)
    self._prove(ledger._positions[other] == before)


@external
def check_a_stored_position_writes_no_account(
    id: uint256, account: address, position: words.Position
):
    before: uint256 = ledger._accounts[account]
    house: uint256 = ledger._house
    ledger._store_position(id, position)
    self._prove(ledger._accounts[account] == before and ledger._house == house)
