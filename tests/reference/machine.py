"""All actions, each as often as it is to be chosen."""

from collections.abc import Callable, Mapping
from random import Random

from tests.reference.account_actions import AccountActions
from tests.reference.doubt_actions import DoubtActions
from tests.reference.house_actions import HouseActions
from tests.reference.market_actions import MarketActions
from tests.reference.rights_actions import RightsActions
from tests.reference.settlement_actions import SettlementActions
from tests.reference.share_actions import ShareActions
from tests.reference.signing_actions import SigningActions
from tests.reference.sources import World


class Actions(
    SigningActions,
    RightsActions,
    AccountActions,
    ShareActions,
    HouseActions,
    MarketActions,
    SettlementActions,
    DoubtActions,
):
    """Everything that somebody may do."""


WEIGHTS = {
    "trade": 40,
    "place": 10,
    "execute": 12,
    "cancel": 5,
    "cancel_orders": 2,
    "cancel_all": 2,
    "replace": 6,
    "execute_orders": 8,
    "place_bracket": 10,
    "place_group": 5,
    "ratchet": 6,
    "set_operator": 4,
    "approve_builder": 4,
    "set_referral_share": 1,
    "set_referrer": 1,
    "move_price": 15,
    "pass_time": 4,
    "squeeze": 8,
    "deposit": 10,
    "withdraw": 8,
    "liquidate_isolated": 8,
    "liquidate_cross": 8,
    "deposit_margin": 3,
    "add_margin": 4,
    "remove_margin": 5,
    "set_auto_margin": 4,
    "set_leverage": 4,
    "set_default_margin_mode": 2,
    "convert_position": 8,
    "auto_deleverage": 5,
    "set_status": 2,
    "set_hedge_mode": 2,
    "stop_opening": 2,
    "enter": 3,
    "request_redeem": 3,
    "fix": 4,
    "lapse": 1,
    "redeem": 3,
    "place_with_signature": 4,
    "cancel_nonces": 1,
    "withdraw_insurance": 1,
    "fund_insurance": 1,
    "claim_fees": 1,
    "set_terms": 3,
    "ramp_tiers": 3,
    "end_ramp": 2,
    "replace_tiers": 2,
    "contest": 4,
    "rejudge": 4,
    "blur": 4,
    "set_check": 1,
    "deposit_with_permit": 2,
    "place_bracket_with_signature": 2,
    "transfer_shares": 1,
    "approve_shares": 1,
    "permit_shares": 1,
    "transfer_shares_of_another": 1,
    "set_share_operator": 1,
    "withdraw_claim": 2,
    "set_order_terms": 1,
    "set_published_feed": 1,
    "announce_settlement": 2,
    "cancel_settlement": 1,
    "pass_hour": 3,
    "fix_settlement": 4,
    "settle_dead": 1,
    "settle_positions": 4,
}


def kinds_of(actions: Actions, weights: Mapping[str, int] = WEIGHTS) -> list[Callable[[], object]]:
    """Each kind of action as often as it is to be chosen."""
    return [getattr(actions, name) for name, weight in weights.items() for _ in range(weight)]


def run(
    seed: int,
    steps: int,
    protocol: World,
    traders: list[str],
    weights: Mapping[str, int] = WEIGHTS,
) -> Actions:
    """A walk without hypothesis: what a seed says, again and again."""
    with protocol.anchored():
        actions = Actions(protocol, traders, Random(seed))
        kinds = kinds_of(actions, weights)
        while actions.twin.steps < steps:
            kind = actions.random.choice(kinds)
            try:
                kind()
            except AssertionError as error:
                error.add_note(f"seed {seed}, step {actions.twin.steps}: {kind.__name__}")
                raise
        return actions
