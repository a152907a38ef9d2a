"""Front-ends: what they may charge, and with whom they share it."""

from typing import Any

import pytest

from bulkhead.protocol import market_math
from bulkhead.protocol.words import CROSS_LONG
from tests.helpers.chain import refused
from tests.helpers.protocol import EXECUTED, NOBODY, USD, Order, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD
RATE = 1_000  # ppm
FEE = 5 * USD  # of 5,000 USD


@pytest.fixture
def builder(protocol: Protocol) -> str:
    return protocol.actor("builder")


@pytest.fixture
def referrer(protocol: Protocol) -> str:
    return protocol.actor("referrer")


@pytest.fixture
def funded(protocol: Protocol, trader: str, builder: str) -> Protocol:
    protocol.deposit(trader, 10_000 * USD)
    protocol.book.send(trader, "approve_builder", builder, RATE)
    return protocol


def built(protocol: Protocol, builder: str, **fields: Any) -> Order:
    known = {"builder": builder, "builder_fee": RATE}
    return protocol.place(protocol.trader, 0, LOTS, **known | fields)


def test_the_fee_goes_to_the_builders_cash(funded: Protocol, trader: str, builder: str) -> None:
    receipt = funded.fill(built(funded, builder))
    event = receipt.event("BuilderPaid")
    assert (event.builder, event.builder_fee) == (builder, FEE)
    assert (event.referrer, event.referral) == (NOBODY, 0)
    assert market_math.builder_fee(LOTS, funded.price(0).price, RATE) == FEE
    assert funded.cash(builder) == FEE
    funded.withdraw(builder, FEE)
    funded.check_invariants()


def test_a_flip_pays_for_both_parts(funded: Protocol, trader: str, builder: str) -> None:
    funded.trade(trader, 0, LOTS // 2, is_buy=False)
    assert funded.fill(built(funded, builder)).event("BuilderPaid").builder_fee == FEE
    assert funded.cash(builder) == FEE
    funded.check_invariants()


def test_an_order_without_a_builder_pays_none(funded: Protocol, trader: str) -> None:
    assert not funded.trade(trader, 0, LOTS).named("BuilderPaid")


def test_an_order_that_ends_unfilled_pays_none(funded: Protocol, trader: str, builder: str) -> None:
    order = built(funded, builder, reduce_only=True)
    assert funded.fill(order).event("OrderCancelled").reason == "position: nothing to reduce"
    assert funded.cash(builder) == 0


def test_approval_is_up_to_a_fee_and_for_one_builder(
    funded: Protocol, trader: str, builder: str, attacker: str
) -> None:
    event = funded.book.send(trader, "approve_builder", builder, 300).event("BuilderApproved")
    assert (event.account, event.builder, event.max_fee) == (trader, builder, 300)
    assert funded.book.read("max_builder_fee", trader, builder) == 300
    for builder_fee in (299, 300):
        built(funded, builder, builder_fee=builder_fee)
    with refused("builder: fee not approved"):
        built(funded, builder, builder_fee=301)
    with refused("builder: fee not approved"):
        built(funded, attacker, builder_fee=1)
    with refused("builder: fee too high"):
        funded.book.send(trader, "approve_builder", builder, 1_001)


def test_a_revoked_builder_brings_no_more_orders(
    funded: Protocol, trader: str, builder: str
) -> None:
    placed = built(funded, builder)
    funded.book.send(trader, "approve_builder", builder, 0)
    with refused("builder: fee not approved"):
        built(funded, builder)
    assert funded.fill(placed).event("BuilderPaid").builder_fee == FEE


@pytest.mark.parametrize(("named", "fee"), [(True, 0), (False, 1), (False, 2**256 - 1)])
def test_builder_and_fee_are_named_together(
    funded: Protocol, builder: str, named: bool, fee: int
) -> None:
    with refused("builder: bad fee"):
        built(funded, builder if named else NOBODY, builder_fee=fee)


def test_an_operator_pays_approved_builders_alone(
    funded: Protocol, trader: str, builder: str, attacker: str
) -> None:
    funded.set_operator(trader, attacker)
    with refused("builder: fee not approved"):
        built(funded, attacker, placer=attacker)
    built(funded, builder, placer=attacker)


def test_a_child_of_a_bracket_has_its_own_builder(
    funded: Protocol, trader: str, builder: str, attacker: str
) -> None:
    entry = funded.order(trader, 0, LOTS)
    fields = {"trigger_price": funded.femto(0, 48_000), "builder": builder}
    with refused("builder: fee not approved"):
        funded.bracket(entry, funded.exit_of(entry, builder_fee=RATE + 1, **fields))
    entry, stop = funded.bracket(entry, funded.exit_of(entry, builder_fee=RATE, **fields))
    funded.fill(entry)
    assert funded.fill(stop, 48_000).event("BuilderPaid").builder_fee == FEE * 48 // 50
    assert funded.position(trader, 0, CROSS_LONG).size == 0
    funded.check_invariants()


# Referrals


def test_a_builder_shares_with_who_referred_its_user(
    funded: Protocol, trader: str, builder: str, referrer: str
) -> None:
    event = funded.book.send(builder, "set_referral_share", 333_333).event("ReferralShareSet")
    assert (event.builder, event.share) == (builder, 333_333)
    event = funded.book.send(trader, "set_referrer", referrer).event("ReferrerSet")
    assert (event.account, event.referrer) == (trader, referrer)
    assert funded.book.read("referral", trader, builder) == (referrer, 333_333)
    event = funded.fill(built(funded, builder)).event("BuilderPaid")
    shared = FEE * 333_333 // 10**6
    assert (event.referrer, event.referral) == (referrer, shared)
    assert (event.builder, event.builder_fee) == (builder, FEE - shared)
    assert (funded.cash(builder), funded.cash(referrer)) == (FEE - shared, shared)
    funded.check_invariants()


def test_without_a_referrer_the_builder_keeps_all(funded: Protocol, builder: str) -> None:
    funded.book.send(builder, "set_referral_share", 10**6)
    assert funded.fill(built(funded, builder)).event("BuilderPaid").builder_fee == FEE
    assert funded.cash(builder) == FEE


def test_a_builder_may_share_all(
    funded: Protocol, trader: str, builder: str, referrer: str
) -> None:
    funded.book.send(builder, "set_referral_share", 10**6)
    funded.book.send(trader, "set_referrer", referrer)
    assert funded.fill(built(funded, builder)).result == EXECUTED
    assert (funded.cash(builder), funded.cash(referrer)) == (0, FEE)
    with refused("referral: share too high"):
        funded.book.send(builder, "set_referral_share", 10**6 + 1)


def test_a_referrer_is_named_once_and_is_another(
    funded: Protocol, trader: str, referrer: str, attacker: str
) -> None:
    for bad in (NOBODY, trader):
        with refused("referral: bad referrer"):
            funded.book.send(trader, "set_referrer", bad)
    funded.book.send(trader, "set_referrer", referrer)
    for other in (attacker, referrer):
        with refused("referral: referrer is set"):
            funded.book.send(trader, "set_referrer", other)
