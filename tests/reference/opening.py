"""Opening: what an increase needs, moves and must leave."""

from fractions import Fraction

from tests.reference import fills
from tests.reference.fills import Charges, Ends, Trade, Waits
from tests.reference.margin import Ledger, is_firm, requirement, vault_equity
from tests.reference.state import PPM, SIGN, Dust, Money, State


def _grow(state: State, trade: Trade, slot: int, lots: int) -> Charges:
    """Adds lots at the fill price: their impact is part of the entry."""
    market, price = state.markets[trade.market], state.prices[trade.market].price
    position = state.position(trade.account, trade.market, slot)
    side = slot & 1
    charges = fills.charges_of(state, trade, side, lots)
    position.index = (position.index * position.size + market.index * lots) / Fraction(
        position.size + lots
    )
    position.entry += lots * price + SIGN[side] * charges.impact
    position.size += lots
    market.sizes[side] += lots
    return charges


def open_vault(state: State, trade: Trade, slot: int, lots: int, held: Money, dust: Dust) -> None:
    """What the whole order takes from the ledger, which `held` cash before it, is withdrawable."""
    account, market = state.accounts[trade.account], state.markets[trade.market]
    price = state.prices[trade.market].price
    charges = _grow(state, trade, slot, lots)
    leverage = trade.leverage
    notional = lots * price
    least = max(Fraction(notional) * PPM / leverage, notional * market.tiers[0].initial)
    margin = trade.margin or least + max(0, charges.impact)
    fees = charges.fee + charges.builder
    taken = held - account.cash + margin + fees
    if not dust.holds(0, taken):
        if not is_firm(state, trade.account):
            raise Waits("price: not firm")
        ledger = Ledger(state, trade.account)
        ledger.cash = held
        if not dust.holds(ledger.withdrawable, taken):
            raise Ends("balance: not withdrawable")
    position = state.position(trade.account, trade.market, slot)
    position.margin += margin
    account.cash -= margin + fees
    fills.pay(state, trade, trade.account, charges)
    equity = vault_equity(state, trade.account, trade.market, slot & 1) - max(0, -charges.impact)
    if not dust.holds(equity, requirement(market.tiers, position.size * price, initial=True)):
        raise Ends("margin: below initial")


def open_leg(state: State, trade: Trade, slot: int, lots: int, dust: Dust) -> None:
    if not is_firm(state, trade.account):
        raise Waits("price: not firm")
    position = state.position(trade.account, trade.market, slot)
    if not position.size:
        # An open leg keeps its leverage, and the legs of a pair share one.
        other = state.position(trade.account, trade.market, slot ^ 1)
        position.leverage = other.leverage if other.size else trade.leverage
    charges = _grow(state, trade, slot, lots)
    state.accounts[trade.account].cash -= charges.fee + charges.builder
    fills.pay(state, trade, trade.account, charges)
    after = Ledger(state, trade.account)
    if not dust.holds(after.cash + after.value - max(0, -charges.impact), after.initial):
        raise Ends("margin: below initial")
