"""What the order book remembers: orders by their names, and what accounts allow others."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.helpers.protocol import ISOLATED as ISOLATED_MODE
from tests.helpers.protocol import TRAILING_STOP
from tests.helpers.protocol import Order as Placed

PENDING, EXECUTED, CANCELLED = 1, 2, 3
CROSS, ISOLATED, LONG, SHORT = 0, 2, 0, 1
MAY_OPEN, MAY_REDUCE, MAY_CANCEL, EVERYWHERE = 1, 2, 4, 8

_KINDS: Final = {
    "account": "address",
    "placer": "address",
    "is_buy": "bool",
    "reduce_only": "bool",
    "group": "bytes32",
    "builder": "address",
}
TYPES: Final = [_KINDS.get(name, "uint256") for name in Placed._fields]
_MEMBERS = ",".join([f"{kind} {name}" for kind, name in zip(TYPES, Placed._fields, strict=True)])
_TYPE: Final = keccak(text=f"Order({_MEMBERS})")


def domain_of(chain: int, contract: str) -> bytes:
    """The separator of EIP-712: where and for whom an order was made."""
    kinds = "string name,string version,uint256 chainId,address verifyingContract"
    words = [keccak(text=text) for text in (f"EIP712Domain({kinds})", "Bulkhead", "1")]
    kept = encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"], [*words, chain, contract]
    )
    return bytes(keccak(kept))


def name_of(domain: bytes, placed: Placed) -> bytes:
    """An order's EIP-712 hash."""
    struct = keccak(_TYPE + encode(TYPES, placed))
    return bytes(keccak(b"\x19\x01" + domain + struct))


@dataclass(frozen=True, slots=True)
class Rules:
    """A market's order terms."""

    keeper_fee: int
    delay: int
    window: int
    max_age: int = 0  # of a resting order; 0 for any


@dataclass(frozen=True, slots=True)
class Order:
    """A placed order. An entry, once filled, remembers what its children need."""

    placed: Placed
    executable_from: int
    last: int  # the last second it may fill in; 0 for none
    keeper_fee: int
    is_escrowed: bool
    epoch: int
    bound_to: int | None  # the generation it may reduce
    is_child: bool = False  # its group is its entry's name
    best: int = 0  # femto a lot, that a trailing stop has seen
    filled_at: int = 0  # when the price was published that filled it
    opened: int = 0  # lots
    opened_in: int = 0  # the generation of the position that they are part of
    is_spent: bool = False  # a child of it has filled
    status: int = PENDING

    @property
    def mode(self) -> int:
        return ISOLATED if self.placed.margin_mode == ISOLATED_MODE else CROSS

    @property
    def slot(self) -> int:
        """The one that it may reduce."""
        return self.mode + (SHORT if self.placed.is_buy else LONG)

    @property
    def follows(self) -> bool:
        return self.placed.kind == TRAILING_STOP


@dataclass(frozen=True, slots=True)
class Operator:
    permissions: int = 0
    markets: int = 0
    notional: int = 0
    expiry: int = 0


Group = tuple[str, str, bytes]  # account, placer, name


@dataclass(slots=True)
class Book:
    domain: bytes
    rules: list[Rules]  # of each market
    orders: dict[bytes, Order] = field(default_factory=dict)
    done: set[Group] = field(default_factory=set)
    operators: dict[tuple[str, str], Operator] = field(default_factory=dict)
    approved: dict[tuple[str, str], int] = field(default_factory=dict)  # builders' ppm
    referrers: dict[str, str] = field(default_factory=dict)
    shares: dict[str, int] = field(default_factory=dict)  # of builders' fees, ppm
    spent: set[tuple[str, int]] = field(default_factory=set)  # nonces

    def copy(self) -> "Book":
        return Book(
            self.domain,
            list(self.rules),
            dict(self.orders),
            set(self.done),
            dict(self.operators),
            dict(self.approved),
            dict(self.referrers),
            dict(self.shares),
            set(self.spent),
        )

    def name(self, placed: Placed) -> bytes:
        return name_of(self.domain, placed)

    def change(self, name: bytes, **fields: Any) -> None:
        self.orders[name] = replace(self.orders[name], **fields)

    def end(self, name: bytes) -> None:
        self.change(name, status=CANCELLED)
