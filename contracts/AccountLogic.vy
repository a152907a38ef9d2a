# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Account logic
@license MIT
@notice The clearinghouse's code for withdrawals, vault margin, conversions and settings. It runs in the
        clearinghouse's storage; called directly it finds its own, which is empty.
"""

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import ICustody
from .interfaces import IIsolatedMargin
from .interfaces import ITrading
from .lib import words
from .modules import conversion
from .modules import cross_margin
from .modules import custody
from .modules import isolated_margin
from .modules import ledger
from .modules import markets
from .modules import roles
from .modules import settings

implements: IIsolatedMargin

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: ledger
initializes: roles[ownable := ownable, ledger := ledger]
initializes: markets
initializes: custody
initializes: cross_margin[ledger := ledger, markets := markets]
initializes: isolated_margin[ledger := ledger, markets := markets, cross_margin := cross_margin]
initializes: conversion[ledger := ledger, markets := markets, cross_margin := cross_margin]
initializes: settings[ledger := ledger, markets := markets, cross_margin := cross_margin]

ORDER_BOOK: immutable(address)
SELF: immutable(address)  # where this code lies; it runs elsewhere


@deploy
def __init__(token: address, price_oracle: address, order_book: address):
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(empty(address))
    markets.__init__(price_oracle)
    custody.__init__(token)
    ORDER_BOOK = order_book
    SELF = self


@external
def deposit_with_permit(
    account: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
):
    # Called directly it would take the tokens into a contract that can not give them back.
    assert self != SELF, "logic: called directly"
    quote: uint256 = custody._to_quote(amount)
    custody._permit(account, amount, deadline, v, r, s)
    account_word: uint256 = ledger._credit(account, quote)
    log ICustody.Deposited(account=account, payer=account, amount=quote, account_word=account_word)
    custody._pull(account, self, amount)


@external
def deposit_margin(account: address, market: uint256, is_long: bool, amount: uint256):
    quote: uint256 = custody._to_quote(amount)
    isolated_margin._grow_margin(
        account, market, is_long, quote, msg.sender, ledger._account(account)
    )
    custody._pull(msg.sender, self, amount)


@external
def withdraw(amount: uint256, receiver: address):
    quote: uint256 = custody._to_quote(amount)
    state: words.Account = ledger._account(msg.sender)
    cross_margin._require_withdrawable(msg.sender, state, quote)
    state.cash -= convert(quote, int256)
    account_word: uint256 = ledger._store_account(msg.sender, state)
    log ICustody.Withdrawn(
        account=msg.sender, receiver=receiver, amount=quote, account_word=account_word
    )
    custody._push(receiver, amount)


@external
def add_margin(market: uint256, is_long: bool, amount: uint256):
    isolated_margin._add_margin(msg.sender, market, is_long, amount)


@external
def remove_margin(market: uint256, is_long: bool, amount: uint256):
    isolated_margin._remove_margin(msg.sender, market, is_long, amount)


@external
def set_auto_margin(market: uint256, is_long: bool, allowance: uint256):
    isolated_margin._set_auto_margin(msg.sender, market, is_long, allowance)


@external
def convert_position(market: uint256, is_long: bool, to_isolated: bool, amount: uint256):
    if to_isolated:
        conversion._to_isolated(msg.sender, market, is_long, amount)
    else:
        assert amount == 0, "margin: not for cross"
        conversion._to_cross(msg.sender, market, is_long)


@external
def set_leverage(market: uint256, leverage: uint256, is_isolated: bool, is_long: bool):
    settings._set_leverage(msg.sender, market, leverage, is_isolated, is_long)


@external
def set_default_margin_mode(market: uint256, is_isolated: bool):
    settings._set_default_margin_mode(msg.sender, market, is_isolated)


@external
def set_hedge_mode(is_hedge: bool):
    settings._set_hedge_mode(msg.sender, is_hedge)


@external
def advance_epoch(account: address):
    assert msg.sender == ORDER_BOOK, "caller: not allowed"
    state: words.Account = ledger._account(account)
    state.epoch = (state.epoch + 1) % words.EPOCHS
    account_word: uint256 = ledger._store_account(account, state)
    log ITrading.EpochAdvanced(account=account, account_word=account_word)
