"""What the model knows of the exchange: plain values, money in exact quote units."""

from copy import copy
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from tests.reference.book import Book
from tests.reference.providers import Shares

Money = Fraction | int

LOT_DUST = Fraction(1, 100)

PPM = 10**6
HOUR, DAY = 3_600, 86_400
FEMTO = 10**9  # femto USD in a quote unit
USD = 10**6
LONG, SHORT = 0, 1
CROSS, ISOLATED = 0, 2  # added to a side: the slot
SIGN = {LONG: 1, SHORT: -1}


@dataclass(slots=True)
class Position:
    """A slot. Its leverage (of a cross leg) is parts per million, 0 for the tiers alone."""

    size: int = 0
    entry: Money = 0
    margin: Money = 0
    index: Money = 0  # quote a lot
    is_auto: bool = False
    generation: int = 0
    leverage: int = 0


@dataclass(slots=True)
class Account:
    cash: Money = 0
    escrow: Money = 0
    is_hedge: bool = False
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Tier:
    floor: int  # quote
    maintenance: Fraction
    initial: Fraction


@dataclass(frozen=True, slots=True)
class Ramp:
    """Where a market's tiers come from and go to; without an end there is none."""

    before: tuple[Tier, ...]
    target: tuple[Tier, ...]
    began_at: int = 0
    ends_at: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """A market's terms, as its owner named them: rates as fractions, money as quote units."""

    taker_fee: Fraction
    maker_fee: Fraction
    insurance_share: Fraction
    treasury_share: Fraction
    skew_scale: int
    skew_cap: Fraction
    side_cap: Fraction
    min_notional: int
    pool_share: Fraction
    reserve_rate: Fraction
    funding_velocity: Fraction
    max_funding_rate: Fraction
    penalty: Fraction
    keeper_share: Fraction
    keeper_floor: int
    keeper_cap: int
    buffer: Fraction
    partial_above: int


@dataclass(slots=True)
class Market:
    terms: Terms
    tiers: tuple[Tier, ...]  # as they are now on their ramp
    ramp: Ramp
    index: Money = 0  # quote a lot
    rate: Money = 0  # a day
    drift: Money = 0  # a day, a day
    since: int = 0
    sizes: list[int] = field(default_factory=lambda: [0, 0])
    bases: list[int] = field(default_factory=lambda: [0, 0])  # femto; the chain's alone
    is_reduce_only: bool = False

    @property
    def skew(self) -> int:
        return self.sizes[LONG] - self.sizes[SHORT]


CERTAIN, NO_OPENING, ONLY_BANKRUPT = range(3)  # what a price is not good for


@dataclass(frozen=True, slots=True)
class Quote:
    """A price that counts towards a settlement."""

    published_at: int
    price: Money


@dataclass(slots=True)
class Price:
    """The oracle's last word on a market."""

    price: Money  # quote a lot
    published_at: int
    silence: int
    trade_age: int
    max_age: int
    settles_at: int = 0  # when the hour begins whose average is the last price; 0 for never
    is_settled: bool = False
    caution: int = CERTAIN
    confidence: Money = 0  # as a part of the price

    def is_fresh(self, now: int) -> bool:
        return self.is_settled or now <= self.published_at + self.trade_age

    def is_live(self, now: int) -> bool:
        return self.is_settled or now <= self.published_at + self.max_age

    def is_settling(self, now: int) -> bool:
        """Or settled already."""
        return 0 < self.settles_at <= now

    def is_firm(self, now: int) -> bool:
        """Whether money may leave at it."""
        is_about_to_change = self.is_settling(now) and not self.is_settled
        return self.is_fresh(now) and self.caution == CERTAIN and not is_about_to_change

    def may_trade(self, now: int) -> bool:
        return self.is_fresh(now) and not self.is_settling(now)

    def clock(self, now: int) -> int:
        """The market's own time: it stands still while the feed is silent, and ends."""
        until = min(now, self.published_at + self.max_age)
        return (min(until, self.settles_at) if self.settles_at else until) - self.silence


@dataclass(slots=True)
class House:
    pool_cash: Money = 0
    insurance: Money = 0
    fees: Money = 0
    is_stopped: bool = False
    announced: tuple[int, int] = (0, 0)  # from insurance: quote, and from when on


Slot = tuple[str, int, int]  # account, market, slot


@dataclass(slots=True)
class State:
    now: int
    tokens: int  # quote, all that the clearinghouse holds; the chain's alone
    house: House
    accounts: dict[str, Account]
    markets: list[Market]
    prices: list[Price]
    positions: dict[Slot, Position]
    book: Book
    shares: Shares
    quotes: dict[int, tuple[Quote, ...]] = field(default_factory=dict)  # since an announcement
    allowances: dict[Slot, Money] = field(default_factory=dict)  # for auto add-margin
    settings: dict[Slot, int] = field(default_factory=dict)  # leverage; of a ledger at slot 0
    isolates: set[tuple[str, int]] = field(default_factory=set)  # where DEFAULT means isolated

    def copy(self) -> "State":
        markets = [copy(market) for market in self.markets]
        for market in markets:
            market.sizes = list(market.sizes)
        return State(
            self.now,
            self.tokens,
            copy(self.house),
            {name: copy(account) for name, account in self.accounts.items()},
            markets,
            [copy(price) for price in self.prices],
            {slot: copy(position) for slot, position in self.positions.items()},
            self.book.copy(),
            self.shares.copy(),
            dict(self.quotes),
            dict(self.allowances),
            dict(self.settings),
            set(self.isolates),
        )

    def take(self, other: "State") -> None:
        """Goes on as another that was tried."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))

    def position(self, account: str, market: int, slot: int) -> Position:
        return self.positions.setdefault((account, market, slot), Position())

    def legs(self, account: str) -> list[int]:
        """The markets in which an account has cross legs, in their order."""
        return [
            market
            for market in range(len(self.markets))
            if any(self.position(account, market, side).size for side in (LONG, SHORT))
        ]

    def is_flat(self, account: str) -> bool:
        return not any(
            position.size for (whose, _, _), position in self.positions.items() if whose == account
        )

    def take_deficit(self, amount: Money) -> None:
        """Insurance pays, then the pool."""
        paid = min(amount, self.house.insurance)
        self.house.insurance -= paid
        self.house.pool_cash -= amount - paid


class Dust:
    """Compares what rounding may have moved: within the dust the answer is what it leans to."""

    def __init__(self, *, leans: bool) -> None:
        self.leans = leans
        self.is_tied = False
        self.closed: dict[Slot, int] = {}  # lots that the chain's forced closes took off

    def holds(self, greater: Money, less: Money, dust: Money = 4) -> bool:
        """Whether `greater >= less`."""
        apart = abs(Fraction(greater - less))
        if apart <= dust:
            self.is_tied = True
            return self.leans
        return greater > less

    def up(self, place: Slot, lots: Money, slack: Money) -> int:
        """Lots rounded up; the chain, which rounds what they are worked out of, may take more."""
        least = ceil(lots)
        chosen = self.closed.get(place, least)
        return chosen if least <= chosen <= ceil(lots + slack) else least

    def down(self, place: Slot, lots: Money) -> int:
        """Lots rounded down; the chain may come out at the next whole number on either side."""
        chosen = self.closed.get(place, 0)
        return chosen if abs(Fraction(chosen - lots)) < 1 + LOT_DUST else floor(lots)
