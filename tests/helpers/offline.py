"""An exchange in the engine alone, set up as `Protocol` sets up the contracts."""

from dataclasses import astuple
from decimal import Decimal
from typing import Any

from bulkhead.listings import Terms, TierTerms
from bulkhead.orders import NO_GROUP, NOBODY, MarginMode, Order, OrderKind, PositionSide
from bulkhead.protocol import words
from bulkhead.simulate.calls import Done
from bulkhead.simulate.engine import Engine
from bulkhead.simulate.simulation import address_named
from bulkhead.state import ExchangeState
from tests.helpers.protocol import EXECUTED, PLENTY, USD, WAD, Market

START = 1_700_000_000


class Offline:
    def __init__(self, *listed: Market) -> None:
        self.engine = Engine(ExchangeState(liquidity_pool=address_named("pool")), START)
        self.trader, self.keeper = address_named("trader"), address_named("keeper")
        self.markets = listed
        self._salt = 0
        for number, market in enumerate(listed):
            self.engine.set_published_feed(
                number, WAD // market.lots, market.trade_age, market.max_age
            )
            self.publish(number, market.price)
            self.engine.list_market(
                market.symbol,
                Terms(*astuple(market.terms)),
                [TierTerms(*tier) for tier in market.tiers],
            )
            self.engine.set_order_terms(
                number, market.keeper_fee, market.delay, market.window, market.max_order_age
            )
        self.engine.pool.deposit(self.keeper, 5 * PLENTY, self.keeper)
        self.engine.fund_insurance(self.keeper, 10_000 * USD)

    def publish(self, market: int, dollars: int | str | Decimal) -> None:
        self.engine.update(market, int(Decimal(dollars) * WAD))

    def push_prices(self, *dollars: int | str | Decimal) -> None:
        """The prices of all markets, a second later."""
        self.engine.advance(1)
        for market, price in enumerate(dollars):
            self.publish(market, price)

    def order(self, account: str, market: int, size: int, **fields: Any) -> Order:
        """A market order to buy in cross margin, unless the fields say otherwise."""
        self._salt += 1
        known: dict[str, Any] = {
            "placer": account,
            "kind": OrderKind.MARKET,
            "margin_mode": MarginMode.CROSS,
            "position_side": PositionSide.ONE_WAY,
            "is_buy": True,
            "reduce_only": False,
            "trigger_price": 0,
            "callback_rate": 0,
            "acceptable_price": 0,
            "margin": 0,
            "leverage": 0,
            "expiry": 0,
            "group": NO_GROUP,
            "builder": NOBODY,
            "builder_fee": 0,
            "salt": self._salt,
        }
        return Order(account=account, market=market, size=size, **known | fields)

    def place(self, account: str, market: int, size: int, **fields: Any) -> Order:
        """Commits an order; returns it as it was resolved."""
        order = self.order(account, market, size, **fields)
        return self.engine.placed(self.engine.place(account, order).value).order

    def trade(self, account: str, market: int, size: int, **fields: Any) -> Done[int]:
        """Places an order, lets the delay pass, publishes all prices again, executes it."""
        order = self.place(account, market, size, **fields)
        prices = [self.dollars(number) for number in range(len(self.markets))]
        self.engine.advance(self.markets[market].delay)
        self.push_prices(*prices)
        done = self.engine.execute(self.keeper, order)
        assert done.value == EXECUTED, done.events
        return done

    def dollars(self, market: int) -> Decimal:
        """The last price in USD per base unit."""
        return self.engine.market(market).mark_price

    def position(self, account: str, market: int, slot: int) -> words.Position:
        return self.engine.ledger.position(account, market, slot)

    def cash(self, account: str) -> int:
        return self.engine.ledger.account(account).cash
