# pragma version 0.4.3
"""
@title Mock aggregator
@license MIT
@notice A Chainlink feed that answers whatever it is told, or dies: for tests.
"""

decimals: public(uint8)
_round: uint80
_answer: int256
_started_at: uint256
_updated_at: uint256
_minimum: int256
_maximum: int256
_is_dead: bool


@deploy
def __init__(decimals: uint8):
    self.decimals = decimals


@external
def set_answer(answer: int256, updated_at: uint256):
    self._round += 1
    self._answer = answer
    self._started_at = updated_at
    self._updated_at = updated_at


@external
def set_round(round: uint80, answer: int256, started_at: uint256, updated_at: uint256):
    self._round = round
    self._answer = answer
    self._started_at = started_at
    self._updated_at = updated_at


@external
def set_bounds(minimum: int256, maximum: int256):
    self._minimum = minimum
    self._maximum = maximum


@external
def set_dead(is_dead: bool):
    self._is_dead = is_dead


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    assert not self._is_dead, "aggregator: dead"
    return self._round, self._answer, self._started_at, self._updated_at, self._round


@external
@view
def minAnswer() -> int256:
    assert self._minimum != 0, "aggregator: no bounds"
    return self._minimum


@external
@view
def maxAnswer() -> int256:
    assert self._maximum != 0, "aggregator: no bounds"
    return self._maximum
