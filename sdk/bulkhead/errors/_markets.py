"""Reasons that listing, terms and price feeds meet."""

from bulkhead.errors._entry import Entry

MARKETS = {
    "cap: above half maintenance": Entry(
        "side_cap exceeds half the first tier's maintenance rate.",
        "Lower side_cap, so that impact can not be worth a liquidation.",
    ),
    "cap: above insured penalty": Entry(
        "side_cap exceeds insurance's part of the penalty.",
        "Lower side_cap or keeper_share, or raise the penalty.",
    ),
    "cap: skew above side": Entry("skew_cap exceeds side_cap.", "Lower skew_cap."),
    "check: bad confidence": Entry(
        "max_confidence is at most 100,000 ppm.", "Lower it; zero is the default."
    ),
    "check: bad deviation": Entry(
        "max_deviation of a second source is above 0 and below 100 %.", "Change it."
    ),
    "fee: above insured penalty": Entry(
        "taker_fee exceeds insurance's part of the penalty.",
        "Lower taker_fee or keeper_share, or raise the penalty.",
    ),
    "fee: maker above taker": Entry("maker_fee exceeds taker_fee.", "Lower maker_fee."),
    "fee: shares above all of it": Entry(
        "Insurance's and treasury's shares of the fee exceed all of it.", "Lower the shares."
    ),
    "fee: too high": Entry("taker_fee is at most 1 %.", "Lower taker_fee."),
    "feed: bad aggregator": Entry(
        "No aggregator answers at the address.",
        "Check the address and the chain.",
    ),
    "feed: bad contract": Entry("No contract is at the address.", "Check address and chain."),
    "feed: bad decimals": Entry(
        "The aggregator answers with more than 18 decimals.", "Use another feed."
    ),
    "feed: bad exponent": Entry(
        "Pyth's price has an exponent outside -18 to 0.", "Use another feed."
    ),
    "feed: bad max age": Entry(
        "max_age is at least trade_age and below 2**20 seconds.", "Change max_age."
    ),
    "feed: bad trade age": Entry("trade_age is 1 to 65,535 seconds.", "Change trade_age."),
    "feed: bad update": Entry(
        "The Pyth contract refused the updates, or names no fee for them.",
        "Fetch updates for this chain again and encode them with bulkhead.prices.pyth_updates.",
    ),
    "feed: no answer": Entry(
        "The feed's source did not answer.", "Try again when the feed is back.", True
    ),
    "feed: none": Entry("The market has no feed.", "The owner sets a feed first."),
    "feed: not dead": Entry(
        "The feed has not been silent for seven days beyond max_age, or has a price to be brought.",
        "Bring a price, or wait.",
        True,
    ),
    "feed: silent": Entry(
        "Another max_age would change for how long the market's clock has stood still.",
        "Bring a newer price first, or keep max_age.",
        True,
    ),
    "funding: index out of range": Entry(
        "Ten years at the maximum rate would leave the index's range.",
        "Use a smaller lot or a lower max_funding_rate.",
    ),
    "funding: rate too high": Entry(
        "max_funding_rate is at most 50 % a day.", "Lower max_funding_rate."
    ),
    "funding: velocity too high": Entry(
        "The drift at a full side would not fit its word.", "Lower funding_velocity."
    ),
    "keeper: bad share": Entry("keeper_share is at most 100 %.", "Lower keeper_share."),
    "keeper: cap too high": Entry("keeper_cap is below 2**40 quote units.", "Lower keeper_cap."),
    "keeper: fee too high": Entry("An order's keeper fee is at most 10 USD.", "Lower the fee."),
    "keeper: floor above cap": Entry("keeper_floor exceeds keeper_cap.", "Lower keeper_floor."),
    "keeper: floor above penalty": Entry(
        "keeper_floor exceeds the penalty of the smallest position.",
        "Lower keeper_floor, or raise min_notional or the penalty.",
    ),
    "liquidation: bad buffer": Entry("buffer is at most 100 %.", "Lower buffer."),
    "liquidation: bad threshold": Entry(
        "partial_above does not fit its word.", "Lower partial_above."
    ),
    "liquidation: buffer too small": Entry(
        "(1 + buffer) * maintenance does not exceed twice the penalty.",
        "Raise buffer or lower the penalty.",
    ),
    "lot: out of range": Entry(
        "At its price one lot is worth 0.0001 to 1 USD.", "Choose another lot size."
    ),
    "lot: size is fixed": Entry(
        "The lot size of a listed market never changes.", "Give a later feed the same lot size."
    ),
    "market: settled": Entry("The market is over, and its price final.", "Settle what is open."),
    "market: settling": Entry(
        "The market is over, or in the hour that its last price is the average of.",
        "Wait until it is settled; then anyone settles what is open.",
    ),
    "market: too many": Entry("There are at most 1,024 markets.", "None can be listed."),
    "market: unknown": Entry("No market has this id or symbol.", "Look at the list of markets."),
    "order: bad delay": Entry("The delay is 1 to 600 seconds.", "Change the delay."),
    "order: bad window": Entry("The window is 10 to 65,535 seconds.", "Change the window."),
    "payload: bad length": Entry(
        "A published price is 64 bytes, a signed one has up to 8 signatures of 65 bytes more.",
        "Build it with bulkhead.prices.",
    ),
    "penalty: above half maintenance": Entry(
        "The penalty exceeds half the first tier's maintenance rate.", "Lower the penalty."
    ),
    "penalty: too high": Entry("The penalty is at most 100 %.", "Lower the penalty."),
    "pool: bad reserve": Entry("reserve_rate is above 0 and at most 100 %.", "Change it."),
    "pool: bad share": Entry("pool_share is at most 100 %.", "Lower pool_share."),
    "pool: shares above 90 percent": Entry(
        "All markets' shares of the pool sum to at most 90 %.", "Lower pool_share."
    ),
    "price: at the feed's bound": Entry(
        "The aggregator has reached a bound of its own, and no longer says the price.",
        "Wait until it leaves the bound, or use another feed.",
        True,
    ),
    "price: from the future": Entry(
        "The price's time is after the block's.", "Take the time from the chain's latest block."
    ),
    "price: negative": Entry("The aggregator answered below zero.", "Use another feed."),
    "price: none": Entry("The market has never had a price.", "Bring its first price."),
    "price: older than the last": Entry("A later price is already there.", "Bring a newer price."),
    "price: too uncertain": Entry(
        "The price's confidence interval is wider than the market takes.",
        "Wait for a more certain price.",
        True,
    ),
    "price: zero": Entry(
        "The price is zero, or less than one femto USD per lot.", "Bring a price above zero."
    ),
    "publisher: not allowed": Entry(
        "The caller may not publish prices.", "The owner calls set_publisher."
    ),
    "refund: not taken": Entry(
        "The caller does not take back what it sent beyond the fee.",
        "Send exactly the fee, or from an account that takes ether.",
    ),
    "sequencer: bad grace": Entry(
        "The grace is 1 to 86,400 seconds, and 0 where there is no sequencer.", "Change it."
    ),
    "sequencer: down": Entry(
        "The chain's sequencer is down: no price is taken.", "Wait until it is up again.", True
    ),
    "sequencer: in grace": Entry(
        "The chain's sequencer has only just returned: nothing counts as dead.",
        "Wait for the end of the grace.",
        True,
    ),
    "settlement: announced already": Entry(
        "The market's settlement is announced.", "Cancel it before its hour begins."
    ),
    "settlement: bad hour": Entry(
        "An hour since 1970 is below 2**20.", "Name the hour, not the second."
    ),
    "settlement: no price yet": Entry(
        "The settlement's hour saw no price, and three days have not passed since.",
        "Bring a price, or wait.",
        True,
    ),
    "settlement: none": Entry("No settlement is announced.", "The owner announces one."),
    "settlement: not over": Entry("The settlement's hour is not over.", "Wait for its end.", True),
    "settlement: too soon": Entry(
        "A settlement's hour begins at least a day from now.", "Name a later hour."
    ),
    "signer: bad threshold": Entry(
        "The threshold is 1 to 8, and not above the number of signers.", "Change it."
    ),
    "signer: not allowed": Entry(
        "A signature is of nobody who signs this feed, or of another price, market or chain.",
        "Sign exactly what is sent, with keys the oracle knows.",
    ),
    "signer: not ascending": Entry(
        "Signers and signatures are in the order of the signers' addresses, each once.",
        "Sort them.",
    ),
    "signer: too few": Entry(
        "Fewer signatures than the oracle's threshold.", "Collect more signatures."
    ),
    "size: bad minimum": Entry("min_notional is 1 to 65,535 USD.", "Change min_notional."),
    "skew: bad scale": Entry(
        "skew_scale is above 0 and fits 56 bits of lots.", "Change skew_scale."
    ),
    "skew: scale fixed while open": Entry(
        "With positions open skew_scale stays: they are to get back the impact they paid.",
        "Keep skew_scale, or change it while the market is empty.",
    ),
    "status: unknown": Entry("Statuses are 0 open and 1 reduce-only.", "Use one of them."),
    "symbol: empty": Entry("A market has a symbol.", "Name one of 1 to 16 characters."),
    "symbol: taken": Entry("Another market has this symbol.", "Choose another symbol."),
    "tier: bad duration": Entry(
        "A ramp takes one to ninety days.", "Choose another duration, in seconds."
    ),
    "tier: bad floor": Entry(
        "The first floor is zero, the others rise, the second fits 16 bits of thousand USD.",
        "Change the floors.",
    ),
    "tier: bad rate": Entry(
        "A maintenance rate is zero, or an initial rate above 100 %.", "Change the rates."
    ),
    "tier: fixed while open": Entry(
        "Tiers are replaced at once only where no position is open.", "Ramp them instead."
    ),
    "tier: floors are fixed": Entry(
        "A ramp moves rates: number and floors of the tiers stay as they are.",
        "Keep the floors.",
    ),
    "tier: initial below 1.5 times": Entry(
        "An initial rate is less than 1.5 times its maintenance rate.", "Raise the initial rate."
    ),
    "tier: no ramp": Entry("The market's tiers are on no ramp.", "There is nothing to end."),
    "tier: none": Entry("A market has at least one tier.", "Name one to eight tiers."),
    "tier: ramp under way": Entry(
        "The tiers are still on their way from older rates.", "Wait until the ramp has ended.", True
    ),
    "tier: rates must rise": Entry("A tier's rate is below the one before.", "Order the rates."),
    "value: below the fee": Entry(
        "Less ether was sent than Pyth asks for the updates.", "Send at least getUpdateFee."
    ),
}
