"""Prices from all kinds of feeds, how they are checked, and how a market ends, through the SDK."""

from typing import Any

import pytest
from eth_abi.abi import decode
from eth_account import Account

from bulkhead import Admin, errors, prices
from bulkhead.audit import audit
from bulkhead.listings import BTC, SOL
from bulkhead.local import advance_time
from bulkhead.protocol import words
from bulkhead.protocol.words import HOUR
from tests.sdk.world import World

SIGNERS = [Account.from_key(number.to_bytes(32, "big")) for number in (5, 6, 7)]
DAY = 86_400
WAD = 10**18


def signed(world: World, market: int, price: int, signers: list[Any]) -> bytes:
    oracle = world.reader.deployment.price_oracle
    at = world.reader.now()
    return prices.signed_price(signers, world.reader.chain.chain_id(), oracle, market, price, at)


def test_anyone_brings_what_enough_signers_have_signed(world: World) -> None:
    world.admin.set_signers([signer.address for signer in SIGNERS], 2)
    world.admin.set_signed_feed(0, BTC)
    anyone = Admin(world.reader, world.stranger)
    advance_time(world.w3, 3)
    with pytest.raises(errors.SignerTooFew):
        anyone.update("BTC-PERP", signed(world, 0, 51_000 * WAD, SIGNERS[:1]))
    # In whatever order: the payload sorts them.
    anyone.update("BTC-PERP", signed(world, 0, 51_000 * WAD, SIGNERS[2:0:-1]))
    assert world.reader.price("BTC-PERP") == 51_000


def test_too_many_signatures_are_refused_before_they_are_sent() -> None:
    signatures = {f"0x{number:040x}": bytes(65) for number in range(9)}
    with pytest.raises(ValueError, match="signatures"):
        prices.signed_payload(1, 2, signatures)


def test_updates_are_encoded_as_pyth_takes_them() -> None:
    updates = [b"one", b"two" * 50]
    assert list(decode(["bytes[]"], prices.pyth_updates(updates))[0]) == updates


def test_a_second_source_puts_caution_into_the_price(world: World) -> None:
    feed = world.chainlink_feed(40_000)
    world.admin.set_check("BTC-PERP", second=feed.address, max_deviation=10_000)
    world.move_price("BTC-PERP", 50_000)
    assert world.reader.market_state("BTC-PERP").price.caution == words.ONLY_BANKRUPT
    world.admin.set_check("BTC-PERP")
    world.move_price("BTC-PERP", 50_000)
    assert world.reader.market_state("BTC-PERP").price.caution == words.NO_CAUTION
    assert audit(world.reader).is_clean


def test_a_sequencer_that_has_just_returned_puts_caution_into_every_price(world: World) -> None:
    feed = world.chainlink_feed(0)
    world.admin.set_sequencer(feed.address, 3_600)
    world.move_price("BTC-PERP", 50_000)
    assert world.reader.market_state("BTC-PERP").price.caution == words.ONLY_BANKRUPT
    world.admin.set_sequencer(None)
    world.move_price("BTC-PERP", 50_000)
    assert world.reader.market_state("BTC-PERP").price.caution == words.NO_CAUTION
    assert audit(world.reader).is_clean


def test_a_market_ends_at_the_average_of_its_last_hour(world: World) -> None:
    hour = world.reader.now() // HOUR + 26
    world.admin.announce_settlement("BTC-PERP", hour)
    world.admin.cancel_settlement("BTC-PERP")
    world.admin.announce_settlement("BTC-PERP", hour)
    anyone = Admin(world.reader, world.stranger)
    with pytest.raises(errors.SettlementNotOver):
        anyone.fix_settlement("BTC-PERP")
    advance_time(world.w3, hour * HOUR + 60 - world.reader.now())
    world.admin.set_price("BTC-PERP", 50_000)
    advance_time(world.w3, 600)
    world.admin.set_price("BTC-PERP", 60_000)
    advance_time(world.w3, HOUR)
    price = anyone.fix_settlement("BTC-PERP")
    assert price.kind == words.SETTLED
    assert 50_000 < world.reader.price("BTC-PERP") < 60_000
    with pytest.raises(errors.MarketSettled):
        world.admin.set_price("BTC-PERP", 70_000)
    assert audit(world.reader).is_clean


def test_anyone_settles_a_market_whose_feed_is_long_dead(world: World) -> None:
    anyone = Admin(world.reader, world.stranger)
    with pytest.raises(errors.FeedNotDead):
        anyone.settle_dead("BTC-PERP")
    before = world.reader.price("BTC-PERP")
    advance_time(world.w3, 8 * DAY)
    assert anyone.settle_dead("BTC-PERP").kind == words.SETTLED
    assert world.reader.price("BTC-PERP") == before


def test_a_pyth_feed_names_contract_and_price(world: World) -> None:
    pyth = world.chainlink_feed(1).address  # any contract will do
    world.admin.list_market(SOL)
    world.admin.set_pyth_feed(2, SOL, pyth, b"\7" * 32)
    with pytest.raises(errors.FeedBadUpdate):
        world.admin.update("SOL-PERP", prices.pyth_updates([b"update"]), value=1)
    with pytest.raises(errors.FeedNoAnswer):
        world.admin.update("SOL-PERP")
