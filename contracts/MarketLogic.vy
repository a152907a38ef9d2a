# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Market logic
@license MIT
@notice The clearinghouse's code for listing markets and setting their terms. It runs in the
        clearinghouse's storage; called directly it finds its own, which nobody owns.
"""

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IMarkets
from .modules import ledger
from .modules import listing
from .modules import markets
from .modules import roles


initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: ledger
initializes: roles[ownable := ownable, ledger := ledger]
initializes: markets
initializes: listing[ownable := ownable, markets := markets, roles := roles]


@deploy
def __init__(price_oracle: address):
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(empty(address))
    markets.__init__(price_oracle)


@external
def list_market(
    symbol: String[16], terms: IMarkets.Terms, tiers: DynArray[IMarkets.Tier, 8]
) -> uint256:
    return listing._list_market(symbol, terms, tiers)


@external
def set_terms(market: uint256, terms: IMarkets.Terms):
    listing._set_terms(market, terms)


@external
def set_status(market: uint256, status: uint256):
    listing._set_status(market, status)


@external
def set_guardian(guardian: address):
    roles._set_guardian(guardian)


@external
def stop_opening(stopped: bool):
    roles._stop_opening(stopped)
