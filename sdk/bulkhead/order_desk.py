"""Orders of an account: placing, replacing and cancelling them, and who else may."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, Required, TypedDict, TypeVar, Unpack

from bulkhead.actors import ActorVerbs
from bulkhead.chain import Program, Receipt, verb
from bulkhead.errors import ClientIdTaken, StopBeyondLiquidation
from bulkhead.handles import HandleVerbs
from bulkhead.markets import Market
from bulkhead.orders import (
    NO_GROUP,
    NOBODY,
    MarginMode,
    Order,
    OrderKind,
    Permission,
    PlacedOrder,
    PositionSide,
    Preview,
    placed_of,
    salt_of,
)
from bulkhead.signatures import SignedBracket, SignedOrder
from bulkhead.values import Amount, to_ppm, to_quote

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import MarketName, ReaderVerbs

Handle = TypeVar("Handle")

CLIENT_ID_BLOCKS = 50_000
"""For how many blocks a client's id keeps an order from being placed twice."""


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
        client_id: The client's name for it. Placed again under the same name, within
            `CLIENT_ID_BLOCKS`, it is not placed again: the handle of the first is returned.
        salt: Tells it from the same order at another time; random if left out, or made from the
            client's id.
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
    client_id: str
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


class OrderDeskVerbs(ActorVerbs, Generic[Handle]):
    """Places orders for one account. Sizes are base units, prices USD per base unit.

    Args:
        exchange: What it acts on.
        signer: Who signs: the account itself or its operator.
        handle: Makes a handle of a placed order.
        account: Whose orders an operator places; the signer's own where it is None.
    """

    def __init__(
        self,
        exchange: ReaderVerbs,
        signer: Signer,
        handle: Callable[[PlacedOrder], Handle],
        account: str | None = None,
    ) -> None:
        super().__init__(exchange, signer)
        self.account = account or self.address
        self._handle = handle

    @verb
    def place(
        self,
        market: MarketName,
        size: Amount,
        *,
        beyond_liquidation: bool = False,
        **fields: Unpack[OrderFields],
    ) -> Program[Handle]:
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
        order = yield from self.order(market, size, **fields)
        before = yield from self._placed_before(order, fields)
        if before is not None:
            return self._handle(before)
        if not beyond_liquidation:
            yield from self._check_stop(order)
        return (yield from self.place_order(order))

    @verb
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
    ) -> Program[tuple[Handle, ...]]:
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
        entry = yield from self.order(market, size, **fields)
        before = yield from self._placed_before(entry, fields)
        if before is not None:
            rest = yield from self.exchange.children(before)
            return tuple(map(self._handle, (before, *rest)))
        exits = yield from self._exits(entry, take_profit, stop_loss, trailing)
        children = [replace(one, margin_mode=entry.margin_mode) for one in exits]
        if not beyond_liquidation:
            yield from self._check_bracket(entry, children)
        sent = [self._sent(one).to_tuple() for one in (entry, *children)]
        return self._handles((yield from self._order_book("place_bracket", sent[0], sent[1:])))

    @verb
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
    ) -> Program[tuple[Handle, ...]]:
        """Commits exits for all of an open position: the first that fills ends the other.

        They end with the position, however it ends. Takes what `place_bracket` takes.
        """
        side = PositionSide.ONE_WAY
        if (yield from self.exchange.account(self.account)).is_hedge:
            side = PositionSide.LONG if is_long else PositionSide.SHORT
        opened = yield from self.order(
            market,
            0,
            is_buy=is_long,
            reduce_only=True,
            margin_mode=margin_mode,
            position_side=side,
        )
        group = secrets.token_bytes(32)
        exits = yield from self._exits(opened, take_profit, stop_loss, trailing)
        orders = [replace(one, group=group) for one in exits]
        if not beyond_liquidation:
            for one in orders:
                yield from self._check_stop(one)
        placed: list[Handle] = []
        for one in orders:
            placed.append((yield from self.place_order(one)))  # noqa: PERF401 - it yields
        return tuple(placed)

    @verb
    def replace(self, old: HandleVerbs | Order | bytes, /, **changes: Any) -> Program[Handle]:
        """Cancels an order and commits another in one transaction, so that nothing is unprotected.

        Args:
            old: By its handle, itself as placed, or its hash.
            **changes: Fields of `Order`, in the contract's units; the salt is new unless named.
        """
        placed = yield from self._order(old)
        changes.setdefault("salt", secrets.randbits(128))
        order = replace(placed, **changes)
        receipt = yield from self._order_book("replace", placed.to_tuple(), order.to_tuple())
        return self._handles(receipt)[0]

    @verb
    def preview(
        self, market: MarketName, size: Amount, **fields: Unpack[OrderFields]
    ) -> Program[Preview]:
        """What placing and executing an order now would do; takes what `place` takes."""
        order = yield from self.order(market, size, **fields)
        return (yield from self.exchange.preview_order(order))

    @verb
    def order(
        self, market: MarketName, size: Amount, **fields: Unpack[OrderFields]
    ) -> Program[Order]:
        """An order in the contract's own units; takes what `place` takes, sends nothing."""
        found = yield from self.exchange.market(market)
        is_buy = fields["is_buy"]
        kind = fields.get("kind", OrderKind.MARKET)
        reduce_only = fields.get("reduce_only", False)
        lots = found.lots_down(size)
        if lots == 0 and not (reduce_only and size == 0):
            raise ValueError(f"size: less than one lot of {found.size_of(1)}")
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
            salt=_salt(fields),
        )

    @verb
    def close_position(
        self, market: MarketName, *, is_long: bool, **fields: Unpack[CloseFields]
    ) -> Program[Handle]:
        """Commits an order that closes all of a position, whatever it is when it fills.

        Args:
            market: Where.
            is_long: Which side is closed.
            **fields: The rest of it, as in `OrderFields`.
        """
        return self.place(market, 0, is_buy=not is_long, reduce_only=True, **fields)

    @verb
    def place_order(self, order: Order) -> Program[Handle]:
        """Commits an order given in the contract's own units; the signer is its placer."""
        receipt = yield from self._order_book("place", self._sent(order).to_tuple())
        return self._handles(receipt)[0]

    @verb
    def place_signed(self, signed: SignedOrder | SignedBracket) -> Program[tuple[Handle, ...]]:
        """Commits what somebody else has signed, and pays its gas; the commit is of now."""
        if isinstance(signed, SignedOrder):
            receipt = yield from self._order_book(
                "place_with_signature", signed.order.to_tuple(), *signed[1:]
            )
        else:
            receipt = yield from self._order_book(
                "place_bracket_with_signature",
                signed.entry.to_tuple(),
                [child.to_tuple() for child in signed.children],
                *signed[2:],
            )
        return self._handles(receipt)

    @verb
    def cancel(self, order: HandleVerbs | Order | bytes) -> Program[Receipt]:
        """Ends an order: by its handle, itself as placed, or its hash; a dead one anyone may."""
        placed = yield from self._order(order)
        return (yield from self._order_book("cancel", placed.to_tuple()))

    @verb
    def cancel_orders(self, orders: Sequence[HandleVerbs | Order | bytes]) -> Program[Receipt]:
        """Ends up to 32 orders in one transaction; those that are not pending are skipped."""
        placed = []
        for order in orders:
            placed.append((yield from self._order(order)).to_tuple())  # noqa: PERF401 - it yields
        return (yield from self._order_book("cancel_orders", placed))

    @verb
    def cancel_all(self) -> Program[Receipt]:
        """Ends everything the account has resting, brackets' exits too; market orders bind.

        Nothing of it can fill any more; `cancel_orders` then returns the keeper's fees.
        """
        return self._order_book("cancel_all", self.account)

    @verb
    def cancel_nonces(self, nonces: Iterable[int]) -> Program[tuple[Receipt, ...]]:
        """Voids what the signer has signed with some nonces."""
        masks: dict[int, int] = {}
        for nonce in nonces:
            masks[nonce >> 8] = masks.get(nonce >> 8, 0) | 1 << (nonce & 255)
        receipts: list[Receipt] = []
        for word, mask in masks.items():
            receipts.append((yield from self._order_book("cancel_nonces", word, mask)))
        return tuple(receipts)

    # Who else may do what

    @verb
    def set_operator(
        self,
        operator: str,
        permissions: Permission,
        *,
        markets: Iterable[MarketName] = (),
        notional: Amount = 0,
        expiry: int,
    ) -> Program[Receipt]:
        """Lets an operator trade for the signer, and replaces what it was allowed.

        Args:
            operator: Who.
            permissions: What it may do.
            markets: Where, unless `Permission.ALL_MARKETS` is among them.
            notional: USD that its orders may open in all.
            expiry: Seconds, the last it may act in.
        """
        bits = 0
        for market in markets:
            bits |= 1 << (yield from self.exchange.market_id(market))
        quote = to_quote(notional, "notional")
        call = ("set_operator", operator, int(permissions), bits, quote, expiry)
        return (yield from self._order_book(*call))

    @verb
    def revoke_operator(self, operator: str) -> Program[Receipt]:
        """Takes all rights from an operator; its orders end when their price comes."""
        return self._order_book("set_operator", operator, 0, 0, 0, 0)

    @verb
    def approve_builder(self, builder: str, max_fee: Amount) -> Program[Receipt]:
        """Lets a front-end charge up to a part of notional, at most 0.001; 0 revokes."""
        return self._order_book("approve_builder", builder, to_ppm(max_fee, "max_fee"))

    @verb
    def set_referrer(self, referrer: str) -> Program[Receipt]:
        """Names, once, who brought the signer's account."""
        return self._order_book("set_referrer", referrer)

    @verb
    def set_referral_share(self, share: Amount) -> Program[Receipt]:
        """As a builder: what part of its fees goes to the referrers of those who pay them."""
        return self._order_book("set_referral_share", to_ppm(share, "share"))

    def _exits(
        self,
        entry: Order,
        take_profit: Amount | None,
        stop_loss: Amount | None,
        callback_rate: Amount | None,
    ) -> Program[list[Order]]:
        """What closes a position that an order like `entry` opens."""
        if take_profit is None and stop_loss is None and callback_rate is None:
            raise ValueError("a bracket has a take-profit, a stop, or both")
        market = yield from self.exchange.market(entry.market)
        trails = callback_rate is not None
        prices = {
            OrderKind.TAKE_PROFIT: take_profit,
            OrderKind.TRAILING_STOP if trails else OrderKind.STOP: stop_loss,
        }
        rate = to_ppm(callback_rate or 0, "callback_rate")
        exits = []
        for kind, price in prices.items():
            trailing = kind is OrderKind.TRAILING_STOP
            if price is None and not trailing:
                continue
            exits.append(
                replace(
                    entry,
                    placer=self.address,
                    kind=kind,
                    is_buy=not entry.is_buy,
                    reduce_only=True,
                    size=0,
                    trigger_price=_trigger(market, price, kind, not entry.is_buy),
                    callback_rate=rate if trailing else 0,
                    acceptable_price=0,
                    margin=0,
                    leverage=0,
                    expiry=0,
                    group=NO_GROUP,
                    builder=NOBODY,
                    builder_fee=0,
                    salt=secrets.randbits(128),
                )
            )
        return exits

    def _check_stop(self, order: Order) -> Program[None]:
        """A reduce-only stop must come before the liquidation of what it protects."""
        if order.kind != OrderKind.STOP or not order.reduce_only:
            return
        if order.margin_mode == MarginMode.DEFAULT:
            settings = yield from self.exchange.settings(order.account, order.market)
            mode = MarginMode.ISOLATED if settings.is_isolated_by_default else MarginMode.CROSS
            order = replace(order, margin_mode=mode)
        found = yield from self.exchange.exit(order)
        if found.is_beyond:
            raise _beyond(order.market, found.trigger_price, found.liquidation_price)

    def _check_bracket(self, entry: Order, children: Iterable[Order]) -> Program[None]:
        """The same for a position that is not open yet: as filling the entry now would leave it."""
        stops = [child for child in children if child.kind == OrderKind.STOP]
        if not stops:
            return
        after = yield from self.exchange.preview_order(entry)
        if after.reason or not after.increased:
            return
        side = "lower" if entry.is_buy else "upper"
        liquidation = int(after.position[f"{side}_liquidation_price"])
        for stop in stops:
            sign = 1 if entry.is_buy else -1
            if liquidation and sign * stop.trigger_price <= sign * liquidation:
                raise _beyond(entry.market, stop.trigger_price, liquidation)

    def _order(self, order: HandleVerbs | Order | bytes) -> Program[Order]:
        if isinstance(order, bytes):
            return (yield from self.exchange.placed_order(order)).order
        return order.order if isinstance(order, HandleVerbs) else order

    def _sent(self, order: Order) -> Order:
        # The order book puts in the signer wherever it reads zero, and zeros are cheap to send.
        account = NOBODY if order.account == self.address else order.account
        return replace(order, account=account, placer=NOBODY)

    def _handles(self, receipt: Receipt) -> tuple[Handle, ...]:
        events = self.exchange.contracts.decode_logs(receipt.logs)
        placed = (placed_of(event) for event in events if event.name == "OrderPlaced")
        return tuple(map(self._handle, placed))

    def _placed_before(self, order: Order, fields: CloseFields) -> Program[PlacedOrder | None]:
        """What the client has placed under the same id already, if it has."""
        if "client_id" not in fields:
            return None
        # A first try may still be on its way.
        yield from self.exchange.node.settle(self.address)
        last = (yield from self.exchange.block()).number
        first = max(last - CLIENT_ID_BLOCKS, self.exchange.deployment.block)
        found = yield from self.exchange.find_order(self.account, fields["client_id"], first)
        if found is not None and not _says_the_same(found.order, order):
            raise ClientIdTaken(f"client_id: {fields['client_id']!r} names another order")
        return found

    def _order_book(self, name: str, *arguments: object) -> Program[Receipt]:
        return self._send(self.exchange.contracts.order_book.call(name, *arguments))


def _salt(fields: CloseFields) -> int:
    if "client_id" in fields:
        return salt_of(fields["client_id"])
    salt = fields.get("salt")
    return secrets.randbits(128) if salt is None else salt


def _says_the_same(placed: Order, order: Order) -> bool:
    """Whether an order is one that was placed; a retry may have another price in mind."""
    names = ("market", "kind", "is_buy", "reduce_only", "size")
    return all(getattr(placed, name) == getattr(order, name) for name in names)


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
