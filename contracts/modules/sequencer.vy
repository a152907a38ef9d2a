# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Sequencer
@license MIT
@notice The uptime of a second-layer chain's sequencer, as Chainlink's uptime feeds tell it. While it
        is down no price is taken. After it is up again, those who could not act have a while to:
        nothing opens, and only the bankrupt are liquidated. A feed that does not answer stops
        openings and no liquidation: nobody's solvency hangs on it.
"""

from ..interfaces import IPriceOracle
from ..lib import words
from . import aggregators

MAX_GRACE: constant(uint256) = 86_400  # seconds
UP: constant(int256) = 0

_word: uint256


@internal
@view
def _caution() -> uint256:
    """
    @notice What prices are not good for now. Refuses where there can be none.
    """
    sequencer: words.Sequencer = words.unpack_sequencer(self._word)
    round: aggregators.Round = aggregators._latest(sequencer.feed)
    # A feed that was never started says so by no time.
    if not round.success or round.started_at == 0:
        return words.NO_OPENING
    assert round.answer == UP, "sequencer: down"
    if self._is_in_grace(sequencer, round):
        return words.ONLY_BANKRUPT
    return words.NO_CAUTION


@internal
@view
def _require_no_grace():
    sequencer: words.Sequencer = words.unpack_sequencer(self._word)
    if sequencer.feed == empty(address):
        return
    round: aggregators.Round = aggregators._latest(sequencer.feed)
    assert not (
        round.success and round.answer == UP and self._is_in_grace(sequencer, round)
    ), "sequencer: in grace"


@internal
@view
def _is_set() -> bool:
    return self._word != 0


@internal
@view
def _is_in_grace(sequencer: words.Sequencer, round: aggregators.Round) -> bool:
    return (
        round.started_at > block.timestamp or block.timestamp - round.started_at < sequencer.grace
    )


@internal
def _set(feed: address, grace: uint256):
    if feed == empty(address):
        assert grace == 0, "sequencer: bad grace"
    else:
        assert grace != 0 and grace <= MAX_GRACE, "sequencer: bad grace"
        round: aggregators.Round = aggregators._latest(feed)
        assert round.success, "feed: bad aggregator"
    word: uint256 = words.pack_sequencer(words.Sequencer(feed=feed, grace=grace))
    self._word = word
    log IPriceOracle.SequencerSet(sequencer_word=word)
