"""What liquidations, deleveraging and settlement log is all that they change."""

from collections.abc import Callable
from dataclasses import asdict

import pytest

from bulkhead.interfaces import Event
from bulkhead.protocol import words
from bulkhead.replay import Replay
from tests.helpers.chain import Receipt, now
from tests.helpers.protocol import ISOLATED, LONG, SHORT, USD, Protocol, position_id

LOTS = 10**7  # 0.1 BTC, 5,000 USD
Story = Callable[[Protocol], Callable[[], Receipt]]  # sets the scene, and says what happens


def part(protocol: Protocol) -> Callable[[], Receipt]:
    protocol.trade(protocol.trader, 0, 10 * LOTS, margin_mode=ISOLATED, margin=5_000 * USD)
    protocol.push_price(0, 45_200)
    return lambda: protocol.liquidate_isolated(position_id(protocol.trader, 0, 2))


def top_up(protocol: Protocol) -> Callable[[], Receipt]:
    protocol.trade(protocol.trader, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    protocol.set_auto_margin(protocol.trader, 0, True, 100 * USD)
    protocol.push_price(0, 45_200)
    return lambda: protocol.liquidate_isolated(position_id(protocol.trader, 0, 2))


def bankrupt_ledger(protocol: Protocol) -> Callable[[], Receipt]:
    """A pair netted, its rest closed, the debt written off."""
    trader = protocol.trader
    protocol.clearinghouse.send(trader, "set_hedge_mode", True)
    protocol.trade(trader, 0, 20 * LOTS, position_side=LONG)
    protocol.trade(trader, 0, 2 * LOTS, position_side=SHORT, is_buy=False)
    protocol.push_price(0, 42_000)
    return lambda: protocol.liquidate_cross(trader, liquidator=trader)


def deleveraging(protocol: Protocol) -> Callable[[], Receipt]:
    protocol.trade(protocol.trader, 0, 10 * LOTS, margin_mode=ISOLATED)
    protocol.set_terms(0, pool_share=0)
    protocol.push_price(0, 51_000)
    return lambda: protocol.auto_deleverage(0, position_id(protocol.trader, 0, 2))


def settlement(protocol: Protocol) -> Callable[[], Receipt]:
    trader = protocol.trader
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    protocol.trade(trader, 0, LOTS)
    price = protocol.price(0).price // 2
    protocol.requote(0, kind=words.SETTLED, price=price, settles_at=now() // words.HOUR)
    return lambda: protocol.settle_positions(position_id(trader, 0, 2), position_id(trader, 0, 0))


@pytest.mark.parametrize("story", [part, top_up, bankrupt_ledger, deleveraging, settlement])
def test_the_logs_say_all_that_has_changed(protocol: Protocol, story: Story) -> None:
    trader, keeper = protocol.trader, protocol.keeper
    protocol.deposit(trader, 10_000 * USD)
    happen = story(protocol)
    replay = Replay(protocol.pool.address)
    replay.accounts[keeper] = protocol.account(keeper)

    receipt = happen()

    assert receipt.result >= 1
    names = {event.name for event in receipt.events}
    assert names & {"HouseSettled", "LiquidatorPaid"}
    if story is bankrupt_ledger:
        assert names >= {"PairNetted", "PositionLiquidated", "DebtWrittenOff"}
    for event in receipt.events:
        replay.take(Event(event.name, event.values, event.address, 0, "", 0))
    for account, state in replay.accounts.items():
        assert state == protocol.account(account), account
    for (account, market, slot), position in replay.positions.items():
        assert position == protocol.position(account, market, slot)
    for (market, is_long), side in replay.sides.items():
        assert side == protocol.side(market, is_long)
    for (account, market), settings in replay.settings.items():
        assert settings == protocol.settings(account, market)
    assert asdict(replay.house) == asdict(protocol.house())
    for number, word in replay.markets.items():
        assert word == protocol.market(number)
