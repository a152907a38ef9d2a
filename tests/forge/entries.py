"""Which external functions the handlers drive, as what the suites count them, and why not others.

Functions that only read are not listed. `test_entries.py` compares this with the contracts' ABIs,
`test_forge.py` with what the suites have counted: each call taken and, under its name and
`refused`, refused, unless nothing may refuse it.
"""

SHARE_TOKEN = "snekmate's: moves shares between holders, no money of the exchange"
FEEDS = "how a source's answers become a price: tests/unit; prices here come from two of them"
SETUP = "done once, by `handlers/deployment.vy`"

# What the trespassers of `handlers/rights.vy` try: refused to everybody but whose it is.
TRESPASSED = "trespass"

DRIVEN: dict[str, dict[str, str]] = {
    "Clearinghouse": {
        "add_margin": "add_margin",
        "auto_deleverage": "auto_deleverage",
        "claim_fees": "claim_fees",
        "convert_position": "convert to cross",
        "deposit": "deposit",
        "deposit_margin": "deposit_margin",
        "deposit_with_permit": "deposit_with_permit",
        "end_ramp": "end_ramp",
        "fund_insurance": "fund_insurance",
        "liquidate_cross": "liquidate_cross",
        "liquidate_isolated": "liquidate_isolated",
        "ramp_tiers": "ramp_tiers",
        "remove_margin": "remove_margin",
        "replace_tiers": "replace_tiers",
        "request_insurance": "request_insurance",
        "set_auto_margin": "set_auto_margin",
        "set_default_margin_mode": "set_default_margin_mode",
        "set_guardian": "set_guardian",
        "set_hedge_mode": "set_hedge_mode",
        "set_leverage": "set_leverage",
        "set_status": "set_status",
        "set_terms": "set_terms",
        "settle_positions": "settle_positions",
        "stop_opening": "stop_opening",
        "withdraw": "withdraw",
        "withdraw_insurance": "withdraw_insurance",
    },
    "OrderBook": {
        "approve_builder": "approve_builder",
        "cancel": "cancel another's",
        "cancel_all": "cancel_all",
        "cancel_nonces": "cancel_nonces",
        "cancel_orders": "cancel_orders",
        "execute": "execute",
        "execute_orders": "execute_orders",
        "place": "place",
        "place_bracket": "place_bracket",
        "place_bracket_with_signature": "place_bracket_with_signature",
        "place_with_signature": "place_with_signature",
        "ratchet": "ratchet",
        "replace": "replace",
        "set_operator": "set_operator",
        "set_order_terms": "set_order_terms",
        "set_referral_share": "set_referral_share",
        "set_referrer": "set_referrer",
    },
    "LiquidityPool": {
        "deposit": "add_liquidity",
        "fix": "fix_exit",
        "lapse": "lapse",
        "mint": "mint",
        "redeem": "redeem",
        "requestRedeem": "request_exit",
        "setOperator": "let claim",
        "withdraw": "claim",
    },
    "PriceOracle": {
        "announce_settlement": "announce_settlement",
        "cancel_settlement": "cancel_settlement",
        "fix_settlement": "fix_settlement",
        "settle_dead": "settle_dead",
        "update": "update",
    },
}

# Called only in ways that nothing may refuse: batches skip what they can not do.
NEVER_REFUSED = {
    "cancel_nonces",
    "claim",
    "deposit",
    "deposit_margin",
    "execute_orders",
    "fund_insurance",
    "lapse",
    "let claim",
    "liquidate_cross",
    "liquidate_isolated",
    "ratchet",
    "redeem",
    "request_exit",
    "set_auto_margin",
    "set_default_margin_mode",
    "set_guardian",
    "set_status",
    "stop_opening",
}

LEFT_OUT: dict[str, dict[str, str]] = {
    "Clearinghouse": {
        "accept_ownership": TRESPASSED,
        "transfer_ownership": TRESPASSED,
        "add_liquidity": TRESPASSED,
        "remove_liquidity": TRESPASSED,
        "advance_epoch": TRESPASSED,
        "escrow_order": TRESPASSED,
        "execute_trade": TRESPASSED,
        "release_escrow": TRESPASSED,
        "list_market": SETUP,
    },
    "OrderBook": {},
    "LiquidityPool": {
        "approve": SHARE_TOKEN,
        "permit": SHARE_TOKEN,
        "transfer": SHARE_TOKEN,
        "transferFrom": SHARE_TOKEN,
    },
    "PriceOracle": {
        "set_check": TRESPASSED,
        "set_chainlink_feed": TRESPASSED,
        "set_published_feed": TRESPASSED,
        "set_publisher": TRESPASSED,
        "set_pyth_feed": TRESPASSED,
        "set_sequencer": TRESPASSED,
        "set_signed_feed": TRESPASSED,
        "set_signers": FEEDS,
    },
}

# Whose functions are called at another contract's address, which hands them on.
LOGICS: dict[str, set[str]] = {
    "Clearinghouse": {"AccountLogic", "HouseLogic", "LiquidationLogic", "MarketLogic"},
    "OrderBook": {"OrderLogic"},
    "LiquidityPool": set(),
    "PriceOracle": set(),
}

OUTSIDE: dict[str, str] = {
    "KeeperAccount": "a user of the exchange: it calls what anybody may",
    "Timelock": "an owner of the exchange: it calls what the owner may",
    "Simulator": "runs the exchange's own code in a call that is undone",
    "Lens": "reads; `handlers/keepers.vy` compares what it says with what a liquidation does",
    "OrderLens": "reads, and asks the simulator",
    "RiskLens": "reads",
    "WordLens": "reads",
}
