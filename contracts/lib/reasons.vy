# pragma version 0.4.3
"""
@title Reasons
@license MIT
@notice Why an order waits or ends unfilled. A number inside, words in events and reverts.
"""

FILLED: constant(uint256) = 0

# An order waits only for a price, or for a silent or stopped market, or stays as it was because its
# execution failed.
PRICE_EARLY: constant(uint256) = 1
PRICE_STALE: constant(uint256) = 2
PRICE_NOT_FIRM: constant(uint256) = 3
PRICE_NOT_TRIGGERED: constant(uint256) = 4
PRICE_NOT_ACCEPTABLE: constant(uint256) = 5
MARKET_NOT_OPEN: constant(uint256) = 6
MARKET_SETTLING: constant(uint256) = 7
POOL_SHORT: constant(uint256) = 8
ENTRY_PENDING: constant(uint256) = 9
FAILED: constant(uint256) = 10
LAST_TO_WAIT: constant(uint256) = 10

# Anything else ends it.
WRONG_MODE: constant(uint256) = 11
NOT_ALLOWED: constant(uint256) = 12
NOTHING_TO_REDUCE: constant(uint256) = 13
POSITION_ENDED: constant(uint256) = 14
GROUP_DONE: constant(uint256) = 15
BELOW_MINIMUM: constant(uint256) = 16
TOO_LARGE: constant(uint256) = 17
TOO_MANY_LEGS: constant(uint256) = 18
TOO_MANY_VAULTS: constant(uint256) = 19
OPEN_INTEREST_CAP: constant(uint256) = 20
SKEW_CAP: constant(uint256) = 21
RESERVE_CAP: constant(uint256) = 22
FUNDING_SATURATED: constant(uint256) = 23
NOT_WITHDRAWABLE: constant(uint256) = 24
BELOW_INITIAL: constant(uint256) = 25
EXPIRED: constant(uint256) = 26
BY_OWNER: constant(uint256) = 27


@internal
@pure
def must_wait(reason: uint256) -> bool:
    """
    @notice Whether an order with this reason stays pending, instead of ending.
    """
    return reason <= LAST_TO_WAIT


@internal
@pure
def text_of(reason: uint256) -> String[32]:
    """
    @notice The reason in words.
    """
    # First what an ordinary cancellation says, then in order.
    if reason == BY_OWNER:
        return "order: cancelled by owner"
    if reason == PRICE_EARLY:
        return "price: too early"
    if reason == PRICE_STALE:
        return "price: stale"
    if reason == PRICE_NOT_FIRM:
        return "price: not firm"
    if reason == PRICE_NOT_TRIGGERED:
        return "price: not triggered"
    if reason == PRICE_NOT_ACCEPTABLE:
        return "price: not acceptable"
    if reason == MARKET_NOT_OPEN:
        return "market: not open"
    if reason == MARKET_SETTLING:
        return "market: settling"
    if reason == POOL_SHORT:
        return "pool: short of cash"
    if reason == ENTRY_PENDING:
        return "order: entry not filled"
    if reason == FAILED:
        return "order: execution failed"
    if reason == WRONG_MODE:
        return "order: wrong position mode"
    if reason == NOT_ALLOWED:
        return "operator: not allowed"
    if reason == NOTHING_TO_REDUCE:
        return "position: nothing to reduce"
    if reason == POSITION_ENDED:
        return "position: ended"
    if reason == GROUP_DONE:
        return "order: group is done"
    if reason == BELOW_MINIMUM:
        return "size: below minimum"
    if reason == TOO_LARGE:
        return "size: too large"
    if reason == TOO_MANY_LEGS:
        return "account: too many legs"
    if reason == TOO_MANY_VAULTS:
        return "account: too many vaults"
    if reason == OPEN_INTEREST_CAP:
        return "cap: open interest"
    if reason == SKEW_CAP:
        return "cap: skew"
    if reason == RESERVE_CAP:
        return "cap: reserve"
    if reason == FUNDING_SATURATED:
        return "funding: index saturated"
    if reason == NOT_WITHDRAWABLE:
        return "balance: not withdrawable"
    if reason == BELOW_INITIAL:
        return "margin: below initial"
    if reason == EXPIRED:
        return "order: expired"
    return ""
