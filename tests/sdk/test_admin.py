from decimal import Decimal
from typing import Any

import pytest

from bulkhead import Admin, OrderState, errors
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
    feed = world.chainlink_feed(200)
    world.admin.list_market(SOL, aggregator=feed.address)
    assert world.reader.price("SOL-PERP") == 200
    feed.answer(210)
    assert world.reader.price("SOL-PERP") == 200
    Admin(world.reader, world.stranger).update("SOL-PERP")
    assert world.reader.price("SOL-PERP") == 210


def test_only_a_feed_that_the_oracle_reads_can_be_ahead_of_it(world: World) -> None:
    feed = world.chainlink_feed(200)
    world.admin.list_market(SOL, aggregator=feed.address)
    assert all(state.is_latest and state.is_fresh for state in world.reader.markets()[2:])
    feed.answer(210)
    behind = [state.market.symbol for state in world.reader.markets() if not state.is_latest]
    assert behind == ["SOL-PERP"]
    state = world.reader.market_state("SOL-PERP")
    assert state.is_live
    assert not state.is_fresh
    world.admin.update("SOL-PERP")
    assert world.reader.market_state("SOL-PERP").is_fresh


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"symbol": ""}, errors.SymbolEmpty),
        ({"symbol": "BTC-PERP"}, errors.SymbolTaken),
        ({"symbol": "S" * 17}, ValueError),
        ({"delay": 0}, errors.OrderBadDelay),
        ({"delay": 601}, errors.OrderBadDelay),
        ({"window": 9}, errors.OrderBadWindow),
        ({"window": 2**16}, errors.OrderBadWindow),
        ({"keeper_fee": 10_000_001}, errors.KeeperFeeTooHigh),
    ],
)
def test_a_listing_that_is_refused_leaves_nothing_behind(
    world: World, changes: dict[str, Any], error: type[Exception]
) -> None:
    before = world.reader.block()
    with pytest.raises(error):
        world.admin.list_market(SOL._replace(**changes))
    assert world.reader.block() == before


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"delay": 0}, errors.OrderBadDelay),
        ({"delay": 601}, errors.OrderBadDelay),
        ({"window": 9}, errors.OrderBadWindow),
        ({"window": 2**16}, errors.OrderBadWindow),
        ({"keeper_fee": 10_000_001}, errors.KeeperFeeTooHigh),
    ],
)
def test_order_terms_are_judged_alike_before_and_by_the_chain(
    world: World, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        world.admin.set_order_terms("BTC-PERP", BTC._replace(**changes))


def test_the_widest_order_terms_are_listed(world: World) -> None:
    listing = SOL._replace(symbol="S" * 16, delay=600, window=10, keeper_fee=10_000_000)
    assert world.admin.list_market(listing).symbol == "S" * 16


def test_a_stranger_lists_nothing(world: World) -> None:
    before = world.reader.block()
    with pytest.raises(errors.CallerNotTheOwner):
        Admin(world.reader, world.stranger).list_market(SOL)
    assert world.reader.block() == before


def test_a_listing_is_tried_again_with_another_lot_size(world: World) -> None:
    with pytest.raises(errors.LotOutOfRange):
        world.admin.list_market(SOL._replace(lot_size=Decimal(1)))
    assert world.admin.list_market(SOL).lot_size == SOL.lot_size_wad


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
