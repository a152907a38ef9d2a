"""People in a simulation: the trader's verbs, in USD, base units and times of leverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Unpack

from bulkhead.accounts import AccountView
from bulkhead.order_ticket import CloseFields, OrderFields, exits_of, order_from
from bulkhead.orders import Order, PlacedOrder
from bulkhead.simulate.calls import Done
from bulkhead.simulate.engine import Engine
from bulkhead.values import Amount, to_ppm, to_quote

MarketName = str | int
"""A market by its symbol or its id."""


class Participant:
    """One account of a simulation.

    What the exchange refuses raises the exception of its reason, and has changed nothing.

    Args:
        engine: The exchange.
        name: What the account is called.
        address: Its address.
        market_id: Finds a market's id.
        next_salt: Tells the next order from all others.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        address: str,
        market_id: Callable[[MarketName], int],
        next_salt: Callable[[], int],
    ) -> None:
        self.engine = engine
        self.name = name
        self.address = address
        self._market_id = market_id
        self._next_salt = next_salt

    @property
    def account(self) -> AccountView:
        """The account now."""
        return self.engine.account(self.address)

    # Money and margin

    def deposit(self, amount: Amount) -> Done[None]:
        """Brings USD in."""
        return self.engine.deposit(self.address, self.address, to_quote(amount))

    def withdraw(self, amount: Amount) -> Done[None]:
        """Takes USD out: at most the free collateral."""
        return self.engine.withdraw(self.address, to_quote(amount), self.address)

    def add_margin(self, market: MarketName, amount: Amount, *, is_long: bool) -> Done[None]:
        """Moves USD from the cross ledger into an isolated position."""
        found = self._market_id(market)
        return self.engine.add_margin(self.address, found, is_long, to_quote(amount))

    def remove_margin(self, market: MarketName, amount: Amount, *, is_long: bool) -> Done[None]:
        """Moves USD of an isolated position back to the cross ledger."""
        found = self._market_id(market)
        return self.engine.remove_margin(self.address, found, is_long, to_quote(amount))

    def set_auto_margin(
        self, market: MarketName, allowance: Amount, *, is_long: bool
    ) -> Done[None]:
        """Lets liquidations add margin to an isolated position, up to so many USD in all."""
        found = self._market_id(market)
        return self.engine.set_auto_margin(self.address, found, is_long, to_quote(allowance))

    def convert_to_isolated(
        self, market: MarketName, margin: Amount = 0, *, is_long: bool
    ) -> Done[None]:
        """Moves a cross position to isolated margin, with so many USD; 0 for the least."""
        return self.engine.convert_position(
            self.address, self._market_id(market), is_long, True, to_quote(margin)
        )

    def convert_to_cross(self, market: MarketName, *, is_long: bool) -> Done[None]:
        """Moves an isolated position to cross margin."""
        return self.engine.convert_position(
            self.address, self._market_id(market), is_long, False, 0
        )

    # Settings

    def set_leverage(
        self,
        market: MarketName,
        leverage: Amount,
        *,
        is_isolated: bool = False,
        is_long: bool = True,
    ) -> Done[None]:
        """Sets leverage, times, of an isolated side or of both cross sides; 0 for the most."""
        ppm = to_ppm(leverage, "leverage")
        found = self._market_id(market)
        return self.engine.set_leverage(self.address, found, ppm, is_isolated, is_long)

    def set_default_margin_mode(self, market: MarketName, *, is_isolated: bool) -> Done[None]:
        """Sets what orders mean that name no margin mode."""
        found = self._market_id(market)
        return self.engine.set_default_margin_mode(self.address, found, is_isolated)

    def set_hedge_mode(self, is_hedge: bool) -> Done[None]:
        """Switches between one-way and hedge mode, while flat."""
        return self.engine.set_hedge_mode(self.address, is_hedge)

    # Orders

    def place(self, market: MarketName, size: Amount, **fields: Unpack[OrderFields]) -> PlacedOrder:
        """Commits an order. It fills at a later step, not before the market's delay has passed.

        Args:
            market: Where.
            size: Base units, rounded down to lots; 0, if reduce-only, for all there is then.
            **fields: The rest of it, as in `OrderFields`.
        """
        return self.place_order(self.order(market, size, **fields))

    def place_bracket(
        self,
        market: MarketName,
        size: Amount,
        *,
        take_profit: Amount | None = None,
        stop_loss: Amount | None = None,
        trailing: Amount | None = None,
        **fields: Unpack[OrderFields],
    ) -> tuple[PlacedOrder, ...]:
        """Commits an entry and what closes it; the exits sleep until it has filled.

        Args:
            market: Where.
            size: The entry's, base units.
            take_profit: The price of its take-profit.
            stop_loss: The price of its stop; of a trailing one, where that begins to follow.
            trailing: The callback rate of a trailing stop instead: 0.05 is five percent.
            **fields: The rest of the entry, as in `OrderFields`.

        Returns:
            The entry, then its exits.
        """
        entry = self.order(market, size, **fields)
        found = self.engine.ledger.market(entry.market)
        exits = exits_of(entry, found, take_profit, stop_loss, trailing)
        children = [replace(one, salt=self._next_salt()) for one in exits]
        placed = self.engine.place_bracket(self.address, entry, children)
        return tuple(self.engine.placed(one) for one in placed.value)

    def close_position(
        self, market: MarketName, *, is_long: bool, **fields: Unpack[CloseFields]
    ) -> PlacedOrder:
        """Commits an order that closes all of a position, whatever it is when it fills."""
        return self.place(market, 0, is_buy=not is_long, reduce_only=True, **fields)

    def place_order(self, order: Order) -> PlacedOrder:
        """Commits an order given in the contract's own units."""
        return self.engine.placed(self.engine.place(self.address, order).value)

    def cancel(self, order: PlacedOrder) -> Done[None]:
        """Ends an order; a market order binds until it expires."""
        return self.engine.cancel(self.address, order.order)

    def cancel_all(self) -> Done[None]:
        """Ends everything the account has resting."""
        return self.engine.cancel_all(self.address, self.address)

    def order(self, market: MarketName, size: Amount, **fields: Unpack[OrderFields]) -> Order:
        """An order in the contract's own units; takes what `place` takes, commits nothing."""
        if "salt" not in fields and "client_id" not in fields:
            fields["salt"] = self._next_salt()
        found = self.engine.ledger.market(self._market_id(market))
        return order_from(found, self.address, self.address, size, fields)
