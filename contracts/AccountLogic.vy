# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Account logic
@license MIT
@notice The clearinghouse's code for withdrawals, vault margin and settings. It runs in the clearinghouse's
        storage; called directly it finds its own, which is empty.
"""

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import ICustody
from .interfaces import IIsolatedMargin
from .lib import fixed_point
from .lib import words
from .modules import cross_margin
from .modules import custody
from .modules import isolated_margin
from .modules import ledger
from .modules import markets
from .modules import roles
from .modules import settings


initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: ledger
initializes: roles[ownable := ownable, ledger := ledger]
initializes: markets
initializes: custody
initializes: cross_margin[ledger := ledger, markets := markets]
initializes: isolated_margin[ledger := ledger, markets := markets, cross_margin := cross_margin]
initializes: settings[ledger := ledger, markets := markets, cross_margin := cross_margin]


@deploy
def __init__(token: address, price_oracle: address):
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(empty(address))
    markets.__init__(price_oracle)
    custody.__init__(token)


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
def set_leverage(market: uint256, leverage: uint256, is_isolated: bool, is_long: bool):
    settings._set_leverage(msg.sender, market, leverage, is_isolated, is_long)


@external
def set_default_margin_mode(market: uint256, is_isolated: bool):
    settings._set_default_margin_mode(msg.sender, market, is_isolated)


@external
def set_hedge_mode(is_hedge: bool):
    settings._set_hedge_mode(msg.sender, is_hedge)
