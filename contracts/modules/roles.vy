# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Roles
@license MIT
@notice Who may do what: the owner sets parameters, the guardian may only stop new risk, an
        account's operators trade for it and never withdraw.
"""

from snekmate.auth import ownable

from ..interfaces import IRoles
from ..lib import words
from . import ledger

uses: ledger
uses: ownable

guardian: address
_operator_expiry: HashMap[address, HashMap[address, uint256]]  # seconds; the last one it holds in


@internal
def _set_guardian(guardian: address):
    ownable._check_owner()
    self.guardian = guardian
    log IRoles.GuardianSet(guardian=guardian)


@internal
def _stop_opening(stopped: bool):
    # Stopping needs the guardian or the owner, resuming the owner.
    if msg.sender != self.guardian or not stopped:
        ownable._check_owner()
    house: words.House = ledger._load_house()
    house.flags = words.FLAG_STOPPED if stopped else 0
    house_word: uint256 = ledger._store_house(house)
    log IRoles.OpeningStopped(stopped=stopped, house_word=house_word)


@internal
def _set_operator(account: address, operator: address, expiry: uint256):
    assert operator != empty(address) and operator != account, "operator: bad address"
    self._operator_expiry[account][operator] = expiry
    log IRoles.OperatorSet(account=account, operator=operator, expiry=expiry)


@internal
@view
def _may_trade(account: address, actor: address) -> bool:
    return actor == account or self._operator_expiry[account][actor] >= block.timestamp
