# pragma version 0.4.3
"""
@title Typed data
@license MIT
@notice What orders are called and what is signed to have them placed, as EIP-712 says: worked out here and
        not asked of the contracts.
"""

from contracts.interfaces import IOrderBook
from . import stage

uses: stage

DOMAIN_TYPEHASH: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
ORDER_TYPEHASH: constant(bytes32) = keccak256(
    "Order(address account,address placer,uint256 market,uint256 kind,uint256 margin_mode,uint256 position_side,bool is_buy,bool reduce_only,uint256 size,uint256 trigger_price,uint256 callback_rate,uint256 acceptable_price,uint256 margin,uint256 leverage,uint256 expiry,bytes32 group,address builder,uint256 builder_fee,uint256 salt)"
)
PLACEMENT_TYPEHASH: constant(bytes32) = keccak256(
    "Placement(Order order,uint256 nonce,uint256 deadline)Order(address account,address placer,uint256 market,uint256 kind,uint256 margin_mode,uint256 position_side,bool is_buy,bool reduce_only,uint256 size,uint256 trigger_price,uint256 callback_rate,uint256 acceptable_price,uint256 margin,uint256 leverage,uint256 expiry,bytes32 group,address builder,uint256 builder_fee,uint256 salt)"
)
BRACKET_TYPEHASH: constant(bytes32) = keccak256(
    "Bracket(Order entry,Order[] children,uint256 nonce,uint256 deadline)Order(address account,address placer,uint256 market,uint256 kind,uint256 margin_mode,uint256 position_side,bool is_buy,bool reduce_only,uint256 size,uint256 trigger_price,uint256 callback_rate,uint256 acceptable_price,uint256 margin,uint256 leverage,uint256 expiry,bytes32 group,address builder,uint256 builder_fee,uint256 salt)"
)


@internal
@view
def _hash(order: IOrderBook.Order) -> bytes32:
    """
    @notice An order's name.
    """
    return self._digest(self._domain(), self._struct_hash(order))


@internal
@view
def _sign(key: uint256, struct_hash: bytes32) -> Bytes[65]:
    """
    @notice A signature for the order book.
    """
    v: uint8 = 0
    r: bytes32 = empty(bytes32)
    s: bytes32 = empty(bytes32)
    v, r, s = staticcall stage.VM.sign(key, self._digest(self._domain(), struct_hash))
    return concat(r, s, convert(v, bytes1))


@internal
@pure
def _struct_hash(order: IOrderBook.Order) -> bytes32:
    return keccak256(abi_encode(ORDER_TYPEHASH, order))


@internal
@pure
def _digest(domain: bytes32, struct_hash: bytes32) -> bytes32:
    return keccak256(concat(b"\x19\x01", domain, struct_hash))


@internal
@view
def _domain() -> bytes32:
    """
    @notice The order book's.
    """
    return keccak256(
        abi_encode(DOMAIN_TYPEHASH, keccak256("Bulkhead"), keccak256("1"), chain.id, stage.book)
    )
