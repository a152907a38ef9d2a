"""What a keeper can do: jobs, the tasks they find, and the batches that are sent. Pure values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from bulkhead.interfaces import Call


class Job(StrEnum):
    """What a keeper does, the most urgent first. Each can be switched off."""

    UPDATE_PRICES = "update_prices"
    """Brings the oracle a newer price of a feed."""
    LIQUIDATE_ISOLATED = "liquidate_isolated"
    """Reduces or closes isolated positions below maintenance margin."""
    LIQUIDATE_CROSS = "liquidate_cross"
    """Nets, reduces or closes the legs of accounts below maintenance margin."""
    TOP_UP = "top_up"
    """Adds margin to isolated positions whose owners let it: such a liquidation closes nothing."""
    DELEVERAGE = "deleverage"
    """Takes off winners where a market owes more than its share of the pool."""
    SETTLE = "settle"
    """Fixes final prices, and closes what is open in markets that are over."""
    EXECUTE_ORDERS = "execute_orders"
    """Fills orders that the price lets."""
    TRAIL_STOPS = "trail_stops"
    """Shows trailing stops a better price."""
    CLEAR_EXPIRED = "clear_expired"
    """Ends orders that are past their expiry."""
    FIX_REQUESTS = "fix_requests"
    """Turns mature requests of liquidity providers into claims; returns those that have lapsed."""


Intent: TypeAlias = tuple[Job, str]
"""What names a task: while one is on its way, nothing more is sent for it."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do.

    Attributes:
        job: Of which kind.
        key: What it is done to: an order's hash, a position's id, an account, a request, a market.
        account: Whose; empty where it is nobody's.
        market: Where; None for a whole account or the pool.
        needs: The markets whose prices it is done at.
        verb: The contracts' function that does it.
        argument: What that takes for it.
        gas: The most it may take in a batch.
        reward: Quote that it is expected to pay.
        urgency: Femto that are missing to maintenance margin; 0 where nothing is.
        is_debt: Whether what is left is less than nothing, and grows on the pool's account.
    """

    job: Job
    key: str
    account: str
    market: int | None
    needs: tuple[int, ...]
    verb: str
    argument: Any
    gas: int
    reward: int = 0
    urgency: int = 0
    is_debt: bool = False

    @property
    def intent(self) -> Intent:
        """What names it."""
        return self.job, self.key


@dataclass(frozen=True, slots=True)
class Batch:
    """Tasks that go in one transaction.

    Attributes:
        job: Of the first of them.
        tasks: Of one of the contracts' functions, in the order the contract meets them.
        call: What is called.
        gas: The transaction's limit.
    """

    job: Job
    tasks: tuple[Task, ...]
    call: Call
    gas: int
