# pragma version 0.4.3
"""
@title Liquidation
@license MIT
@notice What the liquidations of both margin modes share: a batch pays the one who sends it, and each
        close a penalty, which shrinks rather than cause a deficit. A deficit is paid by insurance, then
        by the pool, never by another position, account or vault.
"""

from ..interfaces import ILiquidation
from ..lib import liquidation_math
from ..lib import words
from . import ledger

uses: ledger


struct Batch:
    liquidator: address
    house: words.House
    rewards: uint256  # quote
    count: uint256  # vaults or accounts


struct Cut:
    account: address
    slot: uint256
    size: uint256  # lots taken off
    position: words.Position  # before
    left: words.Position
    realised: int256  # quote, what the pool owes for what is taken off
    penalty: uint256  # quote
    reward: uint256  # quote, the liquidator's, out of penalty and insurance
    deficit: uint256  # quote, what a vault lost beyond its margin


@internal
@view
def _open_batch(liquidator: address) -> Batch:
    return Batch(liquidator=liquidator, house=ledger._load_house(), rewards=0, count=0)


@internal
def _shut_batch(batch: Batch) -> uint256:
    """
    @notice Stores the house and pays the liquidator.
    @return How many vaults or accounts were liquidated.
    """
    if batch.count != 0:
        house_word: uint256 = ledger._store_house(batch.house)
        ledger._pay(batch.liquidator, batch.rewards)
        log ILiquidation.LiquidatorPaid(
            liquidator=batch.liquidator, amount=batch.rewards, house_word=house_word
        )
    return batch.count


@internal
@pure
def _charge(
    house: words.House, equity: int256, notional: uint256, terms: words.LiquidationTerms
) -> (words.House, uint256, uint256):
    """
    @notice Draws a penalty on equity and shares it: the keeper's reward, to which insurance may add, and
            insurance's part.
    @param equity Quote.
    @param notional Of what is closed, femto.
    @return The house, the penalty, and the reward, which is still to be paid.
    """
    after: words.House = house
    penalty: uint256 = 0
    reward: uint256 = 0
    top_up: uint256 = 0
    penalty, reward, top_up = liquidation_math.split_penalty(equity, notional, terms)
    after.insurance += penalty - reward
    top_up = min(top_up, after.insurance)
    after.insurance -= top_up
    return after, penalty, reward + top_up


@internal
def _record(cut: Cut, market: uint256, price: uint256, liquidator: address, account_word: uint256):
    """
    @notice Stores what is left of a position.
    """
    position_word: uint256 = ledger._store_position(
        words.position_id(cut.account, market, cut.slot), cut.left
    )
    log ILiquidation.PositionLiquidated(
        account=cut.account,
        market=market,
        liquidator=liquidator,
        slot=cut.slot,
        size=cut.size,
        price=price,
        realised=cut.realised,
        penalty=cut.penalty,
        reward=cut.reward,
        deficit=cut.deficit,
        position_word=position_word,
        account_word=account_word,
    )
