# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Keeper's account
@license MIT
@notice One account in the exchange for all signers of a keeper: brings prices and works on them in one
        transaction, and collects what that pays.
@dev A key that leaks costs its gas: it reaches no function that moves what is here, and the exchange
     knows no right of a keeper's. ETH of earlier calls is not spent on a later one's fees.
"""

from ethereum.ercs import IERC20
from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import ICustody
from .interfaces import IKeeperAccount
from .interfaces import ILiquidation
from .interfaces import ILiquidityPool
from .interfaces import IOrderBook
from .interfaces import IOrderLogic

implements: IKeeperAccount

initializes: ownable
initializes: ownable_2step[ownable := ownable]

# Without the lock: they move no value and call nobody.
exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)

MAX_UPDATES: constant(uint256) = 8  # each is memory that a transaction without any pays for, too
MAX_OPERATORS: constant(uint256) = 16
BATCH: constant(uint256) = 32
MAX_IDS: constant(uint256) = 64
# Several times what a source with all its signatures takes: one that burns what it gets leaves the rest.
UPDATE_GAS: constant(uint256) = 1_500_000

CLEARINGHOUSE: public(immutable(address))
PRICE_ORACLE: public(immutable(address))
ORDER_BOOK: public(immutable(address))
LIQUIDITY_POOL: public(immutable(address))

is_operator: public(HashMap[address, bool])


@deploy
def __init__(
    owner: address,
    operators: DynArray[address, MAX_OPERATORS],
    clearinghouse: address,
    price_oracle: address,
    order_book: address,
    liquidity_pool: address,
):
    assert owner != empty(address), "owner: zero"
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(owner)
    CLEARINGHOUSE = clearinghouse
    PRICE_ORACLE = price_oracle
    ORDER_BOOK = order_book
    LIQUIDITY_POOL = liquidity_pool
    for operator: address in operators:
        self._set_operator(operator, True)


# Work


@external
@payable
def update_prices(updates: DynArray[IKeeperAccount.PriceUpdate, MAX_UPDATES]) -> uint256:
    return self._update(updates)


@external
@payable
def execute(
    updates: DynArray[IKeeperAccount.PriceUpdate, MAX_UPDATES],
    orders: DynArray[IOrderBook.Order, BATCH],
) -> (uint256, DynArray[uint256, BATCH]):
    updated: uint256 = self._update(updates)
    statuses: DynArray[uint256, BATCH] = extcall IOrderBook(ORDER_BOOK).execute_orders(orders)
    return updated, statuses


@external
@payable
def ratchet(
    updates: DynArray[IKeeperAccount.PriceUpdate, MAX_UPDATES],
    orders: DynArray[IOrderBook.Order, BATCH],
) -> (uint256, uint256):
    updated: uint256 = self._update(updates)
    moved: uint256 = extcall IOrderLogic(ORDER_BOOK).ratchet(orders)
    return updated, moved


@external
@payable
def liquidate(
    updates: DynArray[IKeeperAccount.PriceUpdate, MAX_UPDATES],
    ids: DynArray[uint256, MAX_IDS],
    accounts: DynArray[address, BATCH],
) -> (uint256, uint256, uint256):
    updated: uint256 = self._update(updates)
    isolated: uint256 = 0
    if len(ids) != 0:
        isolated = extcall ILiquidation(CLEARINGHOUSE).liquidate_isolated(ids)
    cross: uint256 = 0
    if len(accounts) != 0:
        cross = extcall ILiquidation(CLEARINGHOUSE).liquidate_cross(accounts)
    return updated, isolated, cross


@external
@payable
def deleverage(
    updates: DynArray[IKeeperAccount.PriceUpdate, MAX_UPDATES],
    market: uint256,
    ids: DynArray[uint256, MAX_IDS],
) -> (uint256, uint256):
    updated: uint256 = self._update(updates)
    cut: uint256 = extcall ILiquidation(CLEARINGHOUSE).auto_deleverage(market, ids)
    return updated, cut


@external
@payable
def fix(
    updates: DynArray[IKeeperAccount.PriceUpdate, MAX_UPDATES], request_id: uint256
) -> (uint256, uint256):
    updated: uint256 = self._update(updates)
    assets: uint256 = extcall ILiquidityPool(LIQUIDITY_POOL).fix(request_id)
    return updated, assets


# What the oracle does not need of the ETH sent along.


@external
@payable
@reentrant
def __default__():
    assert msg.sender == PRICE_ORACLE, "ether: not taken"


# The owner's


@external
def set_operator(operator: address, allowed: bool):
    ownable._check_owner()
    self._set_operator(operator, allowed)


@external
def withdraw(amount: uint256, receiver: address):
    ownable._check_owner()
    extcall ICustody(CLEARINGHOUSE).withdraw(amount, receiver)


@external
def withdraw_tokens(token: address, amount: uint256, receiver: address):
    ownable._check_owner()
    success: bool = extcall IERC20(token).transfer(receiver, amount, default_return_value=True)
    assert success, "token: transfer failed"


@external
def withdraw_ether(amount: uint256, receiver: address):
    ownable._check_owner()
    self._send(receiver, amount)


@internal
def _set_operator(operator: address, allowed: bool):
    self.is_operator[operator] = allowed
    log IKeeperAccount.OperatorSet(operator=operator, allowed=allowed)


@internal
@payable
def _update(updates: DynArray[IKeeperAccount.PriceUpdate, MAX_UPDATES]) -> uint256:
    """
    @notice Brings prices, and returns to the caller what they did not cost.
    @return Bit n is set: update n did not fail.
    """
    self._check_operator()
    kept: uint256 = self.balance - msg.value
    updated: uint256 = 0
    bit: uint256 = 1
    for update: IKeeperAccount.PriceUpdate in updates:
        if raw_call(
            PRICE_ORACLE,
            abi_encode(update.market, update.payload, method_id=method_id("update(uint256,bytes)")),
            value=self.balance - kept,
            gas=UPDATE_GAS,
            revert_on_failure=False,
        ):
            updated |= bit
        bit <<= 1
    if self.balance != kept:
        self._send(msg.sender, self.balance - kept)
    return updated


@internal
def _send(receiver: address, amount: uint256):
    success: bool = raw_call(receiver, b"", value=amount, revert_on_failure=False)
    assert success, "ether: not taken"


@internal
@view
def _check_operator():
    assert self.is_operator[msg.sender], "caller: not an operator"
