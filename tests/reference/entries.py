"""Which external functions the walk drives, and why it does not drive the others.

Functions that only read are not listed. `test_entries.py` compares this with the contracts.
"""

ACCESS = "who may call is tests/unit/test_roles.py's; nothing of the model depends on it"
FEEDS = "how a source is asked is the oracle's: tests/unit/test_*_feed.py and test_sequencer.py"
INNER = "other contracts' of the exchange alone: driven through them"

DRIVEN: dict[str, set[str]] = {
    "Clearinghouse": {
        "add_margin",
        "auto_deleverage",
        "claim_fees",
        "convert_position",
        "deposit",
        "deposit_margin",
        "deposit_with_permit",
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
        "place_bracket_with_signature",
        "place_with_signature",
        "ratchet",
        "replace",
        "set_operator",
        "set_order_terms",
        "set_referral_share",
        "set_referrer",
    },
    "LiquidityPool": {
        "approve",
        "deposit",
        "fix",
        "lapse",
        "mint",
        "permit",
        "redeem",
        "requestRedeem",
        "setOperator",
        "transfer",
        "transferFrom",
        "withdraw",
    },
    "PriceOracle": {
        "announce_settlement",
        "cancel_settlement",
        "fix_settlement",
        "set_check",
        "set_published_feed",
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
        "list_market": "the world's markets are listed before the walk begins",
    },
    "OrderBook": {},
    "LiquidityPool": {},
    "PriceOracle": {
        "set_chainlink_feed": FEEDS,
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
