# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Roles
@license MIT
@notice Who may do what: the owner sets parameters, the guardian may only stop new risk.
"""

from snekmate.auth import ownable

from ..interfaces import IRoles
from ..lib import words
from . import ledger

uses: ledger
uses: ownable

guardian: address


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
