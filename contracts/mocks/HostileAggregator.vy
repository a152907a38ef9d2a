# pragma version 0.4.3
"""
@title Hostile aggregator
@license MIT
@notice A feed that does anything but answer: for tests.
"""

REVERTS: constant(uint256) = 0
BOMBS: constant(uint256) = 1  # returns far more than was asked for
BOMB_REVERTS: constant(uint256) = 2
FALLS_SHORT: constant(uint256) = 3
BURNS: constant(uint256) = 4
EMPTY: constant(uint256) = 5
ANSWER: constant(int256) = 50_000 * 10**8

decimals: public(uint8)
_mode: uint256
_is_hostile: bool


@deploy
def __init__(mode: uint256):
    self.decimals = 8
    self._mode = mode


@external
def turn():
    """
    @notice Until then it answers like any other.
    """
    self._is_hostile = True


@external
@view
@raw_return
def latestRoundData() -> Bytes[16384]:
    answer: Bytes[16384] = b""
    if not self._is_hostile:
        answer = abi_encode(
            convert(1, uint256),
            ANSWER,
            block.timestamp,
            block.timestamp,
            convert(1, uint256),
        )
    elif self._mode == BOMBS:
        answer = abi_encode(empty(uint256[500]))
    elif self._mode == BOMB_REVERTS:
        answer = abi_encode(empty(uint256[500]))
        raw_revert(answer)
    elif self._mode == FALLS_SHORT:
        answer = abi_encode(convert(1, uint256), ANSWER)
    elif self._mode == BURNS:
        seed: bytes32 = empty(bytes32)
        for i: uint256 in range(10**9):
            seed = keccak256(seed)
    else:
        assert self._mode == EMPTY, "aggregator: reverts"
    return answer
