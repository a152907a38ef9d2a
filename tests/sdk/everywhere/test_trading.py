from decimal import Decimal

import pytest
from hexbytes import HexBytes

from bulkhead import MarginMode, OrderKind, OrderState, Permission, errors
from bulkhead.local import advance_time
from tests.sdk.world import World


def test_a_deposit_and_a_withdrawal_move_tokens_and_cash(world: World) -> None:
    trader = world.wallet
    before = world.reader.token_balance(trader.address)
    trader.deposit("5000.000001")
    assert world.reader.account(trader.address).cash == Decimal("5000.000001")
    trader.withdraw("1000.000001", world.stranger)
    assert world.reader.account(trader.address).cash == 4_000
    assert world.reader.token_balance(trader.address) == before - Decimal("5000.000001")
    assert world.reader.token_balance(world.stranger) == Decimal("1000.000001")


def test_a_mined_placement_is_no_fill(world: World) -> None:
    trader = world.trader()
    handle = trader.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED)
    assert handle.state() is OrderState.PENDING
    assert world.reader.account(trader.address).positions == ()
    assert world.reader.hash_of(handle.order) == handle.hash
    world.fill(handle)
    outcome = handle.outcome()
    assert outcome.state is OrderState.EXECUTED
    (fill,) = outcome.fills
    assert fill.is_increase
    assert fill.is_buy
    assert fill.size == Decimal("0.1")
    assert fill.mark_price == 100_000
    (vault,) = world.reader.account(trader.address).isolated
    assert fill.price == vault.entry_price
    assert fill.price * fill.size == fill.mark_price * fill.size + fill.impact
    assert fill.realised == 0


def test_a_handle_is_built_again_from_its_hash(world: World) -> None:
    trader = world.trader()
    handle = trader.place("BTC-PERP", "0.1", is_buy=True, salt=7)
    again = world.reader.handle(handle.hash)
    assert again.placed == handle.placed
    with pytest.raises(errors.UnknownOrder):
        world.reader.handle(b"\0" * 32)


def test_the_account_shows_the_vault_and_its_liquidation_price(world: World) -> None:
    trader = world.trader()
    handle = trader.place(
        "BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10
    )
    world.fill(handle)
    (vault,) = world.reader.account(trader.address).isolated
    assert vault.size == Decimal("0.1")
    assert vault.notional == 10_000
    assert vault.equity == 1_000
    assert vault.maintenance_margin == 50
    price = vault.liquidation_price
    assert price is not None
    assert Decimal(90_452) < price < Decimal(90_453)
    found = world.reader.position(trader.address, "BTC-PERP", is_long=True, is_isolated=True)
    assert found == vault


def test_margin_moves_in_and_out(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED))
    trader.set_leverage("BTC-PERP", 10, is_isolated=True, is_long=True)
    trader.add_margin("BTC-PERP", 100, is_long=True)
    trader.deposit_margin("BTC-PERP", 50, is_long=True)
    margin = world.reader.account(trader.address).isolated[0].margin
    trader.remove_margin("BTC-PERP", 150, is_long=True)
    assert world.reader.account(trader.address).isolated[0].margin == margin - 150
    with pytest.raises(errors.MarginBelowInitial):
        trader.remove_margin("BTC-PERP", 1, is_long=True)


def test_both_margin_modes_live_on_one_market(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.CROSS))
    world.fill(trader.place("BTC-PERP", "0.05", is_buy=False, margin_mode=MarginMode.ISOLATED))
    account = world.reader.account(trader.address)
    assert [one.is_long for one in account.cross] == [True]
    assert [one.is_long for one in account.isolated] == [False]
    assert account.free_collateral < account.cash
    world.fill(trader.close_position("BTC-PERP", is_long=True, margin_mode=MarginMode.CROSS))
    world.fill(trader.close_position("BTC-PERP", is_long=False, margin_mode=MarginMode.ISOLATED))
    assert world.reader.account(trader.address).positions == ()


def test_settings_are_read_back(world: World) -> None:
    trader = world.trader()
    trader.set_leverage("BTC-PERP", 20, is_isolated=True, is_long=True)
    trader.set_leverage("BTC-PERP", "2.5")
    trader.set_default_margin_mode("BTC-PERP", is_isolated=True)
    settings = world.reader.settings(trader.address, "BTC-PERP")
    assert settings.is_isolated_by_default
    assert settings.leverage(is_isolated=True, is_long=True) == 20
    assert settings.leverage(is_isolated=False, is_long=True) == Decimal("2.5")
    handle = trader.place("BTC-PERP", "0.01", is_buy=True)
    assert handle.order.margin_mode == MarginMode.ISOLATED
    assert handle.order.leverage == 20_000_000


def test_a_placement_sends_no_address_that_the_chain_knows(world: World) -> None:
    trader = world.trader()
    order = trader.order("BTC-PERP", "0.1", is_buy=True)
    handle = trader.place_order(order)
    sent = world.w3.eth.get_transaction_by_block(handle.placed.block, 0)
    assert HexBytes(sent.get("input") or sent["data"]).count(bytes.fromhex(trader.address[2:])) == 0
    assert (handle.order.account, handle.order.placer) == (order.account, order.placer)
    assert world.reader.hash_of(handle.order) == handle.hash


def test_an_operator_trades_and_withdraws_nothing(world: World) -> None:
    trader = world.trader()
    operator = world.trader_as(world.stranger, trader.address)
    with pytest.raises(errors.OperatorNotAllowed):
        operator.place("BTC-PERP", "0.1", is_buy=True)
    trader.set_operator(
        world.stranger,
        Permission.OPEN | Permission.REDUCE | Permission.CANCEL | Permission.ALL_MARKETS,
        notional=1_000_000,
        expiry=world.reader.now() + 3_600,
    )
    handle = operator.place("BTC-PERP", "0.1", is_buy=True)
    assert handle.order.account == trader.address
    world.fill(handle)
    assert handle.state() is OrderState.EXECUTED
    with pytest.raises(errors.BalanceNotWithdrawable):
        operator.withdraw(1)


def test_a_limit_order_waits_and_is_cancelled(world: World) -> None:
    trader = world.trader()
    handle = trader.place(
        "BTC-PERP", "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=90_000
    )
    world.fill(handle)
    assert handle.state() is OrderState.PENDING
    assert world.reader.account(trader.address).escrow == Decimal("0.2")
    assert world.reader.equity(trader.address) == 5_000
    trader.cancel(handle)
    outcome = handle.outcome()
    assert outcome.state is OrderState.CANCELLED
    assert outcome.reason == "order: cancelled by owner"
    assert outcome.keeper_fee == 0
    assert world.reader.account(trader.address).cash == 5_000


def test_a_stop_fills_when_its_price_comes(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place("BTC-PERP", "0.1", is_buy=True))
    stop = trader.close_position(
        "BTC-PERP", is_long=True, kind=OrderKind.STOP, trigger_price=95_000
    )
    world.fill(stop, 96_000)
    assert stop.state() is OrderState.PENDING
    world.fill(stop, 95_000)
    assert stop.state() is OrderState.EXECUTED


def test_an_unfilled_market_order_expires(world: World) -> None:
    trader = world.trader()
    handle = trader.place("BTC-PERP", "0.1", is_buy=True)
    with pytest.raises(errors.OrderMarketIsBinding):
        trader.cancel(handle)
    advance_time(world.w3, 100)
    assert handle.state() is OrderState.EXPIRED
    (report,) = world.keeper.execute_orders()
    assert report.state is OrderState.EXPIRED
    assert report.keeper_fee == 200_000


def test_an_order_that_price_allows_and_margin_does_not_ends(world: World) -> None:
    trader = world.trader(100)
    handle = trader.place("BTC-PERP", "0.5", is_buy=True)
    world.fill(handle)
    outcome = handle.outcome()
    assert outcome.state is OrderState.CANCELLED
    assert outcome.reason == "margin: below initial"
    assert outcome.reason in errors.REASONS


def test_the_same_order_twice_is_refused(world: World) -> None:
    trader = world.trader()
    order = trader.place(
        "BTC-PERP", "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=1, salt=1
    ).order
    with pytest.raises(errors.OrderAlreadyPlaced):
        trader.place_order(order)


def test_refusals_have_their_own_exceptions(world: World) -> None:
    trader = world.wallet
    with pytest.raises(errors.AmountZero):
        trader.deposit(0)
    with pytest.raises(errors.BalanceBelowKeeperFee):
        trader.place("BTC-PERP", "0.1", is_buy=True)
    with pytest.raises(errors.BalanceBelowKeeperFee):
        trader.preview("BTC-PERP", "0.1", is_buy=True)
    with pytest.raises(errors.MarketUnknown):
        trader.place("DOG-PERP", "0.1", is_buy=True)
    with pytest.raises(errors.MarketUnknown):
        world.reader.market(99)
    with pytest.raises(errors.PositionNotOpen):
        trader.deposit_margin("BTC-PERP", 1, is_long=True)
    with pytest.raises(errors.CallerNotTheOwner):
        world.admin_as(world.stranger).set_publisher(world.stranger)
    with pytest.raises(errors.OwnableCallerIsNotTheOwner):
        world.admin_as(world.stranger).claim_fees()
    with pytest.raises(ValueError, match="less than one lot"):
        trader.place("BTC-PERP", "0.000000001", is_buy=True)
    with pytest.raises(TypeError, match="not exact money"):
        trader.place("BTC-PERP", 0.1, is_buy=True)  # type: ignore[arg-type]


def test_a_mined_revert_names_its_reason(world: World) -> None:
    call = world.reader.contracts.clearinghouse.call("withdraw", 10**6, world.stranger)
    with pytest.raises(errors.BalanceNotWithdrawable):
        world.reader.chain.send(call, world.stranger, gas=500_000)


def test_one_block_answers_one_query(world: World) -> None:
    trader = world.trader()
    block = world.reader.block()
    trader.withdraw(1_000)
    assert world.reader.account(trader.address, block).cash == 5_000
    assert world.reader.account(trader.address).cash == 4_000


def test_liquidity_comes_at_once_and_leaves_by_request(world: World) -> None:
    provider = world.provider
    shares = provider.shares()
    request = provider.request_redeem(shares / 2)
    with pytest.raises(errors.RequestNotMature):
        provider.fix(request.id)
    advance_time(world.w3, request.matures_at - world.reader.now())
    provider.fix(request.id)
    before = world.reader.token_balance(provider.address)
    provider.redeem(provider.claimable_shares())
    brought = world.reader.token_balance(provider.address) - before
    assert Decimal(2_499_999) < brought < 2_500_000
