"""What the liquidations of both margin modes share: `modules/liquidation.vy`.

A batch pays the one who sends it, and each close a penalty, which shrinks rather than cause a
deficit. A deficit is paid by insurance, then by the pool, never by another position, account or
vault.
"""

from dataclasses import dataclass, replace

from bulkhead.protocol import liquidation_math
from bulkhead.protocol.words import House, LiquidationTerms, Position
from bulkhead.simulate.ledger import Ledger
from bulkhead.valuation import CLOSED


@dataclass(slots=True)
class Batch:
    """One call, by one liquidator."""

    liquidator: str
    house: House
    rewards: int = 0  # quote
    count: int = 0  # vaults or accounts


@dataclass(slots=True)
class Cut:
    """What a liquidation takes off a position."""

    account: str
    slot: int
    size: int  # lots taken off
    position: Position  # before
    left: Position = CLOSED
    realised: int = 0  # quote, what the pool owes for what is taken off
    penalty: int = 0  # quote
    reward: int = 0  # quote, the liquidator's, out of penalty and insurance
    deficit: int = 0  # quote, what a vault lost beyond its margin


def shut_batch(ledger: Ledger, batch: Batch) -> int:
    """Stores the house and pays the liquidator.

    Returns:
        How many vaults or accounts were liquidated.
    """
    if batch.count:
        house_word = ledger.store_house(batch.house)
        ledger.pay(batch.liquidator, batch.rewards)
        ledger.log(
            "LiquidatorPaid",
            liquidator=batch.liquidator,
            amount=batch.rewards,
            house_word=house_word,
        )
    return batch.count


def charge(batch: Batch, cut: Cut, equity: int, notional: int, terms: LiquidationTerms) -> None:
    """Draws a penalty on equity and shares it.

    The keeper's reward, to which insurance may add, and insurance's part.

    Args:
        batch: Whose house it is.
        cut: What is charged.
        equity: Quote.
        notional: Of what is closed, femto.
        terms: The market's.
    """
    cut.penalty, reward, top_up = liquidation_math.split_penalty(equity, notional, terms)
    insurance = batch.house.insurance + cut.penalty - reward
    top_up = min(top_up, insurance)
    cut.reward = reward + top_up
    batch.house = replace(
        batch.house,
        insurance=insurance - top_up,
        pool_cash=batch.house.pool_cash - cut.realised,
    )
    batch.rewards += cut.reward


def record(
    ledger: Ledger, cut: Cut, market: int, price: int, liquidator: str, account_word: int
) -> None:
    """Stores what is left of a position."""
    ledger.log(
        "PositionLiquidated",
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
        position_word=ledger.store_position(cut.account, market, cut.slot, cut.left),
        account_word=account_word,
    )
