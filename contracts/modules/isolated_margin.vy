# pragma version 0.4.3
"""
@title Isolated margin
@license MIT
@notice Margin in and out of a vault between trades.
"""

from ..interfaces import IIsolatedMargin
from ..lib import fixed_point
from ..lib import margin_math
from ..lib import position_math
from ..lib import words
from . import cross_margin
from . import ledger
from . import markets

uses: cross_margin
uses: ledger
uses: markets


@internal
@pure
def _slot(is_long: bool) -> uint256:
    return words.ISOLATED_LONG if is_long else words.ISOLATED_SHORT


@internal
@pure
def _vault_id(account: address, market: uint256, is_long: bool) -> uint256:
    """
    @notice Of a market that may exist: a larger number would reach into the account's.
    """
    assert market < words.MAX_MARKETS, "market: unknown"
    return words.position_id(account, market, self._slot(is_long))


@internal
def _grow_margin(
    account: address,
    market: uint256,
    is_long: bool,
    amount: uint256,
    payer: address,
    state: words.Account,
):
    """
    @notice Adds to an open vault's margin, wherever the money came from, and stores the account.
    """
    id: uint256 = self._vault_id(account, market, is_long)
    position: words.Position = ledger._position(id)
    assert position.size != 0, "position: not open"
    position.margin += amount
    assert position.margin <= words.MAX_NOTIONAL, "margin: too large"
    position_word: uint256 = ledger._store_position(id, position)
    account_word: uint256 = ledger._store_account(account, state)
    log IIsolatedMargin.MarginAdded(
        account=account,
        market=market,
        payer=payer,
        slot=self._slot(is_long),
        amount=amount,
        position_word=position_word,
        account_word=account_word,
    )


@internal
def _add_margin(account: address, market: uint256, is_long: bool, amount: uint256):
    assert amount != 0, "amount: zero"
    state: words.Account = ledger._account(account)
    cross_margin._require_withdrawable(account, state, amount)
    state.cash -= convert(amount, int256)
    self._grow_margin(account, market, is_long, amount, account, state)


@internal
def _remove_margin(account: address, market: uint256, is_long: bool, amount: uint256):
    assert amount != 0, "amount: zero"
    id: uint256 = self._vault_id(account, market, is_long)
    position: words.Position = ledger._position(id)
    assert position.size != 0, "position: not open"
    assert position.margin >= amount, "margin: below initial"
    position.margin -= amount

    price: words.Price = markets._price(market)
    cross_margin._require_firm(markets._is_firm(market, price))
    state: words.Market = markets._accrued(market, price)
    notional: uint256 = position.size * price.price
    required: uint256 = margin_math.initial_margin(
        notional,
        margin_math.isolated_leverage(ledger._settings_of(account, market), is_long),
        markets._tiers(market, state, notional),
    )
    worth: int256 = position_math.value_of(position, is_long, price.price, state.funding_index)
    kept: int256 = convert(position.margin * fixed_point.FEMTO, int256) + min(worth, 0)
    assert kept >= convert(required, int256), "margin: below initial"

    position_word: uint256 = ledger._store_position(id, position)
    account_word: uint256 = ledger._credit(account, amount)
    log IIsolatedMargin.MarginRemoved(
        account=account,
        market=market,
        slot=self._slot(is_long),
        amount=amount,
        position_word=position_word,
        account_word=account_word,
    )


@internal
def _set_auto_margin(account: address, market: uint256, is_long: bool, allowance: uint256):
    assert allowance <= words.MAX_NOTIONAL, "margin: too large"
    id: uint256 = self._vault_id(account, market, is_long)
    position: words.Position = ledger._position(id)
    assert position.size != 0, "position: not open"
    # The position itself says whether there is an allowance: so it ends with it, and a liquidation
    # reads the settings of those alone that have one.
    position.auto_margin = allowance != 0
    settings: words.Settings = ledger._settings_of(account, market)
    if is_long:
        settings.long_allowance = allowance
    else:
        settings.short_allowance = allowance
    position_word: uint256 = ledger._store_position(id, position)
    settings_word: uint256 = ledger._store_settings(account, market, settings)
    log IIsolatedMargin.AutoMarginSet(
        account=account,
        market=market,
        slot=self._slot(is_long),
        allowance=allowance,
        position_word=position_word,
        settings_word=settings_word,
    )
