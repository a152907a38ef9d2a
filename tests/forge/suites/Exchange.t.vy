# pragma version 0.4.3
"""
@title Exchange under fire
@license MIT
@notice Any calls of anybody in any order, on an exchange with a deep pool.
"""

from tests.forge.handlers import accounts
from tests.forge.handlers import books
from tests.forge.handlers import keepers
from tests.forge.handlers import orders
from tests.forge.handlers import stage

initializes: stage
initializes: books[stage := stage]
initializes: accounts[stage := stage, books := books]
initializes: orders[stage := stage, books := books]
initializes: keepers[stage := stage, books := books]

exports: (
    accounts.__interface__,
    orders.__interface__,
    keepers.__interface__,
)


@external
def setUp():
    stage._deploy(5 * 10**12, 2 * 10**9)
    books._close(books.EVERYBODY)


@external
@view
def targetContracts() -> DynArray[address, 1]:
    return [self]

struct FuzzSelector:
    addr: address
    selectors: DynArray[bytes4, 64]


@external
@view
def targetSelectors() -> DynArray[FuzzSelector, 1]:
    """
    @notice What the fuzzer calls.
    """
    return [
        FuzzSelector(
            addr=self,
            selectors=[
                method_id("trade(uint256)", output_type=bytes4),
                method_id("place(uint256)", output_type=bytes4),
                method_id("execute(uint256)", output_type=bytes4),
                method_id("execute_orders(uint256)", output_type=bytes4),
                method_id("ratchet(uint256)", output_type=bytes4),
                method_id("cancel(uint256)", output_type=bytes4),
                method_id("cancel_all(uint256)", output_type=bytes4),
                method_id("close(uint256)", output_type=bytes4),
                method_id("deposit(uint256)", output_type=bytes4),
                method_id("withdraw(uint256)", output_type=bytes4),
                method_id("withdraw_all(uint256)", output_type=bytes4),
                method_id("deposit_margin(uint256)", output_type=bytes4),
                method_id("add_margin(uint256)", output_type=bytes4),
                method_id("remove_margin(uint256)", output_type=bytes4),
                method_id("set_auto_margin(uint256)", output_type=bytes4),
                method_id("convert_position(uint256)", output_type=bytes4),
                method_id("set_leverage(uint256)", output_type=bytes4),
                method_id("set_default_margin_mode(uint256)", output_type=bytes4),
                method_id("set_hedge_mode(uint256)", output_type=bytes4),
                method_id("move_price(uint256)", output_type=bytes4),
                method_id("pass_time(uint256)", output_type=bytes4),
                method_id("liquidate_vaults(uint256)", output_type=bytes4),
                method_id("liquidate_ledgers(uint256)", output_type=bytes4),
                method_id("liquidate_all(uint256)", output_type=bytes4),
                method_id("auto_deleverage(uint256)", output_type=bytes4),
            ],
        )
    ]


@external
def invariant_books():
    books._check_all()


@external
def afterInvariant():
    stage._report(".cache/forge/Exchange.counts")

