"""What positions and accounts are worth and require: `modules/cross_margin.vy`, in Python.

Pure: from words and market states to numbers. All results are femto USD.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bulkhead.markets import MarketState
from bulkhead.protocol import fixed_point, margin_math, position_math, price_validity, words
from bulkhead.protocol.words import Account, Position

CLOSED = Position(0, 0, 0, 0, 0)

Legs = Mapping[tuple[int, int], Position]
"""Cross positions by market and slot."""


@dataclass(frozen=True, slots=True)
class Valuation:
    """The sum over some positions.

    Attributes:
        worth: Value, or equity of a vault, femto.
        initial: Initial margin, femto.
        maintenance: Maintenance margin, femto.
        band: What the prices' confidence may add to the worth, femto.
        caution: The gravest of the prices'.
        is_firm: Whether every price is fresh and undoubted.
        is_current: Whether every price is fresh, or silent for good.
    """

    worth: int = 0
    initial: int = 0
    maintenance: int = 0
    band: int = 0
    caution: int = words.NO_CAUTION
    is_firm: bool = True
    is_current: bool = True

    def __add__(self, other: "Valuation") -> "Valuation":
        return Valuation(
            self.worth + other.worth,
            self.initial + other.initial,
            self.maintenance + other.maintenance,
            self.band + other.band,
            max(self.caution, other.caution),
            self.is_firm and other.is_firm,
            self.is_current and other.is_current,
        )


def is_long(slot: int) -> bool:
    """Whether a slot holds a long."""
    return slot & 1 == 0


def is_isolated(slot: int) -> bool:
    """Whether a slot is a vault."""
    return slot >= words.ISOLATED_LONG


def slot_of(*, isolated: bool, long: bool) -> int:
    """The slot of a margin mode and a side."""
    return 2 * isolated + (not long)


def slot_name(slot: int) -> str:
    """A slot in words: its margin mode and its side."""
    return f"{'isolated' if is_isolated(slot) else 'cross'} {'long' if is_long(slot) else 'short'}"


def value_of(state: MarketState, slot: int, position: Position) -> int:
    """Unrealised PnL less funding owed."""
    return position_math.value_of(
        position, is_long(slot), state.price.price, state.funding.funding_index
    )


def value_vault(state: MarketState, slot: int, position: Position) -> Valuation:
    """A vault's equity as its worth, and the tiers' requirements."""
    notional = position.size * state.price.price
    tiers = state.tiers
    return Valuation(
        worth=position.margin * fixed_point.FEMTO + value_of(state, slot, position),
        initial=margin_math.initial_margin(notional, 0, tiers),
        maintenance=margin_math.maintenance_margin(notional, tiers),
        band=margin_math.band_of(notional, state.price.confidence),
        caution=state.price.caution,
        is_firm=state.is_firm,
        is_current=state.is_fresh,
    )


def worth_of_pair(state: MarketState, long: Position, short: Position) -> int:
    """What the two cross legs of one market are worth: a silent one's profit for a while only."""
    worth = 0
    if long.size:
        worth = value_of(state, words.CROSS_LONG, long)
    if short.size:
        worth += value_of(state, words.CROSS_SHORT, short)
    return worth if price_validity.profit_counts(state.price, state.now) else min(worth, 0)


def value_pair(state: MarketState, long: Position, short: Position) -> Valuation:
    """The two cross legs of one market: margin is required for the larger one.

    Initially also for what taking the matched part apart would cost. A settled market asks for
    none.
    """
    worth = worth_of_pair(state, long, short)
    leverage = long.margin if long.size or not short.size else short.margin
    is_current = state.is_fresh or not state.is_live
    # The doubt about a price that is not fresh shields nobody.
    caution = state.price.caution if state.is_fresh else words.NO_CAUTION
    confidence = state.price.confidence if state.is_fresh else 0
    if price_validity.is_settled(state.price):
        return Valuation(worth, caution=caution, is_firm=state.is_firm, is_current=is_current)
    price, tiers = state.price, state.tiers
    larger, matched = max(long.size, short.size), min(long.size, short.size)
    notional = larger * price.price
    unwinding = margin_math.unwinding_cost(matched * price.price, state.market.terms.taker_fee)
    return Valuation(
        worth=worth,
        initial=margin_math.initial_margin(notional, leverage, tiers) + unwinding,
        maintenance=margin_math.maintenance_margin(notional, tiers),
        band=margin_math.band_of((larger - matched) * price.price, confidence),
        caution=caution,
        is_firm=state.is_firm,
        is_current=is_current,
    )


def value_legs(legs: Legs, states: Mapping[int, MarketState]) -> Valuation:
    """All cross legs of an account together."""
    return sum(
        (
            value_pair(
                states[market],
                legs.get((market, words.CROSS_LONG), CLOSED),
                legs.get((market, words.CROSS_SHORT), CLOSED),
            )
            for market in sorted({market for market, _ in legs})
        ),
        Valuation(),
    )


def cross_equity(account: Account, legs: Valuation) -> int:
    """What backs an account's maintenance margin: cash, escrow and its legs' worth."""
    return (account.cash + account.escrow) * fixed_point.FEMTO + legs.worth


def withdrawable(account: Account, legs: Valuation) -> int:
    """What may leave the cross ledger, quote, down. Unrealised profit never leaves."""
    if not account.legs:
        return max(account.cash, 0)
    return max(free_cash(account.cash, legs), 0)


def free_cash(cash: int, legs: Valuation) -> int:
    """Cash less unrealised losses and initial margin of open legs, quote, down; may be negative."""
    return cash + fixed_point.quote_down(min(legs.worth, 0) - legs.initial)


def leg_keys(account: Account) -> tuple[tuple[int, int], ...]:
    """Market and slot of every open cross leg, as the account's word has them."""
    return keys_of(account.legs)


def keys_of(legs: int) -> tuple[tuple[int, int], ...]:
    """Market and slot of every cross leg whose bit is set, as in an account's word."""
    keys: list[tuple[int, int]] = []
    while legs:
        keys.append(divmod(words.lowest_bit_index(legs), 2))
        legs &= legs - 1
    return tuple(keys)


def markets_of(keys: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """The markets that some positions are in."""
    return tuple(sorted({market for market, _ in keys}))
