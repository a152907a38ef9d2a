"""Which external functions the walk drives, and why it does not drive the others.

Functions that only read are not listed. `test_entries.py` compares this with the contracts.
"""

ACCESS = "who may call is tests/unit/test_roles.py's; nothing of the model depends on it"
SHARE_TOKEN = "snekmate's: moves shares between holders, no money of the exchange"
FEEDS = "how a source's answers become a price is outside the model, which begins at the price"
INNER = "other contracts' of the exchange alone: driven through them"

DRIVEN: dict[str, set[str]] = {
    "Clearinghouse": {
        "add_margin",
        "auto_deleverage",
        "claim_fees",
        "convert_position",
        "deposit",
        "deposit_margin",
        "end_ramp",
        "fund_insurance",
        "liquidate_cross",
        "liquidate_isolated",
        "ramp_tiers",
        "remove_margin",
        "replace_tiers",
        "request_insurance",
        "set_auto_margin",
        "settle_positions",
        "set_default_margin_mode",
        "set_hedge_mode",
        "set_leverage",
        "set_status",
        "set_terms",
        "stop_opening",
        "withdraw",
        "withdraw_insurance",
    },
    "OrderBook": {
        "approve_builder",
        "cancel",
        "cancel_all",
        "cancel_nonces",
        "cancel_orders",
        "execute",
        "execute_orders",
        "place",
        "place_bracket",
        "place_with_signature",
        "ratchet",
        "replace",
        "set_operator",
        "set_referral_share",
        "set_referrer",
    },
    "LiquidityPool": {"deposit", "fix", "lapse", "mint", "redeem", "requestRedeem"},
    "PriceOracle": {
        "announce_settlement",
        "cancel_settlement",
        "fix_settlement",
        "settle_dead",
        "update",
    },
}

LEFT_OUT: dict[str, dict[str, str]] = {
    "Clearinghouse": {
        "accept_ownership": ACCESS,
        "transfer_ownership": ACCESS,
        "set_guardian": ACCESS,
        "add_liquidity": INNER,
        "remove_liquidity": INNER,
        "advance_epoch": INNER,
        "escrow_order": INNER,
        "execute_trade": INNER,
        "release_escrow": INNER,
        "deposit_with_permit": "a deposit, once the permit stands: the token's affair",
        "list_market": "the world's markets are listed before the walk begins",
    },
    "OrderBook": {
        "place_bracket_with_signature": "place_bracket and a signature, each of which is driven",
        "set_order_terms": "an order keeps the fee and the delay it was placed at",
    },
    "LiquidityPool": {
        "approve": SHARE_TOKEN,
        "permit": SHARE_TOKEN,
        "transfer": SHARE_TOKEN,
        "transferFrom": SHARE_TOKEN,
        "setOperator": ACCESS,
        "withdraw": "redeem by assets: tests/unit/test_liquidity_pool.py, exact to the last unit",
    },
    "PriceOracle": {
        "set_chainlink_feed": FEEDS,
        "set_check": FEEDS,
        "set_published_feed": FEEDS,
        "set_publisher": FEEDS,
        "set_pyth_feed": FEEDS,
        "set_sequencer": FEEDS,
        "set_signed_feed": FEEDS,
        "set_signers": FEEDS,
    },
}

OUTSIDE: dict[str, str] = {
    "KeeperAccount": "a user of the exchange: it calls what anybody may",
    "Timelock": "an owner of the exchange: it calls what the owner may",
    "Simulator": "runs the exchange's own code in a call that is undone",
    "Lens": "reads",
    "OrderLens": "reads, and asks the simulator",
    "RiskLens": "reads",
    "WordLens": "reads",
}
