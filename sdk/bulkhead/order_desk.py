"""Orders of an account: placing, replacing and cancelling them, and who else may."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack

from bulkhead.chain import Program, Receipt, verb
from bulkhead.errors import ClientIdTaken, StopBeyondLiquidation
from bulkhead.handles import HandleVerbs
from bulkhead.order_ticket import (
    CloseFields,
    OrderFields,
    exits_of,
    is_small,
    new_salt,
    order_from,
    says_the_same,
)
from bulkhead.orders import (
    NOBODY,
    MarginMode,
    Order,
    OrderKind,
    PlacedOrder,
    PositionSide,
    Preview,
    placed_of,
)
from bulkhead.permissions import PermissionVerbs
from bulkhead.signatures import SignedBracket, SignedOrder
from bulkhead.values import Amount

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import MarketName, ReaderVerbs

Handle = TypeVar("Handle")

BELOW_MINIMUM = "size: below minimum"
CLIENT_ID_BLOCKS = 50_000
"""For how many blocks a client's id keeps an order from being placed twice."""


class OrderDeskVerbs(PermissionVerbs, Generic[Handle]):
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
        yield from self._check_minimum(order, size)
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
        found = yield from self.exchange.market(entry.market)
        exits = exits_of(entry, found, take_profit, stop_loss, trailing)
        if not beyond_liquidation:
            yield from self._check_bracket(entry, exits)
        sent = [self._sent(one).to_tuple() for one in (entry, *exits)]
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
        found = yield from self.exchange.market(opened.market)
        exits = exits_of(opened, found, take_profit, stop_loss, trailing)
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
        changes.setdefault("salt", new_salt())
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
        return order_from(found, self.account, self.address, size, fields)

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

    def _check_minimum(self, order: Order, size: Amount) -> Program[None]:
        """A position is never opened below the market's least; one that is there may grow by less.

        Raises:
            ValueError: If a fill now would be refused for that.
        """
        state = yield from self.exchange.market_state(order.market)
        if not is_small(order, state):
            return
        after = yield from self.exchange.preview_order(order)
        if after.text == BELOW_MINIMUM:
            raise ValueError(
                f"size: {size} opens a position of less than the {state.market.terms.min_notional} "
                f"USD that {state.market.symbol} asks for"
            )

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
        if found is not None and not says_the_same(found.order, order):
            raise ClientIdTaken(f"client_id: {fields['client_id']!r} names another order")
        return found


def _beyond(market: int, trigger: int, liquidation: int) -> StopBeyondLiquidation:
    return StopBeyondLiquidation(
        f"market {market}: the stop at {trigger} femto per lot lies beyond the liquidation price "
        f"{liquidation}; say beyond_liquidation=True if other positions move that"
    )
