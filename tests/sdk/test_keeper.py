from decimal import Decimal

from bulkhead import Keeper, MarginMode, OrderState
from bulkhead.listings import SOL
from bulkhead.local import advance_time
from tests.sdk.world import World


def test_an_isolated_position_is_liquidated_alone(world: World) -> None:
    trader = world.trader()
    for symbol, size, leverage in (("BTC-PERP", "0.1", 10), ("ETH-PERP", "0.625", 5)):
        world.fill(
            trader.place(
                symbol, size, is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=leverage
            )
        )
    free = world.reader.free_collateral(trader.address)
    world.move_price("BTC-PERP", 88_000)
    (report,) = world.keeper.liquidate()
    assert (report.account, report.market, report.is_isolated) == (trader.address, 0, True)
    assert report.deficit == Decimal(200)
    assert report.reward > 0
    account = world.reader.account(trader.address)
    assert account.free_collateral == free
    assert [one.market.symbol for one in account.positions] == ["ETH-PERP"]
    assert world.keeper.liquidate() == ()


def test_a_cross_account_is_liquidated_whole(world: World) -> None:
    trader = world.trader(1_000)
    for symbol, size in (("BTC-PERP", "0.1"), ("ETH-PERP", "1")):
        world.fill(trader.place(symbol, size, is_buy=True))
    world.move_price("BTC-PERP", 95_000)
    assert world.keeper.liquidate() == ()
    assert not world.reader.account(trader.address).is_liquidatable
    world.move_price("ETH-PERP", 3_500, seconds=1)
    world.admin.set_price("BTC-PERP", 94_000)
    assert world.reader.account(trader.address).is_liquidatable
    reports = world.keeper.liquidate()
    assert {(one.account, one.is_isolated) for one in reports} == {(trader.address, False)}
    assert len(reports) == 2
    assert world.reader.account(trader.address).positions == ()


def test_the_debt_of_a_cross_account_is_told_with_its_last_leg(world: World) -> None:
    trader = world.trader(1_000)
    for symbol, size in (("BTC-PERP", "0.1"), ("ETH-PERP", "1")):
        world.fill(trader.place(symbol, size, is_buy=True))
    cash = world.reader.account(trader.address).cash
    world.move_price("ETH-PERP", 3_900, seconds=1)
    world.admin.set_price("BTC-PERP", 88_000)
    first, last = world.keeper.liquidate()
    assert first.deficit == 0
    # It lost 1,200 and 100, and had a little less than 1,000.
    assert abs(last.deficit - (1_300 - cash)) < Decimal("0.1")
    assert world.reader.account(trader.address).cash == 0


def test_the_view_s_liquidation_price_is_the_contracts(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place("BTC-PERP", "1", is_buy=False))
    (leg,) = world.reader.account(trader.address).cross
    price = leg.liquidation_price
    assert price is not None
    world.move_price("BTC-PERP", price - 10)
    assert world.keeper.liquidate() == ()
    world.move_price("BTC-PERP", price + 10)
    assert len(world.keeper.liquidate()) == 1


def test_a_pass_reports_every_order(world: World) -> None:
    trader = world.trader(1_000)
    filled = trader.place("BTC-PERP", "0.01", is_buy=True)
    ended = trader.place("BTC-PERP", "1", is_buy=True)
    waiting = trader.place("ETH-PERP", "1", is_buy=True)
    world.move_price("BTC-PERP", 100_000)
    reports = {report.placed.hash: report for report in world.keeper.execute_orders()}
    assert reports[filled.hash].state is OrderState.EXECUTED
    assert reports[ended.hash].state is OrderState.CANCELLED
    assert reports[ended.hash].reason == "margin: below initial"
    assert waiting.hash not in reports
    assert waiting.state() is OrderState.PENDING


def test_a_fee_that_may_not_leave_is_not_reported_as_earned(world: World) -> None:
    trader = world.trader(220)
    world.fill(trader.place("BTC-PERP", "0.2", is_buy=True))
    world.move_price("BTC-PERP", 99_900)
    handle = trader.place("BTC-PERP", "0.2", is_buy=True)
    world.move_price("BTC-PERP", 99_900)
    cash = world.reader.account(trader.address).cash
    (report,) = world.keeper.execute_orders()
    assert (report.reason, report.keeper_fee) == ("margin: below initial", 0)
    assert handle.outcome().keeper_fee == 0
    assert world.reader.account(trader.address).cash == cash + Decimal("0.2")


def test_a_new_keeper_finds_what_was_placed_before_it(world: World) -> None:
    handle = world.trader().place("BTC-PERP", "0.1", is_buy=True)
    world.move_price("BTC-PERP", 100_000)
    (report,) = Keeper(world.reader, world.stranger).execute_orders()
    assert report.placed == handle.placed


def test_a_keeper_remembers_between_passes(world: World) -> None:
    keeper = world.keeper
    trader = world.trader()
    first = trader.place("BTC-PERP", "0.1", is_buy=True)
    assert keeper.execute_orders() == ()
    world.move_price("BTC-PERP", 100_000)
    assert [report.placed.hash for report in keeper.execute_orders()] == [first.hash]
    assert keeper.execute_orders() == ()
    second = trader.place("BTC-PERP", "0.1", is_buy=False)
    world.move_price("BTC-PERP", 100_000)
    assert [report.placed.hash for report in keeper.execute_orders()] == [second.hash]


def test_a_keeper_brings_the_latest_round_before_it_fills(world: World) -> None:
    feed = world.chainlink_feed(200)
    world.admin.list_market(SOL, aggregator=feed.address)
    trader = world.trader()
    order = trader.place("SOL-PERP", 10, is_buy=True)
    assert world.keeper.execute_orders() == ()
    advance_time(world.w3, SOL.delay)
    feed.answer(201)
    (report,) = world.keeper.execute_orders()
    assert (report.placed, report.state) == (order.placed, OrderState.EXECUTED)
    (position,) = world.reader.account(trader.address).cross
    assert position.state.mark_price == 201


def test_a_keeper_brings_the_latest_round_before_it_liquidates(world: World) -> None:
    feed = world.chainlink_feed(200)
    world.admin.list_market(SOL, aggregator=feed.address)
    trader = world.trader()
    trader.place("SOL-PERP", 50, is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10)
    advance_time(world.w3, SOL.delay)
    feed.answer(200)
    world.keeper.execute_orders()
    feed.answer(180)
    assert world.reader.price("SOL-PERP") == 200
    (report,) = world.keeper.liquidate()
    assert (report.account, report.market) == (trader.address, 2)


def test_a_round_that_the_oracle_refuses_stops_no_other_market(world: World) -> None:
    feed = world.chainlink_feed(200)
    world.admin.list_market(SOL, aggregator=feed.address)
    trader = world.trader()
    waiting = trader.place("SOL-PERP", 10, is_buy=True)
    filled = trader.place("BTC-PERP", "0.01", is_buy=True)
    feed.answer(0)
    world.move_price("BTC-PERP", 100_000)
    reports = world.keeper.execute_orders()
    assert [report.placed for report in reports] == [filled.placed]
    assert waiting.state() is OrderState.PENDING


def test_nothing_is_made_or_lost(world: World) -> None:
    trader = world.trader()
    world.fill(trader.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED))
    world.fill(trader.place("ETH-PERP", "1", is_buy=False))
    world.move_price("BTC-PERP", 88_000)
    world.keeper.liquidate()
    reader = world.reader
    accounts = [reader.account(one) for one in world.w3.eth.accounts]
    house = reader.house()
    total = house.pool_cash + house.insurance + house.fees
    for account in accounts:
        total += account.cash + account.escrow
        total += sum((one.margin for one in account.isolated), Decimal(0))
    assert total == world.held()


def test_a_keeper_forgets_orders_that_have_ended(world: World) -> None:
    trader, keeper = world.trader(), world.keeper
    for _ in range(3):
        world.fill(trader.place("BTC-PERP", "0.01", is_buy=True))
    waiting = trader.place("BTC-PERP", "0.01", is_buy=True)
    keeper.follow()
    assert keeper.book.state.orders.keys() == {waiting.hash}
    assert keeper.book.state.placements.keys() == {waiting.hash}


def test_a_keeper_remembers_the_entry_of_a_bracket_as_long_as_another_may_hang_on_it(
    world: World,
) -> None:
    trader, keeper = world.trader(), world.keeper
    entry, take_profit, stop_loss = trader.place_bracket(
        "BTC-PERP", "0.01", is_buy=True, take_profit=110_000, stop_loss=90_000
    )
    world.fill(entry)
    later = trader.replace(take_profit, trigger_price=105_000)
    world.move_price("BTC-PERP", 106_000)
    (report,) = keeper.execute_orders()
    assert report.placed.hash == later.hash
    assert stop_loss.state() is not OrderState.EXECUTED
    keeper.follow()
    assert keeper.book.resting == 1  # dead, until somebody clears it
