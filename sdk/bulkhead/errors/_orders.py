"""Reasons that brackets, groups, signed orders, operators and builders meet."""

from bulkhead.errors._entry import Entry

ORDERS = {
    "bracket: child not of its entry": Entry(
        "A child says its entry's account, market, margin mode and side, the other direction, and "
        "is a reduce-only stop, take-profit or trailing stop of size and group 0.",
        "Build it from the entry.",
    ),
    "bracket: entry only reduces": Entry(
        "An entry opens a position; one that only reduces has nothing to protect.",
        "Place a reduce-only order by itself.",
    ),
    "builder: bad fee": Entry(
        "Builder and fee are named together, or neither is.", "Name both, or leave both at zero."
    ),
    "builder: fee not approved": Entry(
        "The account lets this builder charge less.", "The account calls approve_builder first."
    ),
    "builder: fee too high": Entry(
        "A builder may be allowed at most 1,000 ppm of notional.", "Approve a lower fee."
    ),
    "market: settling": Entry(
        "The market is over, or in its settlement window.", "Wait for it to be settled.", True
    ),
    "operator: no price": Entry(
        "The market has no price that an operator's order could be valued at.",
        "Bring a price first.",
        True,
    ),
    "operator: notional spent": Entry(
        "The operator's orders have opened what the account allowed.",
        "The account calls set_operator with more.",
    ),
    "operator: order too small": Entry(
        "An operator's order is worth at least 100 keeper's fees.", "Trade more at once."
    ),
    "operator: unknown permission": Entry(
        "Permissions are the bits 1 open, 2 reduce, 4 cancel, 8 all markets.", "Use their sum."
    ),
    "order: bad callback rate": Entry(
        "A trailing stop has a callback rate of 1 to 500,000 ppm, other orders have none.",
        "Set it where the order trails.",
    ),
    "order: bad group": Entry(
        "A market order binds and is in no group; a group's order is replaced by its placer alone.",
        "Leave the group at zero, or replace from the placer.",
    ),
    "order: bad maximum age": Entry(
        "max_age is 0, or longer than the delay and below 2**32 seconds.", "Change max_age."
    ),
    "order: entry not filled": Entry(
        "The bracket's entry still waits.", "Wait for the entry to fill.", True
    ),
    "order: expires too late": Entry(
        "Orders of this market rest for its max_age at most.", "Name an earlier expiry, or none."
    ),
    "order: group is done": Entry(
        "Another order of its group or bracket has filled, or its entry ended unfilled.",
        "Nothing: it was asked for. A new order takes a new group.",
    ),
    "order: replaces another kind": Entry(
        "A replacement is of the same account, market, margin mode, side, direction and group; one "
        "tied to a position is replaced by a stop, take-profit or trailing stop.",
        "Change price, size or expiry; else cancel and place.",
    ),
    "position: ended": Entry(
        "The position that the order was to close has ended.", "Nothing: it was asked for."
    ),
    "price: not firm": Entry(
        "Opening and moving money need every price fresh and undoubted by its oracle.",
        "Bring newer prices, then try again.",
        True,
    ),
    "referral: bad referrer": Entry(
        "A referrer is neither the zero address nor the account itself.", "Name another."
    ),
    "referral: referrer is set": Entry(
        "An account names its referrer once.", "Nothing can be done."
    ),
    "referral: share too high": Entry("A share is at most 100 %.", "Lower it."),
    "signature: expired": Entry("The signature's deadline has passed.", "Sign again."),
    "signature: nonce is spent": Entry(
        "The signer's nonce was used or cancelled.", "Sign again, with another nonce."
    ),
    "signature: not the signer's": Entry(
        "The order's placer has not signed this, on this chain, for this order book.",
        "Bring order, nonce and deadline exactly as signed.",
    ),
    "wallet: no": Entry("The mock wallet was told to revert.", "Change its mood."),
}
