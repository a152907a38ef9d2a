"""Orders of an account: placing, replacing and cancelling them, and who else may."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack

from bulkhead.chain import Receipt, address_of
from bulkhead.errors import StopBeyondLiquidation
from bulkhead.handles import OrderHandle
from bulkhead.interfaces import Call
from bulkhead.markets import Market
from bulkhead.orders import (
    NO_GROUP,
    NOBODY,
    MarginMode,
    Order,
    OrderKind,
    Permission,
    PositionSide,
    Preview,
    placed_of,
)
from bulkhead.reader import MarketName, Reader
from bulkhead.signatures import SignedBracket, SignedOrder
from bulkhead.values import Amount, to_ppm, to_quote

if TYPE_CHECKING:
    from bulkhead.chain import Signer


class CloseFields(TypedDict, total=False):
    """What an order may say besides market, size and direction.

    Attributes:
        kind: What it waits for; a market order if left out.
        margin_mode: CROSS, ISOLATED, or the account's default.
        position_side: In hedge mode, the side it means.
        trigger_price: Of a stop or take-profit; where a trailing stop begins to follow. Rounded
            away from triggering early.
        callback_rate: How far the price comes back from its best to trigger a trailing stop: 0.05
            is five percent.
        acceptable_price: The worst average fill; a limit order's limit. Never rounded to worse.
        expiry: The last second it may fill in; 0 for never, and in a market order.
        group: Of orders of one group the first that fills ends the others.
        builder: Who brought the order; the account has approved it.
        builder_fee: What it charges, of notional: 0.001 is a tenth of a percent, and the most.
        salt: The client's id; random if left out. The same order twice is refused.
    """

    kind: OrderKind
    margin_mode: MarginMode
    position_side: PositionSide
    trigger_price: Amount | None
    callback_rate: Amount
    acceptable_price: Amount | None
    expiry: int
    group: bytes
    builder: str
    builder_fee: Amount
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


class OrderDesk:
    """Places orders for one account. Sizes are base units, prices USD per base unit.

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

    def place(
        self,
        market: MarketName,
        size: Amount,
        *,
        beyond_liquidation: bool = False,
        **fields: Unpack[OrderFields],
    ) -> OrderHandle:
        """Commits an order. It fills later, at a price published after this.

        Args:
            market: Where.
            size: Base units, rounded down to lots; 0, if reduce-only, for all there is then.
            beyond_liquidation: Whether a stop may lie where its position is liquidated first:
                legitimate in cross, where other positions move that price.
            **fields: The rest of it, as in `OrderFields`.

        Raises:
            StopBeyondLiquidation: If it does, and may not.
        """
        order = self.order(market, size, **fields)
        if not beyond_liquidation:
            self._check_stop(order)
        return self.place_order(order)

    def place_bracket(
        self,
        market: MarketName,
        size: Amount,
        *,
        take_profit: Amount | None = None,
        stop_loss: Amount | None = None,
        trailing: Amount | None = None,
        beyond_liquidation: bool = False,
        **fields: Unpack[OrderFields],
    ) -> tuple[OrderHandle, ...]:
        """Commits an entry and what closes it, in one transaction: never an unprotected gap.

        The exits sleep until the entry has filled, close exactly what it opened, and end with the
        first of them that fills or with the position.

        Args:
            market: Where.
            size: The entry's, base units.
            take_profit: The price of its take-profit.
            stop_loss: The price of its stop; of a trailing one, where that begins to follow.
            trailing: The callback rate of a trailing stop instead: 0.05 is five percent.
            beyond_liquidation: As in `place`.
            **fields: The rest of the entry, as in `OrderFields`.

        Returns:
            The entry, then its exits.
        """
        entry = self.order(market, size, **fields)
        exits = self._exits(entry, take_profit, stop_loss, trailing)
        children = [replace(one, margin_mode=entry.margin_mode) for one in exits]
        if not beyond_liquidation:
            self._check_bracket(entry, children)
        sent = [self._sent(one).to_tuple() for one in (entry, *children)]
        return self._handles(self._order_book("place_bracket", sent[0], sent[1:]))

    def protect(
        self,
        market: MarketName,
        *,
        is_long: bool,
        margin_mode: MarginMode = MarginMode.DEFAULT,
        take_profit: Amount | None = None,
        stop_loss: Amount | None = None,
        trailing: Amount | None = None,
        beyond_liquidation: bool = False,
    ) -> tuple[OrderHandle, ...]:
        """Commits exits for all of an open position: the first that fills ends the other.

        They end with the position, however it ends. Takes what `place_bracket` takes.
        """
        side = PositionSide.ONE_WAY
        if self.reader.account(self.account).is_hedge:
            side = PositionSide.LONG if is_long else PositionSide.SHORT
        opened = self.order(
            market,
            0,
            is_buy=is_long,
            reduce_only=True,
            margin_mode=margin_mode,
            position_side=side,
        )
        group = secrets.token_bytes(32)
        exits = self._exits(opened, take_profit, stop_loss, trailing)
        orders = [replace(one, group=group) for one in exits]
        if not beyond_liquidation:
            for one in orders:
                self._check_stop(one)
        return tuple(self.place_order(one) for one in orders)

    def replace(self, old: OrderHandle | Order | bytes, **changes: Any) -> OrderHandle:
        """Cancels an order and commits another in one transaction, so that nothing is unprotected.

        Args:
            old: By its handle, itself as placed, or its hash.
            **changes: Fields of `Order`, in the contract's units; the salt is new unless named.
        """
        placed = self._order(old)
        changes.setdefault("salt", secrets.randbits(128))
        order = replace(placed, **changes)
        receipt = self._order_book("replace", placed.to_tuple(), order.to_tuple())
        return self._handles(receipt)[0]

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
            callback_rate=to_ppm(fields.get("callback_rate", 0), "callback_rate"),
            acceptable_price=_acceptable(found, fields.get("acceptable_price"), is_buy),
            margin=to_quote(fields.get("margin", 0), "margin"),
            leverage=to_ppm(fields.get("leverage", 0), "leverage"),
            expiry=fields.get("expiry", 0),
            group=fields.get("group", NO_GROUP),
            builder=fields.get("builder", NOBODY),
            builder_fee=to_ppm(fields.get("builder_fee", 0), "builder_fee"),
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
        receipt = self._order_book("place", self._sent(order).to_tuple())
        return self._handles(receipt)[0]

    def place_signed(self, signed: SignedOrder | SignedBracket) -> tuple[OrderHandle, ...]:
        """Commits what somebody else has signed, and pays its gas; the commit is of now."""
        if isinstance(signed, SignedOrder):
            receipt = self._order_book("place_with_signature", signed.order.to_tuple(), *signed[1:])
        else:
            receipt = self._order_book(
                "place_bracket_with_signature",
                signed.entry.to_tuple(),
                [child.to_tuple() for child in signed.children],
                *signed[2:],
            )
        return self._handles(receipt)

    def cancel(self, order: OrderHandle | Order | bytes) -> Receipt:
        """Ends an order: by its handle, itself as placed, or its hash; a dead one anyone may."""
        return self._order_book("cancel", self._order(order).to_tuple())

    def cancel_orders(self, orders: Sequence[OrderHandle | Order | bytes]) -> Receipt:
        """Ends up to 32 orders in one transaction; those that are not pending are skipped."""
        return self._order_book("cancel_orders", [self._order(one).to_tuple() for one in orders])

    def cancel_all(self) -> Receipt:
        """Ends everything the account has resting, brackets' exits too; market orders bind.

        Nothing of it can fill any more; `cancel_orders` then returns the keeper's fees.
        """
        return self._order_book("cancel_all", self.account)

    def cancel_nonces(self, nonces: Iterable[int]) -> tuple[Receipt, ...]:
        """Voids what the signer has signed with some nonces."""
        masks: dict[int, int] = {}
        for nonce in nonces:
            masks[nonce >> 8] = masks.get(nonce >> 8, 0) | 1 << (nonce & 255)
        return tuple(self._order_book("cancel_nonces", *one) for one in masks.items())

    # Who else may do what

    def set_operator(
        self,
        operator: str,
        permissions: Permission,
        *,
        markets: Iterable[MarketName] = (),
        notional: Amount = 0,
        expiry: int,
    ) -> Receipt:
        """Lets an operator trade for the signer, and replaces what it was allowed.

        Args:
            operator: Who.
            permissions: What it may do.
            markets: Where, unless `Permission.ALL_MARKETS` is among them.
            notional: USD that its orders may open in all.
            expiry: Seconds, the last it may act in.
        """
        bits = sum({1 << self.reader.market_id(market) for market in markets})
        return self._order_book(
            "set_operator", operator, int(permissions), bits, to_quote(notional), expiry
        )

    def revoke_operator(self, operator: str) -> Receipt:
        """Takes all rights from an operator; its orders end when their price comes."""
        return self._order_book("set_operator", operator, 0, 0, 0, 0)

    def approve_builder(self, builder: str, max_fee: Amount) -> Receipt:
        """Lets a front-end charge up to a part of notional, at most 0.001; 0 revokes."""
        return self._order_book("approve_builder", builder, to_ppm(max_fee, "max_fee"))

    def set_referrer(self, referrer: str) -> Receipt:
        """Names, once, who brought the signer's account."""
        return self._order_book("set_referrer", referrer)

    def set_referral_share(self, share: Amount) -> Receipt:
        """As a builder: what part of its fees goes to the referrers of those who pay them."""
        return self._order_book("set_referral_share", to_ppm(share, "share"))

    def _exits(
        self,
        entry: Order,
        take_profit: Amount | None,
        stop_loss: Amount | None,
        callback_rate: Amount | None,
    ) -> list[Order]:
        """What closes a position that an order like `entry` opens."""
        if take_profit is None and stop_loss is None and callback_rate is None:
            raise ValueError("a bracket has a take-profit, a stop, or both")
        trails = callback_rate is not None
        prices = {
            OrderKind.TAKE_PROFIT: take_profit,
            OrderKind.TRAILING_STOP if trails else OrderKind.STOP: stop_loss,
        }
        return [
            replace(
                self.order(
                    entry.market,
                    0,
                    is_buy=not entry.is_buy,
                    reduce_only=True,
                    kind=kind,
                    trigger_price=price,
                    callback_rate=callback_rate or 0 if kind is OrderKind.TRAILING_STOP else 0,
                    margin_mode=MarginMode(entry.margin_mode),
                    position_side=PositionSide(entry.position_side),
                ),
                account=entry.account,
            )
            for kind, price in prices.items()
            if price is not None or kind is OrderKind.TRAILING_STOP
        ]

    def _check_stop(self, order: Order) -> None:
        """A reduce-only stop must come before the liquidation of what it protects."""
        if order.kind != OrderKind.STOP or not order.reduce_only:
            return
        if order.margin_mode == MarginMode.DEFAULT:
            settings = self.reader.settings(order.account, order.market)
            mode = MarginMode.ISOLATED if settings.is_isolated_by_default else MarginMode.CROSS
            order = replace(order, margin_mode=mode)
        found = self.reader.exit(order)
        if found.is_beyond:
            raise _beyond(order.market, found.trigger_price, found.liquidation_price)

    def _check_bracket(self, entry: Order, children: Iterable[Order]) -> None:
        """The same for a position that is not open yet: as filling the entry now would leave it."""
        stops = [child for child in children if child.kind == OrderKind.STOP]
        if not stops:
            return
        after = self.reader.preview_order(entry)
        if after.reason or not after.increased:
            return
        side = "lower" if entry.is_buy else "upper"
        liquidation = int(after.position[f"{side}_liquidation_price"])
        for stop in stops:
            sign = 1 if entry.is_buy else -1
            if liquidation and sign * stop.trigger_price <= sign * liquidation:
                raise _beyond(entry.market, stop.trigger_price, liquidation)

    def _order(self, order: OrderHandle | Order | bytes) -> Order:
        if isinstance(order, bytes):
            return self.reader.placed_order(order).order
        return order.order if isinstance(order, OrderHandle) else order

    def _sent(self, order: Order) -> Order:
        # The order book puts in the signer wherever it reads zero, and zeros are cheap to send.
        account = NOBODY if order.account == self.address else order.account
        return replace(order, account=account, placer=NOBODY)

    def _handles(self, receipt: Receipt) -> tuple[OrderHandle, ...]:
        events = self.reader.contracts.decode_logs(receipt.logs)
        placed = (placed_of(event) for event in events if event.name == "OrderPlaced")
        return tuple(OrderHandle(self.reader, one) for one in placed)

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


def _beyond(market: int, trigger: int, liquidation: int) -> StopBeyondLiquidation:
    return StopBeyondLiquidation(
        f"market {market}: the stop at {trigger} femto per lot lies beyond the liquidation price "
        f"{liquidation}; say beyond_liquidation=True if other positions move that"
    )
