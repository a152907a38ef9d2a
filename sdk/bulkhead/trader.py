"""Trades for an account: one signer, every verb the contracts give an account."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Required, TypedDict, Unpack

from bulkhead.chain import Receipt, address_of
from bulkhead.handles import OrderHandle
from bulkhead.interfaces import Call
from bulkhead.markets import Market
from bulkhead.orders import (
    MarginMode,
    Order,
    OrderKind,
    PlacedOrder,
    PositionSide,
    Preview,
    placed_of,
)
from bulkhead.permits import Permit
from bulkhead.reader import MarketName, Reader
from bulkhead.values import Amount, to_ppm, to_quote, to_units

if TYPE_CHECKING:
    from bulkhead.chain import Signer

UNLIMITED = 2**256 - 1
ZERO_ADDRESS = "0x" + "00" * 20


class CloseFields(TypedDict, total=False):
    """What an order may say besides market, size and direction.

    Attributes:
        kind: What it waits for; a market order if left out.
        margin_mode: CROSS, ISOLATED, or the account's default.
        position_side: In hedge mode, the side it means.
        trigger_price: Of a stop or take-profit. Rounded away from triggering early.
        acceptable_price: The worst average fill; a limit order's limit. Never rounded to worse.
        expiry: The last second it may fill in; 0 for never, and in a market order.
        salt: The client's id; random if left out. The same order twice is refused.
    """

    kind: OrderKind
    margin_mode: MarginMode
    position_side: PositionSide
    trigger_price: Amount | None
    acceptable_price: Amount | None
    expiry: int
    salt: int | None


class OrderFields(CloseFields, total=False):
    """What an order may say besides market and size.

    Attributes:
        is_buy: Direction; the one that must be said.
        reduce_only: Whether it may only reduce.
        margin: USD to move into the vault; 0 for what the leverage asks.
        leverage: Times; 0 for the account's own.
    """

    is_buy: Required[bool]
    reduce_only: bool
    margin: Amount
    leverage: Amount


class Trader:
    """Acts for one account. Amounts are USD, sizes base units, prices USD per base unit.

    Args:
        reader: The exchange.
        signer: Who signs: the account itself or its operator.
        account: Whose orders an operator places; the signer's own where it is None.
    """

    def __init__(self, reader: Reader, signer: Signer, account: str | None = None) -> None:
        self.reader = reader
        self.signer = signer
        self.address = address_of(signer)
        self.account = account or self.address

    # Money

    def deposit(self, amount: Amount, account: str | None = None) -> Receipt:
        """Brings USD into an account's cash, the trader's own unless another is named.

        Approves the clearinghouse first where its allowance is too low.
        """
        units = self._token_units(amount)
        self._allow(units)
        return self._clearinghouse("deposit", account or self.account, units)

    def deposit_with_permit(self, permit: Permit) -> Receipt:
        """Brings an account's own tokens in by its signed permit; anyone may send it."""
        return self._clearinghouse("deposit_with_permit", *permit)

    def deposit_margin(
        self, market: MarketName, amount: Amount, *, is_long: bool, account: str | None = None
    ) -> Receipt:
        """Brings USD straight into an open isolated position's margin."""
        units = self._token_units(amount)
        self._allow(units)
        market_id = self.reader.market_id(market)
        owner = account or self.account
        return self._clearinghouse("deposit_margin", owner, market_id, is_long, units)

    def withdraw(self, amount: Amount, receiver: str | None = None) -> Receipt:
        """Sends USD of the trader's cash out, to itself unless a receiver is named."""
        return self._clearinghouse("withdraw", self._token_units(amount), receiver or self.address)

    def add_margin(self, market: MarketName, amount: Amount, *, is_long: bool) -> Receipt:
        """Moves USD of cash into an open isolated position."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("add_margin", market_id, is_long, to_quote(amount))

    def remove_margin(self, market: MarketName, amount: Amount, *, is_long: bool) -> Receipt:
        """Moves USD of an isolated position's margin back to cash."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("remove_margin", market_id, is_long, to_quote(amount))

    def set_auto_margin(self, market: MarketName, allowance: Amount, *, is_long: bool) -> Receipt:
        """Lets liquidations add margin to an open isolated position before they close it.

        Args:
            market: Where.
            allowance: USD in all, keepers' fees included; 0 revokes. It ends with the position.
            is_long: Which side.
        """
        market_id = self.reader.market_id(market)
        return self._clearinghouse(
            "set_auto_margin", market_id, is_long, to_quote(allowance, "allowance")
        )

    def convert_to_isolated(
        self, market: MarketName, margin: Amount = 0, *, is_long: bool
    ) -> Receipt:
        """Moves an open cross position into its own vault.

        Args:
            market: Where.
            margin: USD that go with it; 0 for the least: initial margin at the vault's leverage,
                and the unrealised loss.
            is_long: Which side.
        """
        market_id = self.reader.market_id(market)
        quote = to_quote(margin, "margin")
        return self._clearinghouse("convert_position", market_id, is_long, True, quote)

    def convert_to_cross(self, market: MarketName, *, is_long: bool) -> Receipt:
        """Moves an open isolated position, and all of its margin, into the cross ledger."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("convert_position", market_id, is_long, False, 0)

    # Settings

    def set_leverage(
        self,
        market: MarketName,
        leverage: Amount,
        *,
        is_isolated: bool = False,
        is_long: bool = True,
    ) -> Receipt:
        """Sets the leverage of an isolated side, or of both cross legs.

        Args:
            market: Where.
            leverage: Times; 0 for as much as the tiers allow.
            is_isolated: Which margin mode.
            is_long: Which side, if isolated.
        """
        market_id = self.reader.market_id(market)
        ppm = to_ppm(leverage, "leverage")
        return self._clearinghouse("set_leverage", market_id, ppm, is_isolated, is_long)

    def set_default_margin_mode(self, market: MarketName, *, is_isolated: bool) -> Receipt:
        """Sets what DEFAULT means in orders for a market."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("set_default_margin_mode", market_id, is_isolated)

    def set_hedge_mode(self, is_hedge: bool) -> Receipt:
        """Switches between one-way and hedge mode; needs the account to be flat."""
        return self._clearinghouse("set_hedge_mode", is_hedge)

    def set_operator(self, operator: str, expiry: int) -> Receipt:
        """Lets an operator trade up to and including a second of the chain; 0 revokes."""
        return self._clearinghouse("set_operator", operator, expiry)

    # Orders

    def place(self, market: MarketName, size: Amount, **fields: Unpack[OrderFields]) -> OrderHandle:
        """Commits an order. It fills later, at a price published after this.

        Args:
            market: Where.
            size: Base units, rounded down to lots; 0, if reduce-only, for all there is then.
            **fields: The rest of it, as in `OrderFields`.
        """
        return self.place_order(self.order(market, size, **fields))

    def preview(self, market: MarketName, size: Amount, **fields: Unpack[OrderFields]) -> Preview:
        """What placing and executing an order now would do; takes what `place` takes."""
        return self.reader.preview_order(self.order(market, size, **fields))

    def order(self, market: MarketName, size: Amount, **fields: Unpack[OrderFields]) -> Order:
        """An order in the contract's own units; takes what `place` takes, sends nothing."""
        found = self.reader.market(market)
        is_buy = fields["is_buy"]
        kind = fields.get("kind", OrderKind.MARKET)
        reduce_only = fields.get("reduce_only", False)
        lots = found.lots_down(size)
        if lots == 0 and not (reduce_only and size == 0):
            raise ValueError(f"size: less than one lot of {found.size_of(1)}")
        salt = fields.get("salt")
        return Order(
            account=self.account,
            placer=self.address,
            market=found.id,
            kind=kind,
            margin_mode=fields.get("margin_mode", MarginMode.DEFAULT),
            position_side=fields.get("position_side", PositionSide.ONE_WAY),
            is_buy=is_buy,
            reduce_only=reduce_only,
            size=lots,
            trigger_price=_trigger(found, fields.get("trigger_price"), kind, is_buy),
            acceptable_price=_acceptable(found, fields.get("acceptable_price"), is_buy),
            margin=to_quote(fields.get("margin", 0), "margin"),
            leverage=to_ppm(fields.get("leverage", 0), "leverage"),
            expiry=fields.get("expiry", 0),
            salt=secrets.randbits(128) if salt is None else salt,
        )

    def close_position(
        self, market: MarketName, *, is_long: bool, **fields: Unpack[CloseFields]
    ) -> OrderHandle:
        """Commits an order that closes all of a position, whatever it is when it fills.

        Args:
            market: Where.
            is_long: Which side is closed.
            **fields: The rest of it, as in `OrderFields`.
        """
        return self.place(market, 0, is_buy=not is_long, reduce_only=True, **fields)

    def place_order(self, order: Order) -> OrderHandle:
        """Commits an order given in the contract's own units; the signer is its placer."""
        # The order book puts in the signer wherever it reads zero, and zeros are cheap to send.
        account = ZERO_ADDRESS if order.account == self.address else order.account
        sent = replace(order, account=account, placer=ZERO_ADDRESS)
        receipt = self._order_book("place", sent.to_tuple())
        return OrderHandle(self.reader, self._placed_in(receipt))

    def cancel(self, order: OrderHandle | Order | bytes) -> Receipt:
        """Ends an order: by its handle, itself as placed, or its hash."""
        if isinstance(order, bytes):
            order = self.reader.placed_order(order).order
        elif isinstance(order, OrderHandle):
            order = order.order
        return self._order_book("cancel", order.to_tuple())

    def _placed_in(self, receipt: Receipt) -> PlacedOrder:
        events = self.reader.contracts.decode_logs(receipt.logs)
        return placed_of(next(event for event in events if event.name == "OrderPlaced"))

    def _token_units(self, amount: Amount) -> int:
        # Whole quote units only: the ledger takes no part of one.
        quote = to_quote(amount)
        decimals = self.reader.deployment.token_decimals
        return to_units(amount, decimals) if decimals < 6 else quote * 10 ** (decimals - 6)

    def _allow(self, units: int) -> None:
        token, spender = self.reader.contracts.token, self.reader.deployment.clearinghouse
        allowed = self.reader.chain.read(token.call("allowance", self.address, spender))
        if allowed < units:
            self._send(token.call("approve", spender, UNLIMITED))

    def _clearinghouse(self, name: str, *arguments: object) -> Receipt:
        return self._send(self.reader.contracts.clearinghouse.call(name, *arguments))

    def _order_book(self, name: str, *arguments: object) -> Receipt:
        return self._send(self.reader.contracts.order_book.call(name, *arguments))

    def _send(self, call: Call) -> Receipt:
        return self.reader.chain.send(call, self.signer)


def _acceptable(market: Market, price: Amount | None, is_buy: bool) -> int:
    return 0 if price is None else market.acceptable_price(price, is_buy=is_buy)


def _trigger(market: Market, price: Amount | None, kind: OrderKind, is_buy: bool) -> int:
    if price is None:
        return 0
    must_rise = is_buy == (kind == OrderKind.STOP)
    return market.price_up(price) if must_rise else market.price_down(price)
