# pragma version 0.4.3
"""
@title Top-up
@license MIT
@notice Margin that a liquidation adds to a vault before anything is closed, where its owner lets it:
        all that brings it back to initial margin, or nothing. No other position is touched.
"""

from ..interfaces import ILiquidation
from ..lib import fixed_point
from ..lib import words
from . import cross_margin
from . import ledger

uses: cross_margin
uses: ledger


@internal
def _top_up(
    id: uint256,
    position: words.Position,
    vault: cross_margin.Valuation,
    reward: uint256,
    liquidator: address,
) -> bool:
    """
    @notice Adds margin out of the allowance and of what is withdrawable, the liquidator's reward on top.
            What cannot be valued counts as nothing: the liquidation goes on.
    @param vault With equity below initial margin.
    @param reward Quote, out of the account's cash; the batch pays it.
    @return Whether it was added.
    """
    account: address = empty(address)
    market: uint256 = 0
    slot: uint256 = 0
    account, market, slot = words.split_position_id(id)
    amount: uint256 = fixed_point.quote_up(
        convert(convert(vault.initial, int256) - vault.worth, uint256)
    )
    total: uint256 = amount + reward
    settings: words.Settings = ledger._settings_of(account, market)
    allowance: uint256 = (
        settings.long_allowance if slot == words.ISOLATED_LONG else settings.short_allowance
    )
    if total > allowance or position.margin + amount > words.MAX_NOTIONAL:
        return False
    owner: words.Account = ledger._account(account)
    if self._withdrawable(account, owner) < convert(total, int256):
        return False

    if slot == words.ISOLATED_LONG:
        settings.long_allowance -= total
    else:
        settings.short_allowance -= total
    owner.cash -= convert(total, int256)
    fed: words.Position = position
    fed.margin += amount
    position_word: uint256 = ledger._store_position(id, fed)
    account_word: uint256 = ledger._store_account(account, owner)
    settings_word: uint256 = ledger._store_settings(account, market, settings)
    log ILiquidation.MarginToppedUp(
        account=account,
        market=market,
        liquidator=liquidator,
        slot=slot,
        amount=amount,
        reward=reward,
        position_word=position_word,
        account_word=account_word,
        settings_word=settings_word,
    )
    return True


@internal
@view
def _withdrawable(account: address, owner: words.Account) -> int256:
    """
    @notice What may leave the cross ledger now, quote; zero where a leg has no firm price.
    """
    if owner.legs == 0:
        return owner.cash
    legs: cross_margin.Valuation = cross_margin._value_legs(account, owner.legs)
    if not legs.is_firm:
        return 0
    return cross_margin._withdrawable(owner.cash, legs)
