"""What a fill costs, whom it pays, and how lots come off a position."""

from dataclasses import dataclass
from fractions import Fraction

from tests.reference.margin import value_of
from tests.reference.state import PPM, SIGN, Dust, Market, Money, Position, State


class Ends(Exception):  # noqa: N818 - what becomes of the order
    """The order ends unfilled, for one of these reasons."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


class Waits(Exception):  # noqa: N818
    """The order stays as it is: the call is refused."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(*reasons)
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Trade:
    account: str
    market: int
    mode: int  # CROSS or ISOLATED
    named_side: int | None  # in hedge mode
    is_buy: bool
    reduce_only: bool
    size: int
    margin: int
    leverage: int
    keeper_fee: int
    is_escrowed: bool
    builder: str = ""
    builder_rate: int = 0  # ppm
    referrer: str = ""
    referral_share: int = 0  # ppm of the builder's fee


def impact_of(market: Market, price: Money, lots: int) -> Money:
    """What a signed trade pays above the mark: price * lots * (skew + lots / 2) / scale."""
    return Fraction(lots) * price * (market.skew + Fraction(lots, 2)) / market.terms.skew_scale


def fee_of(market: Market, price: Money, lots: int) -> Money:
    """Maker on what shrinks the skew, taker on the rest."""
    shrinks = min(abs(lots), abs(market.skew)) if lots * market.skew < 0 else 0
    terms = market.terms
    return price * (shrinks * terms.maker_fee + (abs(lots) - shrinks) * terms.taker_fee)


def fill_price(market: Market, price: Money, lots: int) -> Money:
    return price * (1 + (market.skew + Fraction(lots, 2)) / market.terms.skew_scale)


def share_fee(state: State, market: Market, fee: Money) -> None:
    insured = fee * market.terms.insurance_share
    treasury = fee * market.terms.treasury_share
    state.house.insurance += insured
    state.house.fees += treasury
    state.house.pool_cash += fee - insured - treasury


@dataclass(frozen=True, slots=True)
class Charges:
    """What a fill takes from who trades; what shrinks last comes first."""

    due: Money  # the keeper's
    impact: Money
    fee: Money
    builder: Money

    @property
    def total(self) -> Money:
        return self.due + self.impact + self.fee + self.builder

    def within(self, free: Money) -> "Charges":
        """As far as what is free bears them, a gain of the fill's included."""
        free -= min(0, self.impact)
        paid = []
        for charge in (self.due, self.impact, self.fee, self.builder):
            part = min(charge, max(0, free))
            free -= max(0, part)
            paid.append(part)
        return Charges(*paid)


def charges_of(state: State, trade: Trade, side: int, lots: int, due: Money = 0) -> Charges:
    """Of lots that are bought or sold: `side` is the one that they would add to."""
    market, price = state.markets[trade.market], state.prices[trade.market].price
    signed = lots * SIGN[side]
    return Charges(
        due,
        impact_of(market, price, signed),
        fee_of(market, price, signed),
        Fraction(lots * price * trade.builder_rate, PPM),
    )


def pay(state: State, trade: Trade, keeper: str, charges: Charges) -> None:
    """The fee's shares, the keeper, the builder and who referred the account to it."""
    share_fee(state, state.markets[trade.market], charges.fee)
    state.accounts[keeper].cash += charges.due
    if charges.builder:
        referral = charges.builder * Fraction(trade.referral_share, PPM)
        state.accounts[trade.builder].cash += charges.builder - referral
        if referral:
            state.accounts[trade.referrer].cash += referral


def check_pool(state: State, realised: Money, dust: Dust) -> None:
    """A close in profit waits while pool and insurance together could not pay it."""
    together = state.house.pool_cash + state.house.insurance
    if realised > 0 and not dust.holds(together, 0):
        raise Waits("pool: short of cash")


def take_off(state: State, place: tuple[str, int, int], lots: int) -> Money:
    """Closes lots at the mark: what they realise. The margin stays; the pool pays or gets."""
    account, number, slot = place
    position = state.positions[place]
    realised = Fraction(lots, position.size) * value_of(state, account, number, slot)
    position.entry -= Fraction(position.entry * lots, position.size)
    position.size -= lots
    state.markets[number].sizes[slot & 1] -= lots
    state.house.pool_cash -= realised
    return realised


def end(position: Position) -> None:
    """The slot keeps its generation and nothing else."""
    position.entry = position.margin = position.index = position.leverage = 0
    position.is_auto = False
    position.generation += 1


def write_off(state: State, name: str) -> None:
    """A debt without a leg: the account's escrow pays, then insurance, then the pool."""
    account = state.accounts[name]
    if account.cash >= 0:
        return
    clawed = min(account.escrow, -account.cash)
    account.escrow -= clawed
    account.cash += clawed
    state.take_deficit(-account.cash)
    account.cash = 0
