# pragma version 0.4.3
"""
@title Mock aggregator
@license MIT
@notice A Chainlink feed that answers whatever it is told, or dies: for tests.
"""

decimals: public(uint8)
_round: uint80
_answer: int256
_updated_at: uint256
_is_dead: bool


@deploy
def __init__(decimals: uint8):
    self.decimals = decimals


@external
def set_answer(answer: int256, updated_at: uint256):
    self._round += 1
    self._answer = answer
    self._updated_at = updated_at


@external
def set_dead(is_dead: bool):
    self._is_dead = is_dead


@external
@view
def latestRoundData() -> (uint80, int256, uint256, uint256, uint80):
    assert not self._is_dead, "aggregator: dead"
    return self._round, self._answer, self._updated_at, self._updated_at, self._round
