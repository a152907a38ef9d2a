"""Section 5 of the design: what positions are worth and what they must be backed with."""

from collections.abc import Sequence
from fractions import Fraction

from tests.reference.funding import index_now
from tests.reference.state import (
    CERTAIN,
    HOUR,
    ISOLATED,
    LONG,
    PPM,
    SHORT,
    SIGN,
    Dust,
    Money,
    Position,
    State,
    Tier,
)


def lines(tiers: Sequence[Tier], *, initial: bool) -> list[tuple[Fraction, Fraction]]:
    """Rate and deduction of each tier, so that the requirement is the highest line."""
    found: list[tuple[Fraction, Fraction]] = []
    for tier in tiers:
        rate = tier.initial if initial else tier.maintenance
        if found:
            before, deduction = found[-1]
            found.append((rate, deduction + (rate - before) * tier.floor))
        else:
            found.append((rate, Fraction(0)))
    return found


def requirement(tiers: Sequence[Tier], notional: Money, *, initial: bool) -> Money:
    return max(rate * notional - deduction for rate, deduction in lines(tiers, initial=initial))


def initial_margin(tiers: Sequence[Tier], notional: Money, leverage: int) -> Money:
    """The tiers', or notional / leverage where that is more."""
    least = requirement(tiers, notional, initial=True)
    return max(least, Fraction(notional) * PPM / leverage) if leverage else least


def worth(position: Position, side: int, price: Money, index: Money) -> Money:
    """Unrealised PnL less funding owed."""
    gain = position.size * price - position.entry
    return SIGN[side] * (gain - position.size * (index - position.index))


def value_of(state: State, account: str, market: int, slot: int) -> Money:
    position = state.position(account, market, slot)
    return worth(position, slot & 1, state.prices[market].price, index_now(state, market))


def vault_equity(state: State, account: str, market: int, side: int) -> Money:
    slot = ISOLATED + side
    return state.position(account, market, slot).margin + value_of(state, account, market, slot)


class Ledger:
    """An account's cross ledger, valued.

    `counts_silence`: a leg whose feed is silent counts its loss always, its profit for an hour.
    One of a settled market asks for nothing: it can move no more.
    """

    def __init__(self, state: State, account: str, *, counts_silence: bool = False) -> None:
        self.cash = state.accounts[account].cash
        self.escrow = state.accounts[account].escrow
        self.value: Money = 0
        self.initial: Money = 0
        self.maintenance: Money = 0
        self.band: Money = 0  # what the prices' confidence may add
        self.caution = CERTAIN  # the gravest of the prices'
        self.markets = state.legs(account)
        for market in self.markets:
            price = state.prices[market]
            sizes = [state.position(account, market, side).size for side in (LONG, SHORT)]
            worth_here = sum(value_of(state, account, market, side) for side in (LONG, SHORT))
            is_silent = not price.is_live(state.now)
            if (
                counts_silence
                and is_silent
                and state.now > price.published_at + price.max_age + HOUR
            ):
                worth_here = min(worth_here, 0)
            self.value += worth_here
            if price.is_settled:
                continue
            notional = max(sizes) * price.price
            leverage = max(state.position(account, market, side).leverage for side in (LONG, SHORT))
            listed = state.markets[market]
            self.initial += initial_margin(listed.tiers, notional, leverage)
            self.initial += 2 * listed.terms.taker_fee * min(sizes) * price.price
            self.maintenance += requirement(listed.tiers, notional, initial=False)
            if price.is_fresh(state.now):
                self.caution = max(self.caution, price.caution)
                net = abs(sizes[LONG] - sizes[SHORT]) * price.price
                self.band += net * price.confidence

    @property
    def equity(self) -> Money:
        """What liquidation looks at: escrow still counts."""
        return self.cash + self.escrow + self.value

    @property
    def withdrawable(self) -> Money:
        return max(0, self.cash + min(0, self.value) - self.initial)


def is_firm(state: State, account: str) -> bool:
    """Whether every cross leg's price is."""
    return all(state.prices[market].is_firm(state.now) for market in state.legs(account))


def may_leave(state: State, account: str, dust: Dust) -> bool:
    """Whether a fee that is out of the escrow already may leave: initial margin holds without."""
    ledger = Ledger(state, account)
    if not ledger.markets:
        return True
    backed = ledger.cash + min(0, ledger.value)
    return is_firm(state, account) and dust.holds(backed, ledger.initial)
