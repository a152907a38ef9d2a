"""Reasons that accounts and their orders meet."""

from bulkhead.errors._entry import Entry

TRADING = {
    "account: not flat": Entry(
        "The position mode changes only while no position is open anywhere.",
        "Close every position first, in both margin modes.",
    ),
    "account: too many legs": Entry(
        "An account holds at most 32 cross legs, so that one liquidation can close it whole.",
        "Close a cross leg, or open the position isolated.",
    ),
    "account: too many vaults": Entry(
        "An account holds at most 255 isolated positions.", "Close an isolated position."
    ),
    "account: zero": Entry("The account is the zero address.", "Name the account to pay for."),
    "amount: not whole units": Entry(
        "The amount holds a part of a quote unit of 1e-6 USD.",
        "Round the token amount to six decimals.",
    ),
    "amount: too large": Entry(
        "One transfer brings at most 2**62 quote units.", "Check the amount's decimals."
    ),
    "amount: zero": Entry("Nothing would move.", "Name an amount above zero."),
    "balance: below keeper fee": Entry(
        "The account's cash does not cover the keeper's fee of the order.",
        "Deposit, or place a reduce-only order, which escrows nothing.",
    ),
    "balance: not withdrawable": Entry(
        "Cash less unrealised losses and initial margin of the cross legs does not cover it.",
        "Ask for at most `withdrawable`; unrealised profit never leaves the ledger.",
    ),
    "cap: open interest": Entry(
        "The side of the market would exceed its cap.", "Trade less, or wait for closes."
    ),
    "cap: reserve": Entry(
        "The market's share of the pool does not back so large a skew, or so large a side.",
        "Trade less, or wait for liquidity.",
    ),
    "cap: skew": Entry(
        "The trade would grow the market's skew beyond its cap.",
        "Trade less; trades that shrink the skew are always free of this cap.",
    ),
    "funding: index saturated": Entry(
        "The market's funding index reached the end of its range: nothing opens any more.",
        "Close positions; the market needs a successor.",
    ),
    "leverage: out of range": Entry(
        "Leverage is 0 for the account's or market's own, or 1 to about 268.",
        "Name a leverage of at least 1; tiers bound what is usable.",
    ),
    "margin: below initial": Entry(
        "What would be left does not cover initial margin.",
        "Trade less, move less, use lower leverage, or bring margin.",
    ),
    "margin: not for cross": Entry(
        "Only an isolated order moves margin.", "Leave margin at zero in a cross order."
    ),
    "margin: not for reduce-only": Entry(
        "A reduce-only order moves no margin in.", "Leave margin at zero."
    ),
    "margin: too large": Entry("A vault holds at most 2**56 - 1 quote units.", "Move less margin."),
    "market: isolated only": Entry(
        "Markets with an id of 64 or more have no cross slots.", "Place the order isolated."
    ),
    "market: not open": Entry(
        "The market is reduce-only, or all opening is stopped.",
        "Only reduce meanwhile; an order that increases waits.",
        True,
    ),
    "market: within its share": Entry(
        "The market owes its traders no more than its share of pool cash.",
        "Deleverage once it owes more.",
        True,
    ),
    "operator: bad address": Entry(
        "An operator is neither the zero address nor the account itself.",
        "Name another address.",
    ),
    "operator: not allowed": Entry(
        "The caller is neither the account nor an operator whose time runs.",
        "The account calls set_operator with a later expiry.",
    ),
    "order: already placed": Entry(
        "An order with this hash was placed before, whatever became of it.",
        "Use a new salt for a new order; a retry of the same one is already in.",
    ),
    "order: bad expiry": Entry(
        "A market order has its window; it takes no expiry.", "Leave the expiry at zero."
    ),
    "order: bad trigger price": Entry(
        "Stops and take-profits need a trigger price, other orders have none.",
        "Set or clear the trigger price.",
    ),
    "order: cancelled by owner": Entry(
        "The account, or its operator, cancelled the order.", "Nothing: it was asked for."
    ),
    "order: execution failed": Entry(
        "The fill itself reverted, or ran out of gas; the order stayed as it was.",
        "Execute again with more gas, or alone to see the reason.",
        True,
    ),
    "order: expired": Entry(
        "The order's last moment has passed.", "Place a new order with a later expiry."
    ),
    "order: market is binding": Entry(
        "A market order can not be cancelled before its window ends.",
        "Wait until it fills or expires.",
        True,
    ),
    "order: no limit price": Entry(
        "A limit order needs an acceptable price.", "Set acceptable_price."
    ),
    "order: not pending": Entry(
        "No order of this hash waits: it was never placed, or has ended.",
        "Look at what became of it; bring the order exactly as its placement logged it.",
    ),
    "order: unknown kind": Entry(
        "Kinds are 0 market, 1 limit, 2 stop, 3 take-profit.", "Use OrderKind."
    ),
    "order: unknown margin mode": Entry(
        "Margin modes are 0 default, 1 cross, 2 isolated.", "Use MarginMode."
    ),
    "order: unknown side": Entry(
        "Position sides are 0 one-way, 1 long, 2 short.", "Use PositionSide."
    ),
    "order: wrong position mode": Entry(
        "A hedge-mode account's orders name a side; a one-way account's do not.",
        "Set position_side to match the account's mode.",
    ),
    "permit: bad allowance": Entry(
        "The permit is not for exactly this amount, or was spent.",
        "Sign one for the amount; a standing allowance is not taken this way.",
    ),
    "position: other side open": Entry(
        "In one-way mode a margin mode holds one side, and the target holds the other.",
        "Close that side, or trade in hedge mode.",
    ),
    "position: not open": Entry("The slot holds no position.", "Check market, side and mode."),
    "position: nothing to reduce": Entry(
        "The order only reduces, and there was nothing on the other side.",
        "Nothing: the position had been closed.",
    ),
    "pool: short of cash": Entry(
        "Profit is paid out only while pool cash and insurance are not negative together.",
        "Wait; losses of others and deposits refill the pool.",
        True,
    ),
    "price: not acceptable": Entry(
        "The average fill would be worse than the order's acceptable price.",
        "Wait for the price, or place an order that accepts more.",
        True,
    ),
    "price: not live": Entry(
        "A price that is needed is older than its market's heartbeat.",
        "Bring a newer price with PriceOracle.update, then try again.",
        True,
    ),
    "price: not triggered": Entry(
        "The price has not reached the order's trigger.", "Wait for the price.", True
    ),
    "price: stale": Entry(
        "The price is too old to trade, liquidate or move liquidity at, or to be taken; or its "
        "feed has a later round.",
        "Bring a newer price, then try again.",
        True,
    ),
    "price: too early": Entry(
        "No price was published yet at or after the order's commit and delay.",
        "Wait for the next price.",
        True,
    ),
    "price: too large": Entry(
        "A price is at most 2**64 - 1 femto USD per lot.", "Check the price's unit."
    ),
    "receiver: bad address": Entry(
        "Tokens go neither to the zero address nor to the clearinghouse.",
        "Name another receiver.",
    ),
    "size: below minimum": Entry(
        "The position would be worth less than the market's minimum notional.",
        "Trade more; a close of all of it is always possible.",
    ),
    "size: too large": Entry("The order or the position would not fit its word.", "Trade less."),
    "size: zero": Entry(
        "Only a reduce-only order may leave its size open.", "Name a size of at least one lot."
    ),
    "simulation: failed": Entry(
        "The fill itself would revert, without a reason that can be named.",
        "Trade less; check the order's numbers.",
    ),
    "slot: unknown": Entry(
        "Slots are 0 cross long, 1 cross short, 2 isolated long, 3 isolated short.",
        "Use one of them.",
    ),
    "word: out of range": Entry("A number would not fit its storage word.", "Use smaller amounts."),
}
