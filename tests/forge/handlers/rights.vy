# pragma version 0.4.3
"""
@title Rights
@license MIT
@notice What traders let others do and be paid for: operators, builders, referrers; and what nobody lets
        anybody do. That no order is placed or fills without its operator's right is checked where it is
        recorded: `desk`. 14: what is the owner's, the guardian's or another contract's is refused to all
        others.
"""

from . import books
from . import stage

uses: books
uses: stage

WORDS: constant(uint256) = 22  # of the longest of these calls' arguments
CALLS: constant(uint256) = 23
AT_ORACLE: constant(uint256) = 14  # from here on; the others are the clearinghouse's
SELECTORS: constant(bytes4[CALLS]) = [
    method_id("add_liquidity(uint256)", output_type=bytes4),
    method_id("remove_liquidity(uint256)", output_type=bytes4),
    method_id("escrow_order(address,uint256,uint256,bool)", output_type=bytes4),
    method_id("release_escrow(address,address,uint256)", output_type=bytes4),
    method_id("advance_epoch(address)", output_type=bytes4),
    method_id(
        "execute_trade((address,uint256,bool,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,address,uint256,address,uint256,bytes32,address,uint256,bool,uint256))",
        output_type=bytes4,
    ),
    method_id("transfer_ownership(address)", output_type=bytes4),
    method_id("accept_ownership()", output_type=bytes4),
    method_id("set_guardian(address)", output_type=bytes4),
    method_id("stop_opening(bool)", output_type=bytes4),
    method_id("set_status(uint256,uint256)", output_type=bytes4),
    method_id("request_insurance(uint256)", output_type=bytes4),
    method_id("withdraw_insurance(address)", output_type=bytes4),
    method_id("claim_fees(address)", output_type=bytes4),
    method_id("announce_settlement(uint256,uint256)", output_type=bytes4),
    method_id("cancel_settlement(uint256)", output_type=bytes4),
    method_id("set_publisher(address,bool)", output_type=bytes4),
    method_id("set_check(uint256,address,uint256,uint256)", output_type=bytes4),
    method_id("set_published_feed(uint256,uint256,uint256,uint256)", output_type=bytes4),
    method_id("set_signed_feed(uint256,uint256,uint256,uint256)", output_type=bytes4),
    method_id("set_chainlink_feed(uint256,uint256,uint256,uint256,address)", output_type=bytes4),
    method_id("set_pyth_feed(uint256,uint256,uint256,uint256,address,bytes32)", output_type=bytes4),
    method_id("set_sequencer(address,uint256)", output_type=bytes4),
]


@external
def set_operator(seed: bytes32):
    """
    @notice Mostly all rights for the broker; seldom some, few, or none.
    """
    stage._begin(seed)
    permissions: uint256 = 15
    notional: uint256 = 2**64 - 1
    expiry: uint256 = 2**40 - 1
    if stage._chance(30):
        permissions = stage._draw(18)  # two of which there are not
        notional = stage._amount()
        expiry = stage.now + stage._draw(7_200)
    self._attempt_at_book(
        "set_operator",
        abi_encode(
            stage.BROKER,
            permissions,
            stage._draw(4),
            notional,
            expiry,
            method_id=method_id("set_operator(address,uint256,uint256,uint256,uint256)"),
        ),
    )
    books._close(books.NOBODY)


@external
def approve_builder(seed: bytes32):
    stage._begin(seed)
    fees: uint256[4] = [500, 1_000, 100, 1_001]
    self._attempt_at_book(
        "approve_builder",
        abi_encode(
            stage.BROKER,
            fees[stage._draw(4)],
            method_id=method_id("approve_builder(address,uint256)"),
        ),
    )
    books._close(books.NOBODY)


@external
def set_referral_share(seed: bytes32):
    """
    @notice The broker gives any part of its fees away, down to none; more than all it may not.
    """
    stage._begin(seed)
    stage._attempt(
        "set_referral_share",
        stage.BROKER,
        stage.book,
        abi_encode(
            stage._draw(stage.PPM + stage.PPM // 5),
            method_id=method_id("set_referral_share(uint256)"),
        ),
    )
    books._close(books.NOBODY)


@external
def set_referrer(seed: bytes32):
    """
    @notice Once.
    """
    stage._begin(seed)
    self._attempt_at_book(
        "set_referrer",
        abi_encode(stage.PROVIDER, method_id=method_id("set_referrer(address)")),
    )
    books._close(books.NOBODY)


@external
def trespass(seed: bytes32):
    """
    @notice A trader tries what is another's alone. Ones are fit for any argument: they are a market, an
            amount, an account, and yes.
    """
    stage._begin(seed)
    call: uint256 = stage._draw(CALLS)
    arguments: bytes32[WORDS] = empty(bytes32[WORDS])
    for i: uint256 in range(WORDS):
        arguments[i] = convert(1, bytes32)
    assert not stage._attempt(
        "trespass",
        stage._trader(stage._draw(stage.TRADERS)),
        stage.clearinghouse if call < AT_ORACLE else stage.oracle.address,
        concat(SELECTORS[call], abi_encode(arguments)),
    )[0], "rights: anybody may"
    books._close(books.NOBODY)


@internal
def _attempt_at_book(name: String[32], data: Bytes[5120]):
    """
    @notice A trader says something of its own rights.
    """
    stage._attempt(name, stage._trader(stage._draw(stage.TRADERS)), stage.book, data)
