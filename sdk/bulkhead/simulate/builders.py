"""Who brings orders, and what an account lets them charge for it: `modules/builders.vy`."""

from bulkhead.orders import NOBODY, Order
from bulkhead.protocol.fixed_point import PPM
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger

MAX_BUILDER_FEE = 1_000  # ppm of notional


def approve_builder(ledger: Ledger, account: str, builder: str, max_fee: int) -> None:
    """Lets a builder charge up to a fee, ppm of notional."""
    require(max_fee <= MAX_BUILDER_FEE, "builder: fee too high")
    ledger.put(ledger.state.max_builder_fees, (account, builder), max_fee)
    ledger.log("BuilderApproved", account=account, builder=builder, max_fee=max_fee)


def set_referral_share(ledger: Ledger, builder: str, share: int) -> None:
    """Sets what a builder gives of its fees to its users' referrers, ppm."""
    require(share <= PPM, "referral: share too high")
    ledger.put(ledger.state.referral_shares, builder, share)
    ledger.log("ReferralShareSet", builder=builder, share=share)


def set_referrer(ledger: Ledger, account: str, referrer: str) -> None:
    """Names an account's referrer, once."""
    require(referrer not in (NOBODY, account), "referral: bad referrer")
    require(account not in ledger.state.referrers, "referral: referrer is set")
    ledger.put(ledger.state.referrers, account, referrer)
    ledger.log("ReferrerSet", account=account, referrer=referrer)


def referral_of(ledger: Ledger, order: Order) -> tuple[str, int]:
    """Who gets a share of what an order pays its builder, and how much of it, ppm."""
    referrer = ledger.state.referrers.get(order.account)
    if order.builder == NOBODY or referrer is None:
        return NOBODY, 0
    return referrer, ledger.state.referral_shares.get(order.builder, 0)


def check_fee(ledger: Ledger, order: Order) -> None:
    """An order charges no more than its account allows the builder, and names both or none."""
    if order.builder == NOBODY and order.builder_fee == 0:
        return
    require((order.builder == NOBODY) == (order.builder_fee == 0), "builder: bad fee")
    most = ledger.state.max_builder_fees.get((order.account, order.builder), 0)
    require(order.builder_fee <= most, "builder: fee not approved")
