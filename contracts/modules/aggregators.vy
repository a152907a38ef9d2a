# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Aggregators
@license MIT
@notice Reads contracts that answer as Chainlink's aggregators do. Whatever one does instead of
        answering (nothing there, reverting, too few bytes, too many, burning its gas), it has no
        answer, and whoever asked goes on.
@dev The gas limit is what real feeds need several times over. As no caller of these functions can
     finish on a 63rd of it, nobody makes a feed seem dead by sending too little gas.
"""

FEED_GAS: constant(uint256) = 200_000
LOWEST: constant(int256) = min_value(int256)
HIGHEST: constant(int256) = max_value(int256)


struct Round:
    success: bool  # whether it answers
    answer: int256  # as it is
    started_at: uint256  # seconds
    updated_at: uint256  # seconds


@internal
@view
def _latest(aggregator: address) -> Round:
    """
    @notice The latest round. Refuses nothing: whoever only asks must not be stopped by what it says.
    """
    success: bool = False
    answered: Bytes[160] = b""
    success, answered = raw_call(
        aggregator,
        method_id("latestRoundData()"),
        max_outsize=160,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answered) != 160:
        return empty(Round)
    return Round(
        success=True,
        answer=convert(slice(answered, 32, 32), int256),
        started_at=convert(slice(answered, 64, 32), uint256),
        updated_at=convert(slice(answered, 96, 32), uint256),
    )


@internal
@view
def _decimals(aggregator: address) -> uint256:
    success: bool = False
    answered: bytes32 = empty(bytes32)
    success, answered = self._ask(aggregator, method_id("decimals()"))
    assert success, "feed: bad aggregator"
    decimals: uint256 = convert(answered, uint256)
    assert decimals <= 18, "feed: bad decimals"
    return decimals


@internal
@view
def _bounds(aggregator: address) -> (int256, int256):
    """
    @notice Where an aggregator stops answering the truth: its lowest and its highest answer. Behind
            a proxy those of its present phase. `LOWEST` and `HIGHEST` where it has none.
    """
    source: address = aggregator
    success: bool = False
    answered: bytes32 = empty(bytes32)
    success, answered = self._ask(aggregator, method_id("aggregator()"))
    if success and convert(answered, uint256) < 2**160:
        source = convert(convert(answered, uint160), address)
    minimum: bytes32 = empty(bytes32)
    success, minimum = self._ask(source, method_id("minAnswer()"))
    if not success:
        return LOWEST, HIGHEST
    maximum: bytes32 = empty(bytes32)
    success, maximum = self._ask(source, method_id("maxAnswer()"))
    if not success:
        return LOWEST, HIGHEST
    return convert(minimum, int256), convert(maximum, int256)


@internal
@view
def _ask(aggregator: address, selector: Bytes[4]) -> (bool, bytes32):
    success: bool = False
    answered: Bytes[32] = b""
    success, answered = raw_call(
        aggregator,
        selector,
        max_outsize=32,
        gas=FEED_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(answered) != 32:
        return False, empty(bytes32)
    return True, convert(answered, bytes32)
