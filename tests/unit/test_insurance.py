"""Money leaves the insurance fund on notice alone, and never what open positions may need."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Receipt, advance, now, refused
from tests.helpers.doctored import doctor_house
from tests.helpers.feeds import answer, bring, use_aggregator
from tests.helpers.protocol import BTC, ETH, FRICTIONLESS, PLENTY, USD, Protocol

DAY = 86_400
NOTICE = 3 * DAY
WINDOW = 7 * DAY
INSURANCE = 10_000 * USD
LOTS = 10**7  # 0.1 BTC, 5,000 USD
NOBODY = "0x" + "00" * 20


@pytest.fixture(scope="module")
def still() -> Protocol:
    """No impact, no funding: what a market owes moves with its price alone."""
    listed = [replace(market, terms=FRICTIONLESS) for market in (BTC, ETH)]
    return Protocol(*listed)


@pytest.fixture
def calm(still: Protocol) -> Iterator[Protocol]:
    with still.anchored() as protocol:
        yield protocol
        protocol.check_invariants()


def request(protocol: Protocol, amount: int, sender: str | None = None) -> Receipt:
    return protocol.clearinghouse.send(sender or protocol.owner, "request_insurance", amount)


def withdraw(protocol: Protocol, sender: str | None = None) -> Receipt:
    return protocol.clearinghouse.send(
        sender or protocol.owner, "withdraw_insurance", protocol.owner
    )


def announced(protocol: Protocol, amount: int) -> None:
    """A withdrawal whose time has come, at prices just published."""
    request(protocol, amount)
    advance(NOTICE)
    protocol.refresh()


# The notice


def test_a_withdrawal_is_announced(protocol: Protocol) -> None:
    event = request(protocol, 5 * USD).event("InsuranceRequested")
    assert (event.amount, event.claimable_at) == (5 * USD, now() + NOTICE)
    assert protocol.clearinghouse.read("insurance_request") == (5 * USD, now() + NOTICE)
    assert protocol.house().insurance == INSURANCE


def test_only_the_owner_takes_from_the_fund(
    protocol: Protocol, guardian: str, attacker: str
) -> None:
    announced(protocol, USD)
    for sender in (guardian, attacker, protocol.liquidity_provider):
        with refused("ownable: caller is not the owner"):
            request(protocol, USD, sender)
        with refused("ownable: caller is not the owner"):
            withdraw(protocol, sender)


@pytest.mark.parametrize("amount", [INSURANCE + 1, 2**256 - 1])
def test_more_than_there_is_can_not_be_announced(protocol: Protocol, amount: int) -> None:
    with refused("insurance: too little"):
        request(protocol, amount)
    request(protocol, INSURANCE)


def test_an_announcement_is_withdrawn_by_zero(protocol: Protocol) -> None:
    request(protocol, USD)
    event = request(protocol, 0).event("InsuranceRequested")
    assert (event.amount, event.claimable_at) == (0, 0)
    advance(NOTICE)
    with refused("insurance: none requested"):
        withdraw(protocol)


def test_a_later_announcement_replaces_an_earlier_one_and_begins_anew(protocol: Protocol) -> None:
    request(protocol, USD)
    advance(NOTICE - 1)
    request(protocol, 2 * USD)
    advance(NOTICE - 1)
    with refused("insurance: too early"):
        withdraw(protocol)
    advance(1)
    assert withdraw(protocol).event("InsuranceWithdrawn").amount == 2 * USD


def test_it_is_withdrawn_from_three_days_to_ten_days_after(protocol: Protocol) -> None:
    with refused("insurance: none requested"):
        withdraw(protocol)
    request(protocol, USD)
    advance(NOTICE - 1)
    with refused("insurance: too early"):
        withdraw(protocol)
    advance(1)
    with protocol.anchored():
        withdraw(protocol)
    advance(WINDOW)
    with protocol.anchored():
        withdraw(protocol)
    advance(1)
    with refused("insurance: lapsed"):
        withdraw(protocol)


def test_a_withdrawal_pays_once(protocol: Protocol, attacker: str) -> None:
    announced(protocol, 1_234 * USD)
    before = protocol.balance(attacker)
    receipt = protocol.clearinghouse.send(protocol.owner, "withdraw_insurance", attacker)
    event = receipt.event("InsuranceWithdrawn")
    assert (event.receiver, event.amount) == (attacker, 1_234 * USD)
    assert event.house_word == protocol.clearinghouse.read("house_word")
    assert protocol.balance(attacker) == before + 1_234 * USD
    assert protocol.house().insurance == INSURANCE - 1_234 * USD
    assert protocol.clearinghouse.read("insurance_request") == (0, 0)
    with refused("insurance: none requested"):
        withdraw(protocol)


@pytest.mark.parametrize("to_itself", [True, False])
def test_the_fund_never_goes_where_it_would_be_lost(protocol: Protocol, to_itself: bool) -> None:
    announced(protocol, USD)
    receiver = protocol.clearinghouse.address if to_itself else NOBODY
    with refused("receiver: bad address"):
        protocol.clearinghouse.send(protocol.owner, "withdraw_insurance", receiver)


# How much


def test_what_was_not_announced_stays(protocol: Protocol, attacker: str) -> None:
    announced(protocol, INSURANCE)
    protocol.clearinghouse.send(attacker, "fund_insurance", 500 * USD)
    assert withdraw(protocol).event("InsuranceWithdrawn").amount == INSURANCE
    assert protocol.house().insurance == 500 * USD


def test_what_liquidations_have_used_is_gone(protocol: Protocol) -> None:
    announced(protocol, INSURANCE)
    house = protocol.house()
    doctor_house(protocol, insurance=3 * USD, pool_cash=house.pool_cash + INSURANCE - 3 * USD)
    assert withdraw(protocol).event("InsuranceWithdrawn").amount == 3 * USD


def test_an_empty_fund_pays_nothing(protocol: Protocol) -> None:
    announced(protocol, INSURANCE)
    house = protocol.house()
    doctor_house(protocol, insurance=0, pool_cash=house.pool_cash + INSURANCE)
    with refused("amount: zero"):
        withdraw(protocol)


@pytest.mark.parametrize("longs_are_larger", [True, False])
def test_a_penalty_on_the_larger_side_of_every_market_stays(
    calm: Protocol, trader: str, longs_are_larger: bool
) -> None:
    """7,500 USD in one market, 2,500.01 in the other, of the 10,000 there are."""
    holder, other = calm.actor("holder"), calm.actor("other")
    for account in (holder, other):
        calm.deposit(account, PLENTY)
    calm.trade(holder, 0, 6 * 10**9, is_buy=longs_are_larger)
    calm.trade(other, 0, 2 * 10**9, is_buy=not longs_are_larger)
    calm.trade(holder, 1, 40 * 10**7, is_buy=not longs_are_larger)
    calm.clearinghouse.send(calm.owner, "fund_insurance", 251 * USD)
    need = 7_500 * USD + 250 * USD
    free = INSURANCE + 251 * USD - need
    announced(calm, free + 1)
    with calm.anchored(), refused("insurance: too little"):
        withdraw(calm)
    announced(calm, free)
    withdraw(calm)
    assert calm.house().insurance == need


def test_the_need_is_rounded_up(calm: Protocol, trader: str) -> None:
    calm.deposit(trader, 1_000 * USD)
    calm.trade(trader, 0, 20_001)  # 10.0005 USD, a penalty of 25,001.25 quote units
    announced(calm, INSURANCE - 25_001)
    with refused("insurance: too little"):
        withdraw(calm)
    announced(calm, INSURANCE - 25_002)
    withdraw(calm)


# At which prices


def test_every_market_with_open_interest_needs_a_firm_price(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS)
    request(protocol, USD)
    advance(NOTICE)
    with refused("price: not firm"):
        withdraw(protocol)
    protocol.push_price(0, 50_000)
    for caution in (words.NO_OPENING, words.ONLY_BANKRUPT):
        with protocol.anchored():
            protocol.requote(0, caution=caution)
            with refused("price: not firm"):
                withdraw(protocol)
    advance(60)
    with protocol.anchored():
        withdraw(protocol)
    advance(1)
    with refused("price: not firm"):
        withdraw(protocol)


def test_a_round_that_nobody_has_taken_keeps_the_fund_shut(protocol: Protocol, trader: str) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS)
    request(protocol, USD)
    advance(NOTICE)
    protocol.push_price(0, 50_000)
    source = use_aggregator(protocol, 0)
    advance(1)
    answer(protocol, source, 50_000)
    with refused("price: not firm"):
        withdraw(protocol)
    bring(protocol, 0)
    withdraw(protocol)


def test_nothing_is_withdrawn_while_a_market_settles_and_then_again(
    protocol: Protocol, trader: str
) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS)
    announced(protocol, USD)
    hour = now() // 3_600
    with protocol.anchored():
        protocol.requote(0, settles_at=hour)
        with refused("price: not firm"):
            withdraw(protocol)
        protocol.requote(0, kind=words.SETTLED)
        withdraw(protocol)
    protocol.requote(0, settles_at=hour + 1)
    withdraw(protocol)


# While nobody is short


def test_nothing_is_withdrawn_while_the_pool_is_short_of_cash(protocol: Protocol) -> None:
    announced(protocol, USD)
    house = protocol.house()
    with protocol.anchored():
        doctor_house(protocol, pool_cash=-1, fees=house.pool_cash + 1)
        with refused("pool: short of cash"):
            withdraw(protocol)
    doctor_house(protocol, pool_cash=0, fees=house.pool_cash)
    withdraw(protocol)


def test_nothing_is_withdrawn_while_a_market_owes_above_its_share(
    calm: Protocol, trader: str
) -> None:
    """A long of 500,000 USD that has won 50,000; a fifth of the pool backs its market."""
    calm.deposit(trader, PLENTY)
    calm.trade(trader, 0, 10**9)
    announced(calm, USD)
    calm.push_price(0, 55_000)
    calm.push_price(1, 2_500)
    house = calm.house()
    owed = -(-calm.value(trader, 0, words.CROSS_LONG) // 10**9)
    for cash, backed in ((5 * owed, True), (5 * owed - 5, False)):
        with calm.anchored():
            doctor_house(calm, pool_cash=cash, fees=house.fees + house.pool_cash - cash)
            if backed:
                withdraw(calm)
            else:
                with refused("pool: owes above its share"):
                    withdraw(calm)


# Tokens


def test_a_coarse_token_leaves_what_it_cannot_pay() -> None:
    protocol = Protocol(token_decimals=2, pool_cash=0, insurance=0)
    protocol.clearinghouse.send(protocol.owner, "fund_insurance", 5)  # 0.05 USD
    request(protocol, 49_999)
    advance(NOTICE)
    before = protocol.balance(protocol.owner)
    assert withdraw(protocol).event("InsuranceWithdrawn").amount == 40_000
    assert protocol.balance(protocol.owner) == before + 4
    assert protocol.house().insurance == 10_000
