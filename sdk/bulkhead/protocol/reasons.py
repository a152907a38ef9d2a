"""Why an order waits or ends unfilled: a number inside, words in events and reverts."""

from enum import IntEnum


class Reason(IntEnum):
    """What stands against a fill. Those up to `FAILED` keep an order waiting, others end it."""

    FILLED = 0
    PRICE_EARLY = 1
    PRICE_STALE = 2
    PRICE_NOT_FIRM = 3
    PRICE_NOT_TRIGGERED = 4
    PRICE_NOT_ACCEPTABLE = 5
    MARKET_NOT_OPEN = 6
    MARKET_SETTLING = 7
    POOL_SHORT = 8
    ENTRY_PENDING = 9
    FAILED = 10
    WRONG_MODE = 11
    NOT_ALLOWED = 12
    NOTHING_TO_REDUCE = 13
    POSITION_ENDED = 14
    GROUP_DONE = 15
    BELOW_MINIMUM = 16
    TOO_LARGE = 17
    TOO_MANY_LEGS = 18
    TOO_MANY_VAULTS = 19
    OPEN_INTEREST_CAP = 20
    SKEW_CAP = 21
    RESERVE_CAP = 22
    FUNDING_SATURATED = 23
    NOT_WITHDRAWABLE = 24
    BELOW_INITIAL = 25
    EXPIRED = 26
    BY_OWNER = 27


_TEXTS = {
    Reason.PRICE_EARLY: "price: too early",
    Reason.PRICE_STALE: "price: stale",
    Reason.PRICE_NOT_FIRM: "price: not firm",
    Reason.PRICE_NOT_TRIGGERED: "price: not triggered",
    Reason.PRICE_NOT_ACCEPTABLE: "price: not acceptable",
    Reason.MARKET_NOT_OPEN: "market: not open",
    Reason.MARKET_SETTLING: "market: settling",
    Reason.POOL_SHORT: "pool: short of cash",
    Reason.ENTRY_PENDING: "order: entry not filled",
    Reason.FAILED: "order: execution failed",
    Reason.WRONG_MODE: "order: wrong position mode",
    Reason.NOT_ALLOWED: "operator: not allowed",
    Reason.NOTHING_TO_REDUCE: "position: nothing to reduce",
    Reason.POSITION_ENDED: "position: ended",
    Reason.GROUP_DONE: "order: group is done",
    Reason.BELOW_MINIMUM: "size: below minimum",
    Reason.TOO_LARGE: "size: too large",
    Reason.TOO_MANY_LEGS: "account: too many legs",
    Reason.TOO_MANY_VAULTS: "account: too many vaults",
    Reason.OPEN_INTEREST_CAP: "cap: open interest",
    Reason.SKEW_CAP: "cap: skew",
    Reason.RESERVE_CAP: "cap: reserve",
    Reason.FUNDING_SATURATED: "funding: index saturated",
    Reason.NOT_WITHDRAWABLE: "balance: not withdrawable",
    Reason.BELOW_INITIAL: "margin: below initial",
    Reason.EXPIRED: "order: expired",
    Reason.BY_OWNER: "order: cancelled by owner",
}


def must_wait(reason: int) -> bool:
    """Whether an order with this reason stays pending, instead of ending."""
    return reason <= Reason.FAILED


def text_of(reason: int) -> str:
    """The reason in words; none of what is filled."""
    return _TEXTS.get(Reason(reason), "")
