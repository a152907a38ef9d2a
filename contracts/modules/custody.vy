# pragma version 0.4.3
"""
@title Custody
@license MIT
@notice The only place where tokens move, and where their decimals are known.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

from ..lib import fixed_point
from ..lib import words

TOKEN: immutable(IERC20)
UNIT: immutable(uint256)  # token units in one quote unit, or 1 where the token is coarser
QUOTE_PER_UNIT: immutable(uint256)  # quote units in one token unit, or 1 where the token is finer


@deploy
def __init__(token: address):
    decimals: uint256 = convert(staticcall IERC20Detailed(token).decimals(), uint256)
    assert decimals >= 2 and decimals <= 18, "token: bad decimals"
    TOKEN = IERC20(token)
    UNIT = 10**(max(decimals, 6) - 6)
    QUOTE_PER_UNIT = 10**(6 - min(decimals, 6))


@internal
@view
def _to_quote(amount: uint256) -> uint256:
    """
    @notice Token units as quote units, exact: a part of a quote unit is refused.
    """
    assert amount != 0, "amount: zero"
    self._require_small(amount // UNIT)
    assert amount % UNIT == 0, "amount: not whole units"
    return amount // UNIT * QUOTE_PER_UNIT


@internal
@pure
def _require_small(quote: uint256):
    assert quote <= words.MAX_CASH, "amount: too large"


@internal
@view
def _to_tokens(quote: uint256) -> uint256:
    """
    @notice Quote units as token units, down.
    """
    return quote // QUOTE_PER_UNIT * UNIT


@internal
@view
def _to_tokens_up(quote: uint256) -> uint256:
    """
    @notice Quote units as token units, up.
    """
    return fixed_point.div_up(quote, QUOTE_PER_UNIT) * UNIT


@internal
def _pull(payer: address, vault: address, amount: uint256):
    """
    @notice Takes tokens into a vault, and refuses a token that brings less than it says.
    """
    before: uint256 = staticcall TOKEN.balanceOf(vault)
    success: bool = extcall TOKEN.transferFrom(payer, vault, amount, default_return_value=True)
    self._require_transferred(success)
    assert staticcall TOKEN.balanceOf(vault) == before + amount, "token: fee on transfer"


@internal
def _permit(owner: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Uses an owner's permit, or finds it used: either leaves an allowance of exactly the amount. Any
            other allowance was not meant for whoever calls.
    """
    success: bool = raw_call(
        TOKEN.address,
        abi_encode(
            owner,
            self,
            amount,
            deadline,
            v,
            r,
            s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    assert staticcall TOKEN.allowance(owner, self) == amount, "permit: bad allowance"


@internal
def _push(receiver: address, amount: uint256):
    assert receiver != empty(address) and receiver != self, "receiver: bad address"
    success: bool = extcall TOKEN.transfer(receiver, amount, default_return_value=True)
    self._require_transferred(success)


@internal
@pure
def _require_transferred(success: bool):
    assert success, "token: transfer failed"
