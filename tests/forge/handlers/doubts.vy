# pragma version 0.4.3
"""
@title Doubts
@license MIT
@notice Prices that their oracle is not sure of: Pyth's come with a confidence, the published one may be
        disputed by a second source. What that changes is checked where it is done: nothing opens at a
        disputed price (`desk`), and who would be healthy at the edge of the confidence that favours him
        is not liquidated, nor, for a while, who has any equity (`keepers`).
"""

from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage

MAX_CONFIDENCE: constant(uint256) = 20_000  # ppm, what the oracle still takes


@external
def set_confidence(seed: bytes32):
    """
    @notice A price that is too uncertain is not taken.
    """
    stage._begin(seed)
    confidence: uint256 = 0
    if stage._chance(60):
        confidence = stage._draw(MAX_CONFIDENCE + 5_000)
    stage._doubt(confidence)
    stage._advance(1)
    if stage._attempt(
        "update",
        stage.KEEPER,
        stage.oracle.address,
        abi_encode(
            stage.PYTH,
            stage._payload(stage.PYTH),
            method_id=method_id("update(uint256,bytes)"),
        ),
    )[0]:
        assert confidence <= MAX_CONFIDENCE, "price: taken though uncertain"
    else:
        # What the payload rounds down the oracle rounds up.
        assert confidence > MAX_CONFIDENCE or stage.is_over[stage.PYTH], (
            "price: refused though certain"
        )
        stage._doubt(MAX_CONFIDENCE)
    books._close(books.NOBODY)


@external
def dispute(seed: bytes32):
    """
    @notice The second source says something else, or nothing any more.
    """
    stage._begin(seed)
    price: uint256 = stage.prices[stage.PUBLISHED] // 10**10
    if stage._chance(35):
        price = price * 2 if stage._chance(50) else price // 2
    if stage._chance(30):
        price = 0
    extcall stage.second_source.set_answer(convert(price, int256), stage.now)
    for _: uint256 in range(2):
        if stage._chance(30):
            stage._advance(900)
        stage._refresh()
    if stage._quoted(stage.PUBLISHED).caution != words.NO_CAUTION:
        stage._count("disputed")
    books._close(books.NOBODY)
