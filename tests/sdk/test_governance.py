"""The exchange behind a timelock, driven by the same verbs as one with a plain owner."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from web3 import Web3

from bulkhead import Admin, Reader, Timelock, errors
from bulkhead.chain import Receipt
from bulkhead.deployment import deploy, verify
from bulkhead.governance import MAX_CALL, Proposal
from bulkhead.interfaces import Call, encode_constructor
from bulkhead.listings import BTC, ETH, SOL, TierTerms
from bulkhead.local import advance_time, memory_chain
from bulkhead.protocol import words
from bulkhead.replay import Replay
from bulkhead.world import create
from tests.sdk.world import FEED_DECIMALS, Feed, people

DELAY = 2 * 86_400


@dataclass(frozen=True, slots=True)
class Governed:
    """One market, owned by a timelock whose only proposer was the owner."""

    w3: Web3
    reader: Reader
    timelock: Timelock
    former: Admin

    def propose(self) -> tuple[Admin, Proposal]:
        proposal = self.timelock.proposal()
        return Admin(self.reader, proposal), proposal

    def as_stranger(self) -> Timelock:
        return Timelock(self.reader, people(self.w3)[5])

    def taker_fee(self) -> int:
        return self.reader.market("BTC-PERP").terms.taker_fee

    def carry_out(self, proposal: Proposal, delay: int = DELAY) -> Receipt:
        operation = self.timelock.schedule(proposal, delay)
        advance_time(self.w3, delay)
        return self.as_stranger().execute(operation)


@pytest.fixture(scope="module")
def built() -> Governed:
    w3 = memory_chain()
    deployer, owner, *_ = people(w3)
    reader = Reader(w3, deploy(w3, deployer, owner, timelock_delay=DELAY))
    admin = Admin(reader, owner)
    admin.list_market(BTC)
    timelock = Timelock(reader, owner)
    operation = timelock.take_over(owner)
    assert reader.owner() == owner
    advance_time(w3, DELAY)
    timelock.execute(operation)
    return Governed(w3, reader, timelock, admin)


@pytest.fixture
def governed(built: Governed) -> Iterator[Governed]:
    tester = built.w3.provider.ethereum_tester  # type: ignore[attr-defined]
    snapshot = tester.take_snapshot()
    reader = Reader(built.w3, built.reader.deployment)
    owner = built.former.signer
    assert isinstance(owner, str)
    yield Governed(built.w3, reader, Timelock(reader, owner), Admin(reader, owner))
    tester.revert_to_snapshot(snapshot)


def test_the_timelock_owns_the_exchange_and_nobody_else_has_a_say(governed: Governed) -> None:
    verify(governed.w3, governed.reader.deployment)
    assert governed.reader.owner() == governed.timelock.address
    assert governed.timelock.delay() == DELAY
    deployer, owner, stranger, *_ = people(governed.w3)
    contract = governed.reader.contracts.timelock
    assert contract is not None

    def read(name: str, *arguments: Any) -> Any:
        return governed.reader.chain.read(contract.call(name, *arguments))

    roles = {name: read(f"{name}_ROLE") for name in ("PROPOSER", "CANCELLER", "DEFAULT_ADMIN")}
    held = {
        name: [one for one in (deployer, owner, stranger, contract.address) if has(read, role, one)]
        for name, role in roles.items()
    }
    assert held == {
        "PROPOSER": [owner],
        "CANCELLER": [owner],
        "DEFAULT_ADMIN": [contract.address],
    }


def has(read: Any, role: bytes, account: str) -> bool:
    return bool(read("hasRole", role, account))


def test_a_former_owner_sets_nothing_any_more(governed: Governed) -> None:
    with pytest.raises(errors.OwnableCallerIsNotTheOwner):
        governed.former.set_terms("BTC-PERP", BTC.terms._replace(taker_fee=600))
    with pytest.raises(errors.CallerNotTheOwner):
        governed.former.set_order_terms("BTC-PERP", BTC)
    with pytest.raises(errors.CallerNotTheOwner):
        governed.former.set_publisher(governed.former.address)


def test_a_change_waits_for_its_delay_and_then_anyone_makes_it(governed: Governed) -> None:
    admin, proposal = governed.propose()
    admin.set_terms("BTC-PERP", BTC.terms._replace(taker_fee=600))
    operation = governed.timelock.schedule(proposal)
    ready_at = governed.timelock.ready_at(operation)
    assert ready_at == governed.reader.now() + DELAY
    assert governed.timelock.waiting() == (operation,)
    stranger = governed.as_stranger()
    advance_time(governed.w3, DELAY - 10)
    with pytest.raises(errors.TimelockControllerOperationIsNotReady):
        stranger.execute(operation)
    advance_time(governed.w3, 10)
    governed.former.set_price("BTC-PERP", 100_000)
    stranger.execute(operation)
    assert governed.taker_fee() == 600
    assert governed.timelock.is_done(operation)
    assert governed.timelock.ready_at(operation) is None
    assert governed.timelock.waiting() == ()
    with pytest.raises(errors.TimelockControllerOperationIsNotReady):
        stranger.execute(operation)


def test_a_cancelled_change_never_comes(governed: Governed) -> None:
    admin, proposal = governed.propose()
    admin.set_guardian(people(governed.w3)[6])
    operation = governed.timelock.schedule(proposal)
    with pytest.raises(errors.AccessControlAccountIsMissingRole):
        governed.as_stranger().cancel(operation)
    governed.timelock.cancel(operation)
    assert governed.timelock.ready_at(operation) is None
    advance_time(governed.w3, DELAY)
    with pytest.raises(errors.TimelockControllerOperationIsNotReady):
        governed.timelock.execute(operation)
    with pytest.raises(errors.TimelockControllerOperationCannotBeCancelled):
        governed.timelock.cancel(operation)
    again = governed.timelock.schedule(proposal, salt=operation.salt)
    assert again == operation
    assert governed.timelock.waiting() == (operation,)


def test_only_a_proposer_schedules_and_never_below_the_delay(governed: Governed) -> None:
    admin, proposal = governed.propose()
    admin.stop_opening(False)
    with pytest.raises(errors.AccessControlAccountIsMissingRole):
        governed.as_stranger().schedule(proposal)
    with pytest.raises(errors.TimelockControllerInsufficientDelay):
        governed.timelock.schedule(proposal, DELAY - 1)
    operation = governed.timelock.schedule(proposal, DELAY + 100)
    assert governed.timelock.ready_at(operation) == governed.reader.now() + DELAY + 100
    with pytest.raises(errors.TimelockControllerOperationAlreadyScheduled):
        governed.timelock.schedule(proposal, salt=operation.salt)


def test_an_operation_is_made_whole_or_not_at_all(governed: Governed) -> None:
    admin, proposal = governed.propose()
    admin.set_guardian(people(governed.w3)[6])
    admin.set_terms("BTC-PERP", BTC.terms._replace(taker_fee=20_000))
    operation = governed.timelock.schedule(proposal)
    advance_time(governed.w3, DELAY)
    governed.former.set_price("BTC-PERP", 100_000)
    with pytest.raises(errors.FeeTooHigh):
        governed.timelock.execute(operation)
    guardian = governed.reader.contracts.clearinghouse.call("guardian")
    assert int(governed.reader.chain.read(guardian), 16) == 0
    assert governed.timelock.ready_at(operation) is not None


def test_an_operation_may_wait_for_another(governed: Governed) -> None:
    admin, first = governed.propose()
    admin.stop_opening()
    admin, second = governed.propose()
    admin.stop_opening(False)
    before = governed.timelock.schedule(first)
    after = governed.timelock.schedule(second, after=before)
    advance_time(governed.w3, DELAY)
    with pytest.raises(errors.TimelockControllerMissingDependency):
        governed.timelock.execute(after)
    governed.timelock.execute(before)
    governed.timelock.execute(after)


def test_a_listing_of_four_tiers_goes_through_in_pieces_of_one_operation(
    governed: Governed,
) -> None:
    """The calls of a listing are longer than a timelock carries."""
    feed = new_feed(governed)
    admin, proposal = governed.propose()
    admin.set_chainlink_feed(1, SOL, feed.address)
    admin.update(1)
    admin.list_on_feed(SOL)
    assert max(len(call.data) for call in proposal.calls) <= MAX_CALL
    operation = governed.timelock.schedule(proposal)
    advance_time(governed.w3, DELAY)
    feed.answer(200)
    governed.timelock.execute(operation)
    market = governed.reader.market("SOL-PERP")
    assert [tuple(tier)[:3] for tier in SOL.tiers] == [
        (tier.floor, tier.maintenance_rate, tier.initial_rate) for tier in market.tiers
    ]
    assert governed.reader.order_terms("SOL-PERP").delay == SOL.delay
    assert_replayed(governed)


def new_feed(governed: Governed) -> Feed:
    code = encode_constructor("MockAggregator", (FEED_DECIMALS,))
    chain = governed.reader.chain
    address = chain.wait(chain.submit(None, code, governed.former.address)).created
    assert address is not None
    return Feed(governed.former, address)


def test_what_needs_a_price_at_once_can_not_be_proposed(governed: Governed) -> None:
    admin, proposal = governed.propose()
    with pytest.raises(errors.Rejected, match="list_market needs a price"):
        admin.list_market(ETH)
    with pytest.raises(errors.Rejected, match="set_price needs a price"):
        admin.set_price("BTC-PERP", 1)
    assert proposal.calls == []
    with pytest.raises(ValueError, match="proposal: empty"):
        governed.timelock.schedule(proposal)


def test_a_proposal_takes_what_a_timelock_carries(governed: Governed) -> None:
    proposal = governed.timelock.proposal()
    proposal.add(Call(governed.timelock.address, bytes(MAX_CALL), "any"))
    with pytest.raises(errors.Rejected, match="1024 bytes a call"):
        proposal.add(Call(governed.timelock.address, bytes(MAX_CALL + 1), "any"))
    for _ in range(254):
        proposal.add(Call(governed.timelock.address, b"", "any"))
    with pytest.raises(errors.Rejected, match="255 calls"):
        proposal.add(Call(governed.timelock.address, b"", "any"))


def test_tiers_ramp_through_the_timelock(governed: Governed) -> None:
    tiers = [
        TierTerms(one.floor, 2 * one.maintenance_rate, 2 * one.initial_rate) for one in BTC.tiers
    ]
    admin, proposal = governed.propose()
    admin.ramp_tiers("BTC-PERP", tiers, 86_400)
    governed.carry_out(proposal)
    assert_replayed(governed)
    advance_time(governed.w3, 86_400)
    Admin(governed.reader, people(governed.w3)[5]).end_ramp("BTC-PERP")
    assert not words.unpack_market(market_words(governed, 0)[0]).is_ramping
    assert_replayed(governed)


def test_insurance_is_withdrawn_through_the_timelock(governed: Governed) -> None:
    owner = governed.former
    owner.mint(owner.address, 1_000)
    owner.fund_insurance(1_000)
    admin, proposal = governed.propose()
    admin.request_insurance("400.5")
    governed.carry_out(proposal)
    amount, claimable_at = governed.reader.insurance_request()
    assert (amount, claimable_at) == (Decimal("400.5"), governed.reader.now() + 3 * 86_400)
    assert_replayed(governed)
    admin, proposal = governed.propose()
    admin.withdraw_insurance(people(governed.w3)[6])
    governed.carry_out(proposal, 3 * 86_400)
    assert governed.reader.token_balance(people(governed.w3)[6]) == Decimal("400.5")
    assert governed.reader.house().insurance == Decimal("599.5")
    assert governed.reader.insurance_request() == (Decimal(0), 0)
    assert_replayed(governed)


def market_words(governed: Governed, market: int) -> tuple[int, ...]:
    contracts = governed.reader.contracts
    return tuple(governed.reader.chain.read(contracts.clearinghouse.call("market_words", market)))


def assert_replayed(governed: Governed) -> None:
    """Every market's words and the announced withdrawal, from the logs alone."""
    reader = governed.reader
    contracts = reader.contracts
    logs = reader.chain.logs(
        [reader.deployment.clearinghouse, reader.deployment.price_oracle],
        reader.deployment.block,
        reader.block().number,
    )
    replay = Replay(reader.deployment.liquidity_pool)
    replay.take_all(contracts.decode_logs(logs))
    for market in replay.markets:
        assert replay.market_words(market) == market_words(governed, market)
    found = reader.chain.read(contracts.clearinghouse.call("insurance_request"))
    assert replay.insurance_request == tuple(found)


def test_an_exchange_without_a_timelock_has_none() -> None:
    w3 = memory_chain(accounts=4)
    reader = Reader(w3, deploy(w3, people(w3)[0]))
    with pytest.raises(errors.DeploymentError, match="without a timelock"):
        Timelock(reader, people(w3)[0])


def test_a_world_is_handed_over_once_it_stands() -> None:
    w3 = memory_chain()
    world = create(w3, people(w3), (), [BTC], timelock_delay=60)
    assert world.reader.owner() == world.admin.address
    timelock = Timelock(world.reader, people(w3)[7])
    (operation,) = timelock.waiting()
    advance_time(w3, 60)
    timelock.execute(operation)
    assert world.reader.owner() == timelock.address
    world.admin.set_price("BTC-PERP", 100_001)
