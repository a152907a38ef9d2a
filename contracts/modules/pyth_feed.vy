# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Pyth feed
@license MIT
@notice Prices that anyone pulls from Pyth: the payload goes to the Pyth contract as it is, which
        checks it and takes a fee for it; then the contract is asked for its price.
"""

from ..lib import fixed_point

# From WAD to whole units: what is scaled exactly.
MIN_EXPONENT: constant(int256) = -18
MAX_ANSWER: constant(int256) = 2**128

_ids: HashMap[uint256, bytes32]  # Pyth's names of the markets' prices


@internal
@view
def _price(market: uint256, pyth: address) -> (uint256, uint256, uint256):
    """
    @notice The price in WAD USD per base unit, when it was published, and its confidence in ppm, up.
    """
    success: bool = False
    answered: Bytes[128] = b""
    success, answered = raw_call(
        pyth,
        concat(method_id("getPriceUnsafe(bytes32)"), self._ids[market]),
        max_outsize=128,
        is_static_call=True,
        revert_on_failure=False,
    )
    assert success and len(answered) == 128, "feed: no answer"
    answer: int256 = convert(slice(answered, 0, 32), int256)
    confidence: uint256 = convert(slice(answered, 32, 32), uint256)
    exponent: int256 = convert(slice(answered, 64, 32), int256)
    assert exponent >= MIN_EXPONENT and exponent <= 0, "feed: bad exponent"
    assert answer >= 0, "price: negative"
    assert answer < MAX_ANSWER, "price: too large"
    price: uint256 = convert(answer, uint256)
    uncertainty: uint256 = fixed_point.PPM  # all of it, if not less
    if confidence < price:
        uncertainty = fixed_point.div_up(confidence * fixed_point.PPM, price)
    return (
        price * 10**convert(exponent - MIN_EXPONENT, uint256),
        convert(slice(answered, 96, 32), uint256),
        uncertainty,
    )


@internal
@payable
def _fee(success: bool, answered: Bytes[32]) -> uint256:
    """
    @notice What Pyth asks for an update, out of what the caller sent: never of anything else here.
    """
    assert success and len(answered) == 32, "feed: bad update"
    fee: uint256 = convert(answered, uint256)
    assert fee <= msg.value, "value: below the fee"
    return fee


@internal
@pure
def _require_taken(success: bool):
    assert success, "feed: bad update"


@internal
def _set(market: uint256, pyth: address, id: bytes32):
    assert pyth.is_contract, "feed: bad contract"
    self._ids[market] = id
