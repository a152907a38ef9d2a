# pragma version 0.4.3
"""
@title Order hashes
@license MIT
@notice The EIP-712 name of an order, and what is signed to have one placed.
"""

from snekmate.utils import eip712_domain_separator

from ..interfaces import IOrderBook

uses: eip712_domain_separator

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
    return eip712_domain_separator._hash_typed_data_v4(keccak256(abi_encode(ORDER_TYPEHASH, order)))


@internal
@view
def _placement_digest(order: IOrderBook.Order, nonce: uint256, deadline: uint256) -> bytes32:
    """
    @notice What is signed to have one order placed, as it is before it is resolved.
    """
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(PLACEMENT_TYPEHASH, self._struct_hash(order), nonce, deadline))
    )


@internal
@view
def _bracket_digest(
    entry: IOrderBook.Order,
    children: DynArray[IOrderBook.Order, 2],
    nonce: uint256,
    deadline: uint256,
) -> bytes32:
    """
    @notice What is signed to have a bracket placed.
    """
    hashes: DynArray[bytes32, 2] = []
    for child: IOrderBook.Order in children:
        hashes.append(self._struct_hash(child))
    # An array's hash is that of its items side by side: without its offset and length.
    packed: Bytes[128] = slice(abi_encode(hashes), 64, 32 * len(hashes))
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(
            abi_encode(
                BRACKET_TYPEHASH, self._struct_hash(entry), keccak256(packed), nonce, deadline
            )
        )
    )


@internal
@pure
def _struct_hash(order: IOrderBook.Order) -> bytes32:
    return keccak256(abi_encode(ORDER_TYPEHASH, order))
