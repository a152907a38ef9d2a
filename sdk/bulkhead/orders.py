"""Orders: what they say, how they hash, what became of them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from enum import IntEnum, IntFlag, StrEnum
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from bulkhead.fills import Fill
from bulkhead.interfaces import Event
from bulkhead.protocol import words

EXPIRED_REASON = "order: expired"
NOBODY = "0x" + "00" * 20
NO_GROUP = bytes(32)


class OrderKind(IntEnum):
    """What an order waits for."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    TAKE_PROFIT = 3
    TRAILING_STOP = 4
    """Follows the price at a distance: at its best, less the callback rate."""


class MarginMode(IntEnum):
    """Whose margin backs a position."""

    DEFAULT = 0
    """The account's own default for the market."""
    CROSS = 1
    ISOLATED = 2


class PositionSide(IntEnum):
    """Which position an order of a hedge-mode account means."""

    ONE_WAY = 0
    LONG = 1
    SHORT = 2


class Permission(IntFlag):
    """What an operator may do."""

    NONE = 0
    OPEN = 1
    REDUCE = 2
    CANCEL = 4
    ALL_MARKETS = 8
    """Everywhere, whichever markets are named."""


class OrderStatus(IntEnum):
    """The chain's word for an order's state."""

    UNKNOWN = 0
    PENDING = 1
    EXECUTED = 2
    CANCELLED = 3


class OrderState(StrEnum):
    """What became of an order. A mined transaction is not a fill."""

    PENDING = "pending"
    EXECUTED = "executed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Its last moment has passed: it can not fill any more, whether or not anyone cleared it."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order in the contract's own fields, order and units."""

    account: str
    placer: str
    market: int
    kind: int
    margin_mode: int
    position_side: int
    is_buy: bool
    reduce_only: bool
    size: int  # lots; 0, if reduce-only, for all there is when it fills
    trigger_price: int  # femto per lot
    callback_rate: int  # ppm, of a trailing stop
    acceptable_price: int  # femto per lot
    margin: int  # quote
    leverage: int  # ppm
    expiry: int  # seconds
    group: bytes  # of a bracket's child its entry's hash; else what one fill ends
    builder: str
    builder_fee: int  # ppm of notional
    salt: int

    def to_tuple(self) -> tuple[Any, ...]:
        """The order as a call's argument."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order as the log of its placement has it.

    Attributes:
        hash: Its name.
        order: As resolved and hashed: what executing or cancelling it needs.
        keeper_fee: Quote.
        executable_from: Seconds: a price must be published then or later.
        block: Where it was placed.
        is_child: Whether its group is its bracket's entry.
        extreme: Femto per lot, the best price a trailing stop has been shown; 0 before the first.
        entry: Of a child: what is known of its entry.
        is_group_done: Whether another of its group has filled.
    """

    hash: bytes
    order: Order
    keeper_fee: int
    executable_from: int
    block: int
    is_child: bool = False
    extreme: int = 0
    entry: words.OrderState | None = None
    is_group_done: bool = False


@dataclass(frozen=True, slots=True)
class OpenOrders:
    """An account's orders that rest.

    Attributes:
        orders: In the order of their placement.
        first: The first block that was looked at: what was placed before is not here.
        last: The block they rest at.
    """

    orders: tuple[PlacedOrder, ...]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Exit:
    """A stop's trigger beside the liquidation price of what it protects.

    Attributes:
        slot: That the order can reduce.
        trigger_price: Femto per lot, the first that triggers it; 0 for a trailing stop that has
            seen none.
        liquidation_price: Femto per lot, of the slot as it is; 0 for none.
        is_beyond: Whether the stop would come too late.
    """

    slot: int
    trigger_price: int
    liquidation_price: int
    is_beyond: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an order.

    Attributes:
        state: Pending, executed, cancelled or expired.
        reason: Why it was cancelled or expired; empty otherwise.
        block: Where it ended; None while it has not.
        keeper_fee: Quote, what its keeper got; 0 where it returned to the account.
        fills: What it changed.
    """

    state: OrderState
    reason: str = ""
    block: int | None = None
    keeper_fee: int = 0
    fills: tuple[Fill, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would do at the current price. Lots, quote and femto, as in `IOrderLens.vyi`.

    Attributes:
        waits_for: Why the current price may not fill it yet; 0 if it may.
        reason: What a fill would end in; 0 if it would fill.
        text: Of the first of the two that is not 0.
        order: As it would be resolved.
        reduced: Lots of the opposite slot closed.
        increased: Lots of its own slot opened.
        mark_price: Femto per lot.
        fill_price: Femto per lot, the average, impact included; 0 where nothing fills.
        impact: Femto, positive where the trader pays.
        fee: Quote.
        builder_fee: Quote.
        keeper_fee: Quote, filled or not.
        realised: Quote, by the reduction, before fees.
        deficit: Quote, by the reduction: what insurance and pool pay.
        margin: Quote moved from cash into the vault; negative where a reduction released more.
        position: The slot after it, as the lens shows it.
        account: The account after it, as the lens shows it.
    """

    waits_for: int
    reason: int
    text: str
    order: Order
    reduced: int
    increased: int
    mark_price: int
    fill_price: int
    impact: int
    fee: int
    builder_fee: int
    keeper_fee: int
    realised: int
    deficit: int
    margin: int
    position: Mapping[str, Any]
    account: Mapping[str, Any]


_TYPES = {
    "address": ("account", "placer", "builder"),
    "bool": ("is_buy", "reduce_only"),
    "bytes32": ("group",),
}
_FIELD_TYPES = [
    (field.name, next((kind for kind, names in _TYPES.items() if field.name in names), "uint256"))
    for field in fields(Order)
]
_ORDER_TYPE = f"Order({','.join(f'{kind} {name}' for name, kind in _FIELD_TYPES)})"
_ORDER_TYPEHASH = keccak(text=_ORDER_TYPE)
_PLACEMENT_TYPEHASH = keccak(
    text=f"Placement(Order order,uint256 nonce,uint256 deadline){_ORDER_TYPE}"
)
_BRACKET_TYPEHASH = keccak(
    text=f"Bracket(Order entry,Order[] children,uint256 nonce,uint256 deadline){_ORDER_TYPE}"
)
_DOMAIN_TYPEHASH = keccak(
    text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


def domain_separator(chain_id: int, order_book: str) -> bytes:
    """The EIP-712 domain of an order book."""
    return keccak(
        encode(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [
                _DOMAIN_TYPEHASH,
                keccak(text="Bulkhead"),
                keccak(text="1"),
                chain_id,
                order_book,
            ],
        )
    )


def salt_of(client_id: str) -> int:
    """The salt of the orders that a client calls by this id."""
    return int.from_bytes(keccak(text=client_id)[:16], "big")


def hash_of(order: Order, separator: bytes) -> bytes:
    """An order's EIP-712 hash, as the order book computes it."""
    return keccak(b"\x19\x01" + separator + _struct_hash(order))


def placement_digest(order: Order, nonce: int, deadline: int, separator: bytes) -> bytes:
    """What is signed to have an order placed, as it is before it is resolved."""
    types = ["bytes32", "bytes32", "uint256", "uint256"]
    struct = encode(types, [_PLACEMENT_TYPEHASH, _struct_hash(order), nonce, deadline])
    return keccak(b"\x19\x01" + separator + keccak(struct))


def bracket_digest(
    entry: Order, children: Sequence[Order], nonce: int, deadline: int, separator: bytes
) -> bytes:
    """What is signed to have a bracket placed."""
    types = ["bytes32", "bytes32", "bytes32", "uint256", "uint256"]
    hashes = keccak(b"".join(_struct_hash(child) for child in children))
    struct = encode(types, [_BRACKET_TYPEHASH, _struct_hash(entry), hashes, nonce, deadline])
    return keccak(b"\x19\x01" + separator + keccak(struct))


def _struct_hash(order: Order) -> bytes:
    types = ["bytes32", *(kind for _, kind in _FIELD_TYPES)]
    return keccak(encode(types, [_ORDER_TYPEHASH, *astuple(order)]))


def order_of(table: Mapping[str, Any]) -> Order:
    """An order from a decoded struct."""
    return Order(**table)


def exit_of(table: Mapping[str, Any]) -> Exit:
    """An exit from a decoded struct."""
    return Exit(**table)


def preview_of(table: Mapping[str, Any]) -> Preview:
    """A preview from a decoded struct."""
    return Preview(**{**table, "order": order_of(table["order"])})


def placed_of(event: Event) -> PlacedOrder:
    """A placed order from its `OrderPlaced` event."""
    state = words.unpack_order_state(event["order_word"])
    return PlacedOrder(
        hash=event["order_hash"],
        order=order_of(event["order"]),
        keeper_fee=state.keeper_fee,
        executable_from=state.executable_from,
        block=event.block,
        is_child=state.is_child,
    )


def resting(placed: PlacedOrder, now: int) -> Outcome:
    """What has become of an order that has not ended, at a time of the chain."""
    if placed.order.expiry and now > placed.order.expiry:
        return Outcome(OrderState.EXPIRED, EXPIRED_REASON)
    return Outcome(OrderState.PENDING)


def ended(event: Event, fills: tuple[Fill, ...]) -> Outcome:
    """What became of an order, from its `OrderExecuted` or `OrderCancelled`."""
    if event.name == "OrderExecuted":
        return Outcome(OrderState.EXECUTED, "", event.block, event["keeper_fee"], fills)
    reason: str = event["reason"]
    state = OrderState.EXPIRED if reason == EXPIRED_REASON else OrderState.CANCELLED
    returned = event["receiver"] == event["account"]
    return Outcome(state, reason, event.block, 0 if returned else event["keeper_fee"])


def status_of(order_word: int) -> OrderStatus:
    """The status in an order's word."""
    return OrderStatus(words.unpack_order_state(order_word).status)
