# pragma version 0.4.3
"""
@title Settings
@license MIT
@notice What an account chooses for itself: leverage, default margin mode, position mode.
"""

from ..interfaces import IIsolatedMargin
from ..lib import fixed_point
from ..lib import words
from . import cross_margin
from . import ledger
from . import markets

uses: cross_margin
uses: ledger
uses: markets


@internal
def _set_leverage(
    account: address, market: uint256, leverage: uint256, is_isolated: bool, is_long: bool
):
    markets._require_listed(market)
    assert leverage == 0 or (leverage >= fixed_point.PPM and leverage <= words.MAX_LEVERAGE), (
        "leverage: out of range"
    )
    settings: words.Settings = ledger._settings_of(account, market)
    if not is_isolated:
        settings.cross_leverage = leverage
        self._relever_cross(account, market, leverage)
    elif is_long:
        settings.isolated_long_leverage = leverage
    else:
        settings.isolated_short_leverage = leverage
    self._store(account, market, settings)


@internal
def _relever_cross(account: address, market: uint256, leverage: uint256):
    """
    @notice An open leg carries its leverage in its own word, so that valuing it reads no settings.
    """
    state: words.Account = ledger._account(account)
    if market >= words.CROSS_MARKETS or (state.legs >> (market << 1)) & 3 == 0:
        return
    for slot: uint256 in range(2):
        if state.legs & words.leg_bit(market, slot) != 0:
            id: uint256 = words.position_id(account, market, slot)
            position: words.Position = ledger._position(id)
            position.margin = leverage
            position_word: uint256 = ledger._store_position(id, position)
            log IIsolatedMargin.CrossLeverageChanged(
                account=account, market=market, slot=slot, position_word=position_word
            )
    legs: cross_margin.Valuation = cross_margin._value_legs(account, state.legs)
    cross_margin._require_firm(legs.is_firm)
    assert state.cash * fixed_point.FEMTO_INT + legs.worth >= convert(
        legs.initial, int256
    ), "margin: below initial"


@internal
def _set_default_margin_mode(account: address, market: uint256, is_isolated: bool):
    markets._require_listed(market)
    settings: words.Settings = ledger._settings_of(account, market)
    settings.isolated_by_default = is_isolated
    self._store(account, market, settings)


@internal
def _store(account: address, market: uint256, settings: words.Settings):
    settings_word: uint256 = ledger._store_settings(account, market, settings)
    log IIsolatedMargin.SettingsChanged(account=account, market=market, settings_word=settings_word)


@internal
def _set_hedge_mode(account: address, is_hedge: bool):
    state: words.Account = ledger._account(account)
    assert state.legs == 0 and state.vaults == 0, "account: not flat"
    state.flags = words.FLAG_HEDGE if is_hedge else 0
    account_word: uint256 = ledger._store_account(account, state)
    log IIsolatedMargin.PositionModeChanged(account=account, account_word=account_word)
