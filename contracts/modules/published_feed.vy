# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Published feed
@license MIT
@notice Prices that publishers, whom the owner allowed, send as they are: for local chains.
"""

from ..interfaces import IPriceOracle

MAX_PAYLOAD: constant(uint256) = 64 + 8 * 65

is_publisher: public(HashMap[address, bool])


@internal
@view
def _price(payload: Bytes[MAX_PAYLOAD]) -> (uint256, uint256):
    """
    @notice The price in WAD USD per base unit and when it was published, both as the caller says.
    """
    assert self.is_publisher[msg.sender], "publisher: not allowed"
    assert len(payload) == 64, "payload: bad length"
    return abi_decode(payload, (uint256, uint256))


@internal
def _set_publisher(publisher: address, allowed: bool):
    self.is_publisher[publisher] = allowed
    log IPriceOracle.PublisherSet(publisher=publisher, allowed=allowed)
