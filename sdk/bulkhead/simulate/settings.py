"""What an account chooses for itself: `modules/settings.vy`."""

from dataclasses import replace

from bulkhead.protocol import words
from bulkhead.protocol.fixed_point import FEMTO, PPM
from bulkhead.protocol.words import Settings
from bulkhead.simulate import cross_margin
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger


def set_leverage(
    ledger: Ledger, account: str, market: int, leverage: int, is_isolated: bool, is_long: bool
) -> None:
    """Sets the leverage of an isolated side, or of both cross legs, which take it at once."""
    ledger.require_listed(market)
    require(leverage == 0 or PPM <= leverage <= words.MAX_LEVERAGE, "leverage: out of range")
    settings = ledger.settings(account, market)
    if not is_isolated:
        settings = replace(settings, cross_leverage=leverage)
        _relever_cross(ledger, account, market, leverage)
    elif is_long:
        settings = replace(settings, isolated_long_leverage=leverage)
    else:
        settings = replace(settings, isolated_short_leverage=leverage)
    _store(ledger, account, market, settings)


def set_default_margin_mode(ledger: Ledger, account: str, market: int, is_isolated: bool) -> None:
    """Sets what `DEFAULT` means in an account's orders."""
    ledger.require_listed(market)
    settings = replace(ledger.settings(account, market), isolated_by_default=is_isolated)
    _store(ledger, account, market, settings)


def set_hedge_mode(ledger: Ledger, account: str, is_hedge: bool) -> None:
    """Switches between one-way and hedge mode; the account must be flat everywhere."""
    state = ledger.account(account)
    require(state.legs == 0 and state.vaults == 0, "account: not flat")
    state = replace(state, flags=words.FLAG_HEDGE if is_hedge else 0)
    ledger.log(
        "PositionModeChanged",
        account=account,
        account_word=ledger.store_account(account, state),
    )


def _relever_cross(ledger: Ledger, account: str, market: int, leverage: int) -> None:
    """An open leg carries its leverage in its own word, so that valuing it reads no settings."""
    state = ledger.account(account)
    if market >= words.CROSS_MARKETS or not state.legs >> (market << 1) & 3:
        return
    for slot in (words.CROSS_LONG, words.CROSS_SHORT):
        if state.legs & words.leg_bit(market, slot):
            position = replace(ledger.position(account, market, slot), margin=leverage)
            ledger.log(
                "CrossLeverageChanged",
                account=account,
                market=market,
                slot=slot,
                position_word=ledger.store_position(account, market, slot, position),
            )
    legs = cross_margin.value_legs(ledger, account, state.legs)
    cross_margin.require_firm(legs.is_firm)
    require(state.cash * FEMTO + legs.worth >= legs.initial, "margin: below initial")


def _store(ledger: Ledger, account: str, market: int, settings: Settings) -> None:
    ledger.log(
        "SettingsChanged",
        account=account,
        market=market,
        settings_word=ledger.store_settings(account, market, settings),
    )
