from decimal import Decimal

import pytest

from bulkhead import Admin, OrderState, errors
from bulkhead.contracts import Contract
from bulkhead.interfaces import encode_constructor, interface_of
from bulkhead.listings import BTC, DEMO_LISTINGS, SOL
from tests.sdk.world import World


def test_every_demo_market_can_be_listed(world: World) -> None:
    for listing in DEMO_LISTINGS[2:]:
        market = world.admin.list_market(listing)
        assert market.symbol == listing.symbol
        assert world.reader.price(market) == listing.price
        assert len(market.tiers) == len(listing.tiers)
    assert len(world.reader.markets()) == len(DEMO_LISTINGS)


def test_a_market_reads_back_as_it_was_listed(world: World) -> None:
    market = world.reader.market("BTC-PERP")
    assert market.lot_size == BTC.lot_size_wad
    assert market.terms.skew_scale == BTC.terms.skew_scale
    assert market.liquidation_terms.penalty == BTC.terms.penalty
    assert [(one.floor, one.maintenance_rate, one.initial_rate) for one in market.tiers] == [
        tuple(tier) for tier in BTC.tiers
    ]
    terms = world.reader.order_terms("BTC-PERP")
    assert (terms.keeper_fee, terms.delay, terms.window) == (BTC.keeper_fee, BTC.delay, BTC.window)


def test_a_market_lives_on_a_chainlink_feed(world: World) -> None:
    chain, owner = world.reader.chain, world.admin.signer
    code = encode_constructor("MockAggregator", (8,))
    address = chain.wait(chain.submit(None, code, owner)).created
    assert address is not None
    feed = Contract(address, interface_of("MockAggregator"))
    chain.send(feed.call("set_answer", 200 * 10**8, world.reader.now()), owner)
    world.admin.list_market(SOL, aggregator=address)
    assert world.reader.price("SOL-PERP") == 200
    chain.send(feed.call("set_answer", 210 * 10**8, world.reader.now()), owner)
    Admin(world.reader, world.stranger).update("SOL-PERP")
    assert world.reader.price("SOL-PERP") == 210


def test_a_price_is_kept_as_it_was_published(world: World) -> None:
    price = world.admin.set_price("BTC-PERP", "99999.99")
    assert world.reader.market("BTC-PERP").price_of(price.price) == Decimal("99999.99")
    assert world.reader.price("BTC-PERP") == Decimal("99999.99")


def test_a_price_from_the_future_is_refused(world: World) -> None:
    with pytest.raises(errors.PriceFromTheFuture):
        world.admin.set_price("BTC-PERP", 1, world.reader.now() + 1_000)


def test_terms_outside_their_bounds_are_refused(world: World) -> None:
    terms = BTC.terms._replace(maker_fee=BTC.terms.taker_fee + 1)
    with pytest.raises(errors.FeeMakerAboveTaker):
        world.admin.set_terms("BTC-PERP", terms)
    world.admin.set_terms("BTC-PERP", BTC.terms._replace(taker_fee=600))
    assert world.reader.market("BTC-PERP").terms.taker_fee == 600


def test_a_guardian_stops_and_does_not_resume(world: World) -> None:
    guardian = Admin(world.reader, world.stranger)
    world.admin.set_guardian(world.stranger)
    guardian.set_status("BTC-PERP", reduce_only=True)
    assert not world.reader.market_state("BTC-PERP").is_open
    handle = world.trader().place("BTC-PERP", "0.1", is_buy=True)
    world.fill(handle)
    assert handle.state() is OrderState.PENDING
    with pytest.raises(errors.OwnableCallerIsNotTheOwner):
        guardian.set_status("BTC-PERP", reduce_only=False)
    guardian.stop_opening()
    with pytest.raises(errors.OwnableCallerIsNotTheOwner):
        guardian.stop_opening(stopped=False)


def test_ownership_passes_in_two_steps(world: World) -> None:
    heir = Admin(world.reader, world.stranger)
    world.admin.transfer_ownership(heir.address)
    assert world.reader.owner() == world.admin.address
    heir.accept_ownership()
    assert world.reader.owner() == heir.address
    with pytest.raises(errors.Ownable2stepCallerIsNotTheNewOwner):
        heir.accept_ownership()


def test_fees_are_claimed_and_insurance_is_funded(world: World) -> None:
    world.fill(world.trader().place("BTC-PERP", "0.1", is_buy=True))
    before = world.reader.house()
    assert before.fees > 0
    world.admin.claim_fees(world.stranger)
    assert world.reader.token_balance(world.stranger) == before.fees
    Admin(world.reader, world.wallet.signer).fund_insurance(100)
    assert world.reader.house().insurance == before.insurance + 100
