"""Margin in and out of a vault between trades: `modules/isolated_margin.vy`."""

from dataclasses import replace

from bulkhead import valuation
from bulkhead.protocol import margin_math, words
from bulkhead.protocol.fixed_point import FEMTO
from bulkhead.protocol.words import Account, Position
from bulkhead.simulate import cross_margin
from bulkhead.simulate.custody import to_quote
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger
from bulkhead.valuation import slot_of


def deposit_margin(
    ledger: Ledger, payer: str, account: str, market: int, is_long: bool, amount: int
) -> None:
    """Brings money straight into an open vault's margin."""
    quote = to_quote(amount)
    _grow_margin(ledger, account, market, is_long, quote, payer, ledger.account(account))


def add_margin(ledger: Ledger, account: str, market: int, is_long: bool, amount: int) -> None:
    """Moves withdrawable cash into an open vault."""
    require(amount != 0, "amount: zero")
    state = ledger.account(account)
    cross_margin.require_withdrawable(ledger, account, state, amount)
    state = replace(state, cash=state.cash - amount)
    _grow_margin(ledger, account, market, is_long, amount, account, state)


def remove_margin(ledger: Ledger, account: str, market: int, is_long: bool, amount: int) -> None:
    """Moves margin of a vault back to cash; profit is not removable."""
    require(amount != 0, "amount: zero")
    slot = slot_of(isolated=True, long=is_long)
    position = _require_open(ledger, account, market, slot)
    require(position.margin >= amount, "margin: below initial")
    position = replace(position, margin=position.margin - amount)

    state = ledger.market_state(market)
    cross_margin.require_firm(state.is_firm)
    required = margin_math.initial_margin(
        position.size * state.price.price,
        margin_math.isolated_leverage(ledger.settings(account, market), is_long),
        state.tiers,
    )
    worth = valuation.value_of(state, slot, position)
    require(position.margin * FEMTO + min(worth, 0) >= required, "margin: below initial")

    owner = ledger.account(account)
    owner = replace(owner, cash=owner.cash + amount)
    ledger.log(
        "MarginRemoved",
        account=account,
        market=market,
        slot=slot,
        amount=amount,
        position_word=ledger.store_position(account, market, slot, position),
        account_word=ledger.store_account(account, owner),
    )


def set_auto_margin(
    ledger: Ledger, account: str, market: int, is_long: bool, allowance: int
) -> None:
    """Lets liquidations add margin to an open vault, up to an allowance in all."""
    require(allowance <= words.MAX_NOTIONAL, "margin: too large")
    slot = slot_of(isolated=True, long=is_long)
    position = _require_open(ledger, account, market, slot)
    # The position itself says whether there is an allowance: so it ends with it.
    position = replace(position, auto_margin=allowance != 0)
    settings = ledger.settings(account, market)
    if is_long:
        settings = replace(settings, long_allowance=allowance)
    else:
        settings = replace(settings, short_allowance=allowance)
    ledger.log(
        "AutoMarginSet",
        account=account,
        market=market,
        slot=slot,
        allowance=allowance,
        position_word=ledger.store_position(account, market, slot, position),
        settings_word=ledger.store_settings(account, market, settings),
    )


def _grow_margin(
    ledger: Ledger,
    account: str,
    market: int,
    is_long: bool,
    amount: int,
    payer: str,
    state: Account,
) -> None:
    """Adds to an open vault's margin, wherever the money came from, and stores the account."""
    slot = slot_of(isolated=True, long=is_long)
    position = _require_open(ledger, account, market, slot)
    position = replace(position, margin=position.margin + amount)
    require(position.margin <= words.MAX_NOTIONAL, "margin: too large")
    ledger.log(
        "MarginAdded",
        account=account,
        market=market,
        payer=payer,
        slot=slot,
        amount=amount,
        position_word=ledger.store_position(account, market, slot, position),
        account_word=ledger.store_account(account, state),
    )


def _require_open(ledger: Ledger, account: str, market: int, slot: int) -> Position:
    require(market < words.MAX_MARKETS, "market: unknown")
    position = ledger.position(account, market, slot)
    require(position.size != 0, "position: not open")
    return position
