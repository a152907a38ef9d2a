"""Orders that hang together, driven through the SDK alone."""

from decimal import Decimal

import pytest
from eth_account import Account

from bulkhead import (
    MarginMode,
    OrderKind,
    OrderState,
    Permission,
    errors,
    sign_bracket,
    sign_order,
)
from bulkhead.protocol import words
from bulkhead.replay import Replay
from tests.sdk.world import World

BTC = "BTC-PERP"


def test_a_bracket_protects_from_the_first_moment_on(world: World) -> None:
    trader = world.trader()
    entry, profit, stop = trader.place_bracket(
        BTC, "0.1", is_buy=True, take_profit=110_000, stop_loss=95_000
    )
    assert stop.waits_for() == "order: entry not filled"
    world.fill(entry)
    assert entry.state() is OrderState.EXECUTED
    assert profit.waits_for() in ("price: not triggered", "price: too early")
    world.fill(stop, 95_000)
    assert stop.state() is OrderState.EXECUTED
    assert world.reader.account(trader.address).positions == ()
    assert profit.waits_for() == "order: group is done"
    trader.cancel_orders([profit, stop])
    assert profit.outcome().state is OrderState.CANCELLED


def test_protection_of_an_open_position_is_replaced_without_a_gap(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place(BTC, "0.1", is_buy=True))
    profit, stop = trader.protect(BTC, is_long=True, take_profit=110_000, stop_loss=95_000)
    price = world.reader.market(BTC).price_down(97_000)
    closer = trader.replace(stop, trigger_price=price)
    assert stop.state() is OrderState.CANCELLED
    world.fill(closer, 97_000)
    assert closer.state() is OrderState.EXECUTED
    assert profit.waits_for() == "order: group is done"


def test_a_stop_beyond_the_liquidation_price_is_refused(world: World) -> None:
    trader = world.trader()
    isolated = MarginMode.ISOLATED
    with pytest.raises(errors.StopBeyondLiquidation):
        trader.place_bracket(
            BTC, "0.1", is_buy=True, margin_mode=isolated, leverage=10, stop_loss=90_000
        )
    fields = {"is_buy": True, "margin_mode": isolated, "leverage": 10}
    world.fill(trader.place(BTC, "0.1", **fields))  # type: ignore[arg-type]
    with pytest.raises(errors.StopBeyondLiquidation):
        trader.protect(BTC, is_long=True, margin_mode=isolated, stop_loss=90_000)
    trader.protect(BTC, is_long=True, margin_mode=isolated, stop_loss=91_000)
    trader.protect(
        BTC, is_long=True, margin_mode=isolated, stop_loss=90_000, beyond_liquidation=True
    )


def test_a_keeper_ratchets_and_executes_a_trailing_stop(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place(BTC, "0.1", is_buy=True))
    (stop,) = trader.protect(BTC, is_long=True, trailing="0.05")
    world.move_price(BTC, 100_000)
    assert world.keeper.ratchet() == 1
    assert world.keeper.ratchet() == 0
    world.move_price(BTC, 120_000)
    assert world.keeper.ratchet() == 1
    world.fill(stop, 114_001)
    assert stop.state() is OrderState.PENDING
    world.fill(stop, 114_000)
    assert stop.state() is OrderState.EXECUTED


def test_a_keeper_knows_a_bracket_s_life(world: World) -> None:
    trader = world.trader()
    entry, profit, stop = trader.place_bracket(
        BTC, "0.1", is_buy=True, take_profit=110_000, stop_loss=95_000
    )
    world.move_price(BTC, 94_000)
    (report,) = world.keeper.execute_orders()
    assert report.placed.hash == entry.hash
    world.move_price(BTC, 94_000)
    (report,) = world.keeper.execute_orders()
    assert report.placed.hash == stop.hash
    world.move_price(BTC, 120_000)
    assert world.keeper.execute_orders() == ()
    assert profit.state() is OrderState.PENDING


def test_cancelling_all_ends_what_rests(world: World) -> None:
    trader = world.trader()
    limits = [
        trader.place(BTC, "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=90_000)
        for _ in range(2)
    ]
    trader.cancel_all()
    trader.cancel_orders(limits)
    assert {one.state() for one in limits} == {OrderState.CANCELLED}
    assert world.reader.account(trader.address).cash == 5_000


def test_a_relayer_brings_what_another_signed(world: World) -> None:
    key = Account.create()
    world.wallet.deposit(5_000, key.address)
    mine = world.trader_as(key)
    deadline = world.reader.now() + 600
    signed = sign_order(world.reader, key, mine.order(BTC, "0.1", is_buy=True), deadline)
    relayer = world.trader_as(world.stranger)
    (handle,) = relayer.place_signed(signed)
    assert handle.order.account == key.address
    assert world.reader.is_nonce_spent(key.address, signed.nonce)
    with pytest.raises(errors.SignatureNonceIsSpent):
        relayer.place_signed(signed)
    world.fill(handle)
    assert handle.state() is OrderState.EXECUTED

    entry = mine.order(BTC, "0.1", is_buy=True)
    stop = mine.order(
        BTC, 0, is_buy=False, reduce_only=True, kind=OrderKind.STOP, trigger_price=95_000
    )
    bracket = sign_bracket(world.reader, key, entry, [stop], deadline)
    assert len(relayer.place_signed(bracket)) == 2
    with pytest.raises(ValueError, match="the key is"):
        sign_order(world.reader, key, relayer.order(BTC, "0.1", is_buy=True), deadline)


def test_an_operator_has_its_limits(world: World) -> None:
    trader = world.trader()
    trader.set_operator(
        world.stranger,
        Permission.OPEN | Permission.CANCEL,
        markets=[BTC],
        notional=15_000,
        expiry=world.reader.now() + 3_600,
    )
    operator = world.trader_as(world.stranger, trader.address)
    operator.place(BTC, "0.1", is_buy=True)
    rights = world.reader.operator(trader.address, world.stranger)
    assert rights.notional == 5_000 * 10**6
    with pytest.raises(errors.OperatorNotionalSpent):
        operator.place(BTC, "0.1", is_buy=True)
    with pytest.raises(errors.OperatorNotAllowed):
        operator.place("ETH-PERP", "0.1", is_buy=True)
    trader.revoke_operator(world.stranger)
    with pytest.raises(errors.OperatorNotAllowed):
        operator.place(BTC, "0.01", is_buy=True)


def test_a_builder_is_paid_and_shares(world: World) -> None:
    trader, builder = world.trader(), world.trader_as(world.stranger)
    referrer = world.people[6]
    trader.approve_builder(world.stranger, "0.001")
    assert world.reader.max_builder_fee(trader.address, world.stranger) == 1_000
    builder.set_referral_share("0.25")
    trader.set_referrer(referrer)
    world.fill(trader.place(BTC, "0.1", is_buy=True, builder=world.stranger, builder_fee="0.001"))
    assert world.reader.account(world.stranger).cash == Decimal("7.5")
    assert world.reader.account(referrer).cash == Decimal("2.5")


def test_the_whole_is_rebuilt_from_the_logs(world: World) -> None:
    """Children, groups, trailing stops, operators, nonces and builders, word by word."""
    test_a_builder_is_paid_and_shares(world)
    world.fill(world.wallet.close_position(BTC, is_long=True))
    test_an_operator_has_its_limits(world)
    test_a_bracket_protects_from_the_first_moment_on(world)
    test_a_keeper_ratchets_and_executes_a_trailing_stop(world)
    replay = Replay(world.reader.deployment.liquidity_pool)
    replay.take_all(world.reader.events())
    book = world.reader.contracts.order_book
    for order_hash, state in replay.orders.items():
        word = world.reader.chain.read(book.call("order_word", order_hash))
        assert words.pack_order_state(state) == word
    for (account, operator), rights in replay.operators.items():
        assert world.reader.operator(account, operator) == rights
    for address, account_word in replay.accounts.items():
        call = world.reader.contracts.clearinghouse.call("account_word", address)
        assert words.pack_account(account_word) == world.reader.chain.read(call)
    assert replay.max_builder_fees
    assert replay.referrers
    assert replay.referral_shares
