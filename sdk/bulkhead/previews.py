"""What a write would do, without a transaction: the same account before and after.

The account and its markets are read; what follows is computed here, by the offline engine, which is
the contracts' arithmetic bit for bit. So a preview equals the execution exactly, at the same prices
and the same second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Unpack

from bulkhead import queries, valuation
from bulkhead.accounts import AccountView, Position
from bulkhead.chain import Program, verb
from bulkhead.errors import Refused
from bulkhead.fills import DECREASED, INCREASED, Fill, fill_of
from bulkhead.handles import HandleVerbs
from bulkhead.interfaces import Event
from bulkhead.order_desk import Handle, OrderDeskVerbs
from bulkhead.order_ticket import OrderFields, exits_of
from bulkhead.orders import NOBODY, Order
from bulkhead.values import Amount, to_ppm, to_quote, to_usd

if TYPE_CHECKING:
    from bulkhead.reader import MarketName
    from bulkhead.simulate.engine import Engine

KEEPER = "0x" + "ee" * 20  # somebody: whoever executes is paid the same


@dataclass(frozen=True, slots=True)
class WritePreview:
    """What one write would do.

    Attributes:
        at: Seconds of the chain it is computed for.
        before: The account then, if nothing is done.
        after: The account then, once it is done.
        events: What the contracts would log.
    """

    at: int
    before: AccountView
    after: AccountView
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class OrderPreview(WritePreview):
    """What placing an order and filling it would do.

    Attributes:
        reason: Why it would end or rest instead; empty if it fills.
        fills: What it would change.
        market: Where.
        cash_before: Quote, cash and escrow before the order was placed.
    """

    reason: str
    fills: tuple[Fill, ...]
    market: int
    cash_before: int

    @property
    def positions(self) -> tuple[Position, ...]:
        """The account's positions in its market, after it: with their liquidation prices."""
        return tuple(one for one in self.after.positions if one.market.id == self.market)

    @property
    def worst_case(self) -> Decimal:
        """USD of its ledger that the account can lose by it, costs included.

        Into a vault: what leaves the ledger for good or into the vault. In cross: all there is.
        """
        if any(not valuation.is_isolated(fill.slot) for fill in self.fills):
            return to_usd(self.cash_before)
        left = self.after.word.cash + self.after.word.escrow
        return to_usd(max(self.cash_before - left, 0))


class PreviewVerbs(OrderDeskVerbs[Handle], Generic[Handle]):
    """A preview for every write of an account.

    Each takes what the write takes, and `at`: the second of the chain it is computed for; that of
    the pending block where it is None. Each raises what the write would be refused for.
    """

    @verb
    def preview_deposit(self, amount: Amount, *, at: int | None = None) -> Program[WritePreview]:
        """What `deposit` would do to the account."""
        quote = to_quote(amount)
        return self._preview(lambda one: one.deposit(self.account, self.account, quote), (), at)

    @verb
    def preview_withdraw(self, amount: Amount, *, at: int | None = None) -> Program[WritePreview]:
        """What `withdraw` would do."""
        quote = to_quote(amount)
        return self._preview(lambda one: one.withdraw(self.account, quote, self.account), (), at)

    @verb
    def preview_deposit_margin(
        self, market: MarketName, amount: Amount, *, is_long: bool, at: int | None = None
    ) -> Program[WritePreview]:
        """What `deposit_margin` would do."""
        id, quote = yield from self._asked(market, amount)  # noqa: A001 - the protocol's word
        me = self.account
        return (
            yield from self._preview(
                lambda one: one.deposit_margin(me, me, id, is_long, quote), [id], at
            )
        )

    @verb
    def preview_add_margin(
        self, market: MarketName, amount: Amount, *, is_long: bool, at: int | None = None
    ) -> Program[WritePreview]:
        """What `add_margin` would do."""
        id, quote = yield from self._asked(market, amount)  # noqa: A001
        me = self.account
        return (
            yield from self._preview(lambda one: one.add_margin(me, id, is_long, quote), [id], at)
        )

    @verb
    def preview_remove_margin(
        self, market: MarketName, amount: Amount, *, is_long: bool, at: int | None = None
    ) -> Program[WritePreview]:
        """What `remove_margin` would do."""
        id, quote = yield from self._asked(market, amount)  # noqa: A001
        me = self.account
        return (
            yield from self._preview(
                lambda one: one.remove_margin(me, id, is_long, quote), [id], at
            )
        )

    @verb
    def preview_set_auto_margin(
        self, market: MarketName, allowance: Amount, *, is_long: bool, at: int | None = None
    ) -> Program[WritePreview]:
        """What `set_auto_margin` would do."""
        id, quote = yield from self._asked(market, allowance)  # noqa: A001
        me = self.account
        return (
            yield from self._preview(
                lambda one: one.set_auto_margin(me, id, is_long, quote), [id], at
            )
        )

    @verb
    def preview_convert_to_isolated(
        self, market: MarketName, margin: Amount = 0, *, is_long: bool, at: int | None = None
    ) -> Program[WritePreview]:
        """What `convert_to_isolated` would do."""
        id, quote = yield from self._asked(market, margin)  # noqa: A001
        me = self.account
        return (
            yield from self._preview(
                lambda one: one.convert_position(me, id, is_long, True, quote), [id], at
            )
        )

    @verb
    def preview_convert_to_cross(
        self, market: MarketName, *, is_long: bool, at: int | None = None
    ) -> Program[WritePreview]:
        """What `convert_to_cross` would do."""
        id, _ = yield from self._asked(market, 0)  # noqa: A001
        me = self.account
        return (
            yield from self._preview(
                lambda one: one.convert_position(me, id, is_long, False), [id], at
            )
        )

    @verb
    def preview_set_leverage(
        self,
        market: MarketName,
        leverage: Amount,
        *,
        is_isolated: bool = False,
        is_long: bool = True,
        at: int | None = None,
    ) -> Program[WritePreview]:
        """What `set_leverage` would do."""
        id, _ = yield from self._asked(market, 0)  # noqa: A001
        me, ppm = self.account, to_ppm(leverage, "leverage")
        return (
            yield from self._preview(
                lambda one: one.set_leverage(me, id, ppm, is_isolated, is_long), [id], at
            )
        )

    @verb
    def preview_set_default_margin_mode(
        self, market: MarketName, *, is_isolated: bool, at: int | None = None
    ) -> Program[WritePreview]:
        """What `set_default_margin_mode` would do."""
        id, _ = yield from self._asked(market, 0)  # noqa: A001
        me = self.account
        return (
            yield from self._preview(
                lambda one: one.set_default_margin_mode(me, id, is_isolated), [id], at
            )
        )

    @verb
    def preview_set_hedge_mode(
        self, is_hedge: bool, *, at: int | None = None
    ) -> Program[WritePreview]:
        """What `set_hedge_mode` would do."""
        me = self.account
        return self._preview(lambda one: one.set_hedge_mode(me, is_hedge), (), at)

    @verb
    def preview_place(
        self,
        market: MarketName,
        size: Amount,
        *,
        price: Amount | None = None,
        at: int | None = None,
        **fields: Unpack[OrderFields],
    ) -> Program[OrderPreview]:
        """What `place` and then a fill would do.

        Args:
            market: Where.
            size: As in `place`.
            price: USD per base unit that it is filled at; the market's own where it is None.
            at: The second of the fill; the order's delay after the pending block where it is None.
            **fields: As in `place`.
        """
        order = yield from self.order(market, size, **fields)
        engine = yield from self._engine([order.market], None)
        yield from self._take_rights(engine, order)
        return self._filled(engine, [order], price, at)

    @verb
    def preview_place_bracket(
        self,
        market: MarketName,
        size: Amount,
        *,
        take_profit: Amount | None = None,
        stop_loss: Amount | None = None,
        trailing: Amount | None = None,
        price: Amount | None = None,
        at: int | None = None,
        **fields: Unpack[OrderFields],
    ) -> Program[OrderPreview]:
        """What `place_bracket` and then a fill of its entry would do.

        Args:
            market: Where.
            size: As in `place_bracket`.
            take_profit: As in `place_bracket`.
            stop_loss: As in `place_bracket`.
            trailing: As in `place_bracket`.
            price: As in `preview_place`.
            at: As in `preview_place`.
            **fields: As in `place_bracket`.
        """
        entry = yield from self.order(market, size, **fields)
        found = yield from self.exchange.market(entry.market)
        exits = exits_of(entry, found, take_profit, stop_loss, trailing)
        engine = yield from self._engine([entry.market], None)
        yield from self._take_rights(engine, entry)
        return self._filled(engine, [entry, *exits], price, at)

    @verb
    def preview_cancel(
        self, order: HandleVerbs | Order | bytes, *, at: int | None = None
    ) -> Program[WritePreview]:
        """What `cancel` would do."""
        placed = yield from self._order(order)
        engine = yield from self._engine([placed.market], at)
        yield from self._take_rights(engine, placed)
        # A bracket's exit needs to know its entry, which its group names.
        for order_hash in (self.exchange.hash_of(placed), placed.group):
            state = yield from self.exchange.order_state(order_hash)
            if state.status:
                engine.state.orders[order_hash] = state
        before = engine.account(self.account)
        done = engine.cancel(self.address, placed)
        return WritePreview(engine.now, before, engine.account(self.account), done.events)

    def _filled(
        self,
        engine: Engine,
        orders: Sequence[Order],
        price: Amount | None = None,
        at: int | None = None,
    ) -> OrderPreview:
        """An order, with what closes it if that comes with it, placed now and filled at a price."""
        order, *exits = orders
        executed_at = engine.now + engine.ledger.order_terms(order.market).delay
        if at is not None:
            executed_at = max(at, engine.now)
        begun = engine.account(self.account)
        if exits:
            bracket = engine.place_bracket(self.address, order, exits)
            entry_hash, events_before = bracket.value[0], bracket.events
        else:
            placed = engine.place(self.address, order)
            entry_hash, events_before = placed.value, placed.events
        resolved = engine.placed(entry_hash).order
        _publish(engine, order.market, price, executed_at)
        before = engine.account(self.account)
        reason, events = _executed(engine, resolved)
        found = engine.ledger.market(order.market)
        filled = (event for event in events if event.name in (INCREASED, DECREASED))
        return OrderPreview(
            at=executed_at,
            before=before,
            after=engine.account(self.account),
            events=(*events_before, *events),
            reason=reason,
            fills=tuple(fill_of(event, found) for event in filled),
            market=order.market,
            cash_before=begun.word.cash + begun.word.escrow,
        )

    def _asked(self, market: MarketName, amount: Amount) -> Program[tuple[int, int]]:
        id = yield from self.exchange.market_id(market)  # noqa: A001
        return id, to_quote(amount)

    def _preview(
        self, act: Callable[[Engine], Any], markets: Sequence[int], at: int | None
    ) -> Program[WritePreview]:
        engine = yield from self._engine(markets, at)
        before = engine.account(self.account)
        done = act(engine)
        return WritePreview(engine.now, before, engine.account(self.account), done.events)

    def _engine(self, markets: Sequence[int], at: int | None) -> Program[Engine]:
        """The account and its markets, offline, at a second of the chain."""
        from bulkhead.simulate.engine import Engine

        block = yield from self.exchange.block()
        found = yield from self.exchange.snapshot([self.account], markets, block)
        for market in markets:
            found.market_state(market)  # it is listed
            settings = yield from self.exchange.settings(self.account, market, block)
            found.state.settings[self.account, market] = settings.word
        keys = [(market, slot) for market in markets for slot in range(4)]
        query = queries.slots(self.exchange.contracts, self.account, keys)
        for (market, slot), position in (yield from self.exchange.node.run(query, block)).items():
            found.state.positions[self.account, market, slot] = position
        if at is None:
            at = max((yield from self.exchange.node.pending_time()), found.timestamp)
        outdated = [market for market, state in found.markets.items() if not state.is_latest]
        domain = self.exchange.separator
        return Engine(found.state, at, outdated=outdated, domain=domain)

    def _take_rights(self, engine: Engine, order: Order) -> Program[None]:
        """What others may do for the account, as far as an order needs it."""
        state = engine.state
        if order.placer != order.account:
            rights = yield from self.exchange.operator(order.account, order.placer)
            state.operators[order.account, order.placer] = rights
        if order.builder != NOBODY:
            most = yield from self.exchange.max_builder_fee(order.account, order.builder)
            state.max_builder_fees[order.account, order.builder] = most


def _publish(engine: Engine, market: int, price: Amount | None, at: int) -> None:
    """A price of that very second, as sure as the last one."""
    engine.ledger.outdated -= {market}
    old = engine.ledger.price(market)
    femto = old.price
    if price is not None:
        femto = engine.ledger.market(market).price_exact(price)
    engine.now = at
    engine.ledger.store_price(market, replace(old, price=femto, published_at=at, accepted_at=at))


def _executed(engine: Engine, order: Order) -> tuple[str, tuple[Event, ...]]:
    try:
        done = engine.execute(KEEPER, order)
    except Refused as error:
        return error.reason, ()
    ends = [event for event in done.events if event.name == "OrderCancelled"]
    return (ends[0]["reason"] if ends else ""), done.events
