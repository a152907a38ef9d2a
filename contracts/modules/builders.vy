# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Builders
@license MIT
@notice Who brings orders, what an account lets them charge for it, and with whom they share.
"""

from ..interfaces import IOrderBook
from ..lib import fixed_point

MAX_BUILDER_FEE: constant(uint256) = 1_000  # ppm of notional

_max_fees: HashMap[address, HashMap[address, uint256]]  # ppm, by account and builder
_shares: HashMap[address, uint256]  # ppm of its fees that a builder gives to its users' referrers
_referrers: HashMap[address, address]  # by account


@external
def approve_builder(builder: address, max_fee: uint256):
    assert max_fee <= MAX_BUILDER_FEE, "builder: fee too high"
    self._max_fees[msg.sender][builder] = max_fee
    log IOrderBook.BuilderApproved(account=msg.sender, builder=builder, max_fee=max_fee)


@external
def set_referral_share(share: uint256):
    assert share <= fixed_point.PPM, "referral: share too high"
    self._shares[msg.sender] = share
    log IOrderBook.ReferralShareSet(builder=msg.sender, share=share)


@external
def set_referrer(referrer: address):
    assert referrer != empty(address) and referrer != msg.sender, "referral: bad referrer"
    assert self._referrers[msg.sender] == empty(address), "referral: referrer is set"
    self._referrers[msg.sender] = referrer
    log IOrderBook.ReferrerSet(account=msg.sender, referrer=referrer)


@external
@view
def max_builder_fee(account: address, builder: address) -> uint256:
    return self._max_fees[account][builder]


@external
@view
def referral(account: address, builder: address) -> (address, uint256):
    return self._referral(account, builder)


@internal
@view
def _referral(account: address, builder: address) -> (address, uint256):
    """
    @notice Who gets a share of what an account pays a builder, and how much of it, ppm.
    """
    if builder == empty(address):
        return empty(address), 0
    referrer: address = self._referrers[account]
    if referrer == empty(address):
        return empty(address), 0
    return referrer, self._shares[builder]


@internal
@pure
def _check_fee(builder: address, builder_fee: uint256, max_fee: uint256):
    """
    @notice An order charges no more than its account allows the builder, and names both or none.
    """
    assert (builder == empty(address)) == (builder_fee == 0), "builder: bad fee"
    assert builder_fee <= max_fee, "builder: fee not approved"
