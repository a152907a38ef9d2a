"""What a transaction offers, and what takes its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.chain import Fees, GasPrice
from bulkhead.keeper import FlightState, Job, SendingPolicy
from bulkhead.keeper.dispatch.bidding import REPLACEMENT, first_fees, next_bid
from bulkhead.keeper.dispatch.flights import Content, Flight, Version

WEI = st.integers(1, 10**13)


def flight(fees: Fees, *, is_cancel: bool = False, has_work: bool = True) -> Flight:
    version = Version("0x", b"", fees, 1, is_cancel)
    intents = ((Job.SETTLE, "1"),) if has_work else ()
    return Flight(
        1,
        "0x",
        0,
        Job.SETTLE,
        Content("0x", b""),
        1,
        FlightState.SENT,
        1,
        None,
        None,
        intents,
        (version,),
    )


def test_new_work_offers_twice_the_base_fee_and_the_tip() -> None:
    assert first_fees(GasPrice(100, 7), SendingPolicy(max_fee=10**6)) == Fees(207, 7)


def test_a_chain_without_a_base_fee_has_one_price() -> None:
    fees = first_fees(GasPrice(None, 7), SendingPolicy(max_fee=10**6))
    assert fees == Fees(7, None)
    assert fees.fields() == {"gasPrice": 7}
    bid = next_bid(flight(fees), GasPrice(None, 7), SendingPolicy(max_fee=10**6))
    assert bid is not None
    assert bid.fees.tip is None
    assert bid.fees.most >= 8


def test_no_work_is_offered_that_could_not_be_mined() -> None:
    policy = SendingPolicy(max_fee=1_000, bump=25)
    assert policy.work_fee == 799
    assert first_fees(GasPrice(799, 1), policy) == Fees(799, 1)
    assert first_fees(GasPrice(800, 1), policy) is None


@given(WEI, WEI, WEI, st.integers(REPLACEMENT, 300))
def test_the_cap_holds_and_a_cancellation_always_fits_under_it(
    base: int, tip: int, max_fee: int, bump: int
) -> None:
    policy = SendingPolicy(max_fee=max_fee, bump=bump)
    price = GasPrice(base, tip)
    fees = first_fees(price, policy)
    if fees is None:
        return
    seen = [fees]
    is_cancel = False
    while True:
        bid = next_bid(flight(fees, is_cancel=is_cancel), price, policy)
        if bid is None:
            break
        least = fees.raised(REPLACEMENT)
        assert bid.fees.most >= least.most
        assert bid.fees.tip is not None
        assert least.tip is not None
        assert bid.fees.most >= bid.fees.tip >= least.tip
        assert bid.fees.most <= max_fee
        assert bid.is_cancel or bid.fees.most <= policy.work_fee
        assert bid.is_cancel or not is_cancel
        fees, is_cancel = bid.fees, bid.is_cancel
        seen.append(fees)
    assert is_cancel


def test_work_that_others_have_done_is_given_up_at_once() -> None:
    bid = next_bid(
        flight(Fees(100, 1), has_work=False), GasPrice(50, 1), SendingPolicy(max_fee=10**6)
    )
    assert bid is not None
    assert bid.is_cancel


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_fee": 0},
        {"max_fee": 2**63},
        {"bump": 9},
        {"bump": 1_001},
        {"patience_blocks": 0},
        {"confirmations": 0},
        {"in_flight": 0},
    ],
)
def test_a_policy_that_can_not_be_kept_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SendingPolicy(**{"max_fee": 10**9, **wrong})
