"""Section 7: what anybody may do to who is below maintenance margin."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from tests.reference import fills
from tests.reference.funding import accrue, steer
from tests.reference.margin import (
    Ledger,
    is_firm,
    lines,
    requirement,
    vault_equity,
)
from tests.reference.state import ISOLATED, LONG, ONLY_BANKRUPT, SHORT, Dust, Money, Slot, State

HEALING = Fraction(2, 3)  # of maintenance: with less equity all is closed


class Batch:
    """What a call has earned its caller: paid when all of it is done."""

    def __init__(self, state: State, keeper: str) -> None:
        self.state = state
        self.keeper = keeper
        self.earned: Money = 0
        self.count = 0

    def __enter__(self) -> "Batch":
        return self

    def __exit__(self, *_: object) -> None:
        self.state.accounts[self.keeper].cash += self.earned

    def penalise(self, number: int, lots: int, equity: Money) -> Money:
        """The penalty, as far as equity bears it.

        The keeper's share is of the whole one and comes first; insurance tops it up to the floor.
        """
        house, terms = self.state.house, self.state.markets[number].terms
        whole: Money = lots * self.state.prices[number].price * terms.penalty
        penalty: Money = min(whole, max(equity, 0))
        floor: Money = terms.keeper_floor
        share: Money = min(max(whole * terms.keeper_share, floor), terms.keeper_cap)
        reward: Money = min(share, max(penalty, floor), penalty + house.insurance)
        self.earned += reward
        house.insurance += penalty - reward
        return penalty


def liquidate_vaults(state: State, places: Sequence[Slot], keeper: str, dust: Dust) -> int:
    with Batch(state, keeper) as batch:
        for place in places:
            batch.count += _liquidate_vault(state, place, batch, dust)
    return batch.count


def _liquidate_vault(state: State, place: Slot, batch: Batch, dust: Dust) -> bool:
    account, number, slot = place
    position = state.position(*place)
    if slot < ISOLATED or not position.size or not state.prices[number].may_trade(state.now):
        return False
    market, price = state.markets[number], state.prices[number].price
    notional = position.size * price
    equity = vault_equity(state, account, number, slot & 1)
    maintenance = requirement(market.tiers, notional, initial=False)
    judged = equity + notional * state.prices[number].confidence
    if not _may_liquidate(judged, maintenance, state.prices[number].caution, dust):
        return False
    if position.is_auto and equity > 0 and _top_up(state, place, equity, batch, dust):
        return True
    accrue(state, number)
    lots = _lots_to_close(state, place, equity, maintenance, dust)
    realised = fills.take_off(state, place, lots)
    position.margin += realised
    position.margin -= batch.penalise(number, lots, position.margin)
    if position.margin < 0:
        state.take_deficit(-position.margin)
        position.margin = 0
    if not position.size:
        state.accounts[account].cash += position.margin
        fills.end(position)
    steer(market)
    return True


def _top_up(state: State, place: Slot, equity: Money, batch: Batch, dust: Dust) -> bool:
    """All that brings the vault back to initial margin, out of withdrawable and allowance."""
    account, number, _ = place
    market, position = state.markets[number], state.positions[place]
    if not is_firm(state, account):
        return False
    notional = position.size * state.prices[number].price
    missing = requirement(market.tiers, notional, initial=True) - equity
    reward = market.terms.keeper_floor
    free = min(Ledger(state, account).withdrawable, state.allowances.get(place, 0))
    if not dust.holds(free, missing + reward):
        return False
    state.allowances[place] -= missing + reward
    position.margin += missing
    state.accounts[account].cash -= missing + reward
    batch.earned += reward
    return True


def _lots_to_close(state: State, place: Slot, equity: Money, maintenance: Money, dust: Dust) -> int:
    """Just enough to restore the buffer, or all."""
    account, number, slot = place
    position = state.positions[place]
    market, price = state.markets[number], state.prices[number].price
    terms = market.terms
    notional = position.size * price
    if slot < ISOLATED:
        sizes = [state.position(account, number, side).size for side in (LONG, SHORT)]
        notional = max(sizes) * price
    others = maintenance - requirement(market.tiers, notional, initial=False)
    if not dust.holds(equity, HEALING * maintenance) or notional <= terms.partial_above:
        return position.size
    wanted: list[tuple[Money, Money]] = []
    for rate, deduction in lines(market.tiers, initial=False):
        line = rate * notional - deduction + others
        missing = (1 + terms.buffer) * line - equity
        healed = price * ((1 + terms.buffer) * rate - terms.penalty)  # by a lot
        wanted.append((missing / healed, 4 / healed))
    least = ceil(Fraction(terms.min_notional) / price)
    lots = max(dust.up(place, *max(wanted)), least)
    if lots >= position.size or (position.size - lots) * price < terms.min_notional:
        return position.size
    return lots


def liquidate_ledgers(state: State, accounts: Sequence[str], keeper: str, dust: Dust) -> int:
    with Batch(state, keeper) as batch:
        for account in accounts:
            batch.count += _liquidate_ledger(state, account, batch, dust)
    return batch.count


def _liquidate_ledger(state: State, account: str, batch: Batch, dust: Dust) -> bool:
    ledger = Ledger(state, account, counts_silence=True)
    prices = [state.prices[market] for market in ledger.markets]
    if any(price.is_live(state.now) and not price.is_fresh(state.now) for price in prices):
        return False
    live = [m for m in ledger.markets if state.prices[m].may_trade(state.now)]
    if not live or not _is_due(ledger, dust):
        return False
    cash = state.accounts[account]
    acted = False
    for number in live:
        sizes = [state.position(account, number, side).size for side in (LONG, SHORT)]
        if min(sizes):
            acted = True
            accrue(state, number)
            for side in (LONG, SHORT):
                cash.cash += fills.take_off(state, (account, number, side), min(sizes))
                if not state.positions[account, number, side].size:
                    fills.end(state.positions[account, number, side])
            steer(state.markets[number])
    ledger = Ledger(state, account, counts_silence=True)
    if acted and not (ledger.markets and _is_due(ledger, dust)):
        write_off_if_flat(state, account)
        return True
    closes_all = not dust.holds(ledger.equity, HEALING * ledger.maintenance)
    for number in live:
        for side in (LONG, SHORT):
            place = (account, number, side)
            if not state.position(*place).size:
                continue
            ledger = Ledger(state, account, counts_silence=True)
            buffered = (1 + state.markets[number].terms.buffer) * ledger.maintenance
            if not closes_all and acted and dust.holds(ledger.equity, buffered):
                break
            acted = True
            lots = state.positions[place].size
            if not closes_all:
                lots = _lots_to_close(state, place, ledger.equity, ledger.maintenance, dust)
            accrue(state, number)
            cash.cash += fills.take_off(state, place, lots)
            if not state.positions[place].size:
                fills.end(state.positions[place])
            equity = Ledger(state, account, counts_silence=True).equity
            cash.cash -= batch.penalise(number, lots, equity)
            steer(state.markets[number])
    write_off_if_flat(state, account)
    return acted


def _is_due(ledger: Ledger, dust: Dust) -> bool:
    return _may_liquidate(ledger.equity + ledger.band, ledger.maintenance, ledger.caution, dust)


def _may_liquidate(judged: Money, maintenance: Money, caution: int, dust: Dust) -> bool:
    """Judged at the trader's edge of the price; in doubt only the bankrupt are liquidated."""
    if not maintenance or (caution == ONLY_BANKRUPT and not dust.holds(0, judged)):
        return False
    return dust.holds(maintenance, judged)


def write_off_if_flat(state: State, account: str) -> None:
    if not state.legs(account):
        fills.write_off(state, account)
