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
from .modules import backing
from .modules import ledger
from .modules import listing
from .modules import market_bounds
from .modules import markets
from .modules import roles
from .modules import tier_ramps

implements: IMarkets

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: ledger
initializes: roles[ownable := ownable, ledger := ledger]
initializes: markets
initializes: backing[ledger := ledger, markets := markets]
initializes: tier_ramps[ownable := ownable, markets := markets]
initializes: listing[ownable := ownable, markets := markets, roles := roles, backing := backing, tier_ramps := tier_ramps]


@deploy
def __init__(price_oracle: address):
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(empty(address))
    markets.__init__(price_oracle)


@external
def list_market(
    symbol: String[16],
    terms: IMarkets.Terms,
    tiers: DynArray[IMarkets.Tier, market_bounds.MAX_TIERS],
) -> uint256:
    return listing._list_market(symbol, terms, tiers)


@external
def set_terms(market: uint256, terms: IMarkets.Terms):
    listing._set_terms(market, terms)


@external
def ramp_tiers(
    market: uint256,
    tiers: DynArray[IMarkets.Tier, market_bounds.MAX_TIERS],
    duration: uint256,
):
    tier_ramps._ramp_tiers(market, tiers, duration)


@external
def end_ramp(market: uint256):
    tier_ramps._end_ramp(market)


@external
def replace_tiers(market: uint256, tiers: DynArray[IMarkets.Tier, market_bounds.MAX_TIERS]):
    tier_ramps._replace_tiers(market, tiers)


@external
def set_status(market: uint256, status: uint256):
    listing._set_status(market, status)


@external
def set_guardian(guardian: address):
    roles._set_guardian(guardian)


@external
def stop_opening(stopped: bool):
    roles._stop_opening(stopped)
