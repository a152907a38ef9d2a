"""Section 5: what an account does to its vaults and its leverage between trades."""

from fractions import Fraction

from tests.reference import fills
from tests.reference.margin import (
    Ledger,
    initial_margin,
    is_firm,
    value_of,
)
from tests.reference.orders import Refused
from tests.reference.state import ISOLATED, LONG, PPM, SHORT, Dust, Money, Slot, State
from tests.reference.trading import DEFAULT_LEVERAGE

LEAST_LEVERAGE, MOST_LEVERAGE = PPM, 2**28 - 1


def leverage_of(state: State, place: Slot) -> int:
    """Of a vault: its owner's, else 10x."""
    return state.settings.get(place, 0) or DEFAULT_LEVERAGE


def vault_initial(state: State, place: Slot) -> Money:
    """What a vault must hold for its owner to take margin out, at the leverage set."""
    _, number, _ = place
    notional = state.positions[place].size * state.prices[number].price
    return initial_margin(state.markets[number].tiers, notional, leverage_of(state, place))


def bring(state: State, place: Slot, amount: int) -> None:
    state.positions[place].margin += amount


def add(state: State, place: Slot, amount: int, dust: Dust) -> None:
    """Out of what is withdrawable; without legs no price is needed."""
    account = place[0]
    if not is_firm(state, account):
        raise Refused("price: not firm")
    free = Ledger(state, account).withdrawable
    if not dust.holds(free, amount, dust=4 if state.legs(account) else 0):
        raise Refused("balance: not withdrawable")
    state.accounts[account].cash -= amount
    state.positions[place].margin += amount


def remove(state: State, place: Slot, amount: int, dust: Dust) -> None:
    """What is left covers initial margin and the unrealised loss: profit is not removable."""
    position = state.positions[place]
    needed = vault_initial(state, place) + max(0, -value_of(state, *place))
    reasons = []
    if not state.prices[place[1]].is_firm(state.now):
        reasons.append("price: not firm")
    if not dust.holds(position.margin - amount, needed):
        reasons.append("margin: below initial")
    if reasons:
        raise Refused(*reasons)
    position.margin -= amount
    state.accounts[place[0]].cash += amount


def set_leverage(state: State, place: Slot, leverage: int, dust: Dust) -> None:
    """An open cross leg takes it at once, if initial margin still holds."""
    account, number, slot = place
    if leverage and not LEAST_LEVERAGE <= leverage <= MOST_LEVERAGE:
        raise Refused("leverage: out of range")
    state.settings[place] = leverage
    if slot >= ISOLATED:
        return
    legs = [state.position(account, number, side) for side in (LONG, SHORT)]
    if not any(leg.size for leg in legs):
        return
    for leg in legs:
        if leg.size:
            leg.leverage = leverage
    if not is_firm(state, account):
        raise Refused("price: not firm")
    ledger = Ledger(state, account)
    if not dust.holds(ledger.cash + ledger.value, ledger.initial):
        raise Refused("margin: below initial")


def convert(state: State, place: Slot, amount: int, dust: Dust) -> None:
    """Moves a position to the other mode's slot of its side, and merges it with what is there."""
    account, number, slot = place
    target = account, number, slot ^ ISOLATED
    other_side = state.position(account, number, target[2] ^ 1)
    reasons = []
    if other_side.size and not state.accounts[account].is_hedge:
        reasons.append("position: other side open")
    price = state.prices[number]
    is_over = price.is_settling(state.now)
    if is_over or not price.is_firm(state.now) or not is_firm(state, account):
        reasons.append("price: not firm")
    if reasons:
        raise Refused(*reasons)
    position, merged = state.positions[place], state.position(*target)
    value, size = value_of(state, *place), position.size
    moved = position.margin
    if slot < ISOLATED:
        notional = size * state.prices[number].price
        tiers = state.markets[number].tiers
        needed = initial_margin(tiers, notional, leverage_of(state, target)) + max(0, -value)
        moved = amount or needed
        reasons = [] if not amount or dust.holds(moved, needed) else ["margin: below initial"]
    merged.index = Fraction(merged.index * merged.size + position.index * size) / (
        merged.size + size
    )
    merged.entry += position.entry
    merged.size += size
    position.size = 0
    cash = state.accounts[account]
    if slot >= ISOLATED:
        cash.cash += moved
        merged.leverage = merged.leverage or state.settings.get((account, number, 0), 0)
        fills.end(position)
        ledger = Ledger(state, account)
        if not dust.holds(ledger.cash + ledger.value, ledger.initial):
            raise Refused("margin: below initial")
        return
    fills.end(position)
    if not dust.holds(Ledger(state, account).withdrawable, moved):
        reasons.append("balance: not withdrawable")
    cash.cash -= moved
    merged.margin += moved
    # The vault as a whole: at its leverage, unlike one that an order adds to.
    needed = vault_initial(state, target) + max(0, -value_of(state, *target))
    if not dust.holds(merged.margin, needed):
        reasons.append("margin: below initial")
    if reasons:
        raise Refused(*reasons)
