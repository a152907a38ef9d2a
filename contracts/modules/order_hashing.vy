# pragma version 0.4.3
"""
@title Order hash
@license MIT
@notice The EIP-712 name of an order.
"""

from snekmate.utils import eip712_domain_separator

from ..interfaces import IOrderBook

uses: eip712_domain_separator

ORDER_TYPEHASH: constant(bytes32) = keccak256(
    "Order(address account,address placer,uint256 market,uint256 kind,uint256 margin_mode,uint256 position_side,bool is_buy,bool reduce_only,uint256 size,uint256 trigger_price,uint256 acceptable_price,uint256 margin,uint256 leverage,uint256 expiry,uint256 salt)"
)


@internal
@view
def _hash(order: IOrderBook.Order) -> bytes32:
    return eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(ORDER_TYPEHASH, order))
    )
