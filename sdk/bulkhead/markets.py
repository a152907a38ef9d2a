"""A market and its units: sizes in lots, prices in femto USD per lot."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal, localcontext
from fractions import Fraction

from bulkhead.protocol import margin_math, market_math, price_validity, words
from bulkhead.protocol.fixed_point import signed_div_down
from bulkhead.protocol.words import LiquidationTerms, Price, Ramp, Side, Tier, TradeTerms
from bulkhead.values import Amount, decimal_of, down, exact, femto_to_usd, from_units, up

OPEN = 0  # TradeTerms.status
REDUCE_ONLY = 1

WORDS = 10  # that a market has in the clearinghouse
# Femto USD per lot * WAD lots per base unit: price = femto / 1e15 / (lot_size / 1e18).
_FEMTO_PER_LOT_SIZE = 1_000
_WAD = 10**18
_TIERS_IN_FIRST_WORD = 4


def size_of(lots: int, lot_size: int) -> Decimal:
    """Lots of WAD base units each as a size in base units, exact."""
    return from_units(lots * lot_size, 18)


def price_of(femto: int, lot_size: int) -> Decimal:
    """Femto per lot as USD per base unit: exact for a lot that is a power of ten."""
    with localcontext() as context:
        context.prec = 50
        return Decimal(femto) * _FEMTO_PER_LOT_SIZE / Decimal(lot_size)


@dataclass(frozen=True, slots=True)
class Market:
    """What a market is and asks; converts its sizes and prices, exactly.

    Attributes:
        id: Its number.
        symbol: Its unique name.
        lot_size: WAD base units per lot.
        terms: What a trade costs and how far it may go.
        liquidation_terms: What a liquidation costs.
        tiers: Margin rates by notional, the first tier's floor being zero.
        ramp: How the rates move there from older ones, if they do.
        tiers_before: Those older ones.
    """

    id: int
    symbol: str
    lot_size: int
    terms: TradeTerms
    liquidation_terms: LiquidationTerms
    tiers: tuple[Tier, ...]
    ramp: Ramp | None = None
    tiers_before: margin_math.Tiers | None = None
    # Packed once: every valuation asks for them.
    _target: margin_math.Tiers = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        target = margin_math.Tiers(
            self.tiers[0].maintenance_rate, self.tiers[0].initial_rate, *tier_words(self.tiers)
        )
        object.__setattr__(self, "_target", target)

    def lots_exact(self, size: Amount) -> int:
        """A size in base units as lots; refused unless that is a whole number."""
        return exact(self._lots(size), "size", f"lots of {from_units(self.lot_size, 18)}")

    def lots_down(self, size: Amount) -> int:
        """A size in base units as lots, down: no order asks for more than was meant."""
        return down(self._lots(size))

    def size_of(self, lots: int) -> Decimal:
        """Lots as a size in base units, exact."""
        return size_of(lots, self.lot_size)

    def price_exact(self, price: Amount) -> int:
        """A price in USD per base unit as femto per lot; refused unless that is a whole number."""
        return exact(self._femto(price), "price", "femto USD per lot")

    def price_down(self, price: Amount) -> int:
        """A price in USD per base unit as femto per lot, down: the most a buyer accepts."""
        return down(self._femto(price))

    def price_up(self, price: Amount) -> int:
        """A price in USD per base unit as femto per lot, up: the least a seller accepts."""
        return up(self._femto(price))

    def acceptable_price(self, price: Amount, *, is_buy: bool) -> int:
        """A worst price as femto per lot, rounded so that it never accepts a worse one."""
        return self.price_down(price) if is_buy else self.price_up(price)

    def price_of(self, femto: int) -> Decimal:
        """Femto per lot as USD per base unit: exact for a lot that is a power of ten."""
        return price_of(femto, self.lot_size)

    def notional_of(self, lots: int, femto: int) -> Decimal:
        """Lots at femto per lot, in USD, exact."""
        return femto_to_usd(lots * femto)

    def margin_tiers(self, now: int) -> margin_math.Tiers:
        """The tiers as the margin arithmetic takes them, at a time of the chain."""
        if self.ramp is None or self.tiers_before is None:
            return self._target
        started_at, ends_at = self.ramp.started_at, self.ramp.ends_at
        return margin_math.ramped_tiers(
            self._target, self.tiers_before, now - started_at, ends_at - started_at
        )

    def _lots(self, size: Amount) -> Fraction:
        number = decimal_of(size, "size")
        if number < 0:
            raise ValueError("size: negative; the side says which way")
        return Fraction(number) * _WAD / self.lot_size

    def _femto(self, price: Amount) -> Fraction:
        number = decimal_of(price, "price")
        if number < 0:
            raise ValueError("price: negative")
        return Fraction(number) * self.lot_size / _FEMTO_PER_LOT_SIZE


@dataclass(frozen=True, slots=True)
class MarketState:
    """A market at one moment.

    Attributes:
        market: What it is.
        price: Its last good price.
        funding: Its word, with funding accrued to `now`.
        stored: Its word as its last action left it.
        long: All longs.
        short: All shorts.
        now: The chain's time, seconds.
        is_latest: Whether the price's source is known to have nothing newer.
    """

    market: Market
    price: Price
    funding: words.Market
    stored: words.Market
    long: Side
    short: Side
    now: int
    is_latest: bool = True

    @property
    def mark_price(self) -> Decimal:
        """USD per base unit."""
        return self.market.price_of(self.price.price)

    @property
    def skew(self) -> int:
        """Long minus short lots."""
        return market_math.skew_of(self.long.size, self.short.size)

    @property
    def area(self) -> int:
        """What funding has added since its last action, per price: see `price_bounds.Exposure`."""
        # At the price that cancels the denominator, from zero, the index is the area itself.
        unmoved = replace(self.stored, funding_index=0)
        until = market_math.live_time(self.price, self.now)
        return market_math.accrue_funding(
            unmoved, market_math.INDEX_DENOMINATOR, until
        ).funding_index

    @property
    def funding_rate(self) -> Decimal:
        """What longs pay shorts a day, as a ratio of notional."""
        return from_units(self.funding.funding_rate, 12)

    @property
    def tiers(self) -> margin_math.Tiers:
        """The tiers as they are now."""
        return self.market.margin_tiers(self.now)

    @property
    def is_live(self) -> bool:
        """Whether the feed has not fallen silent."""
        return price_validity.is_live(self.price, self.now)

    @property
    def is_fresh(self) -> bool:
        """Whether the price is young enough to be acted on, and its source's latest."""
        return price_validity.is_fresh(self.price, self.now) and self.is_latest

    @property
    def is_firm(self) -> bool:
        """Whether the price is fresh and its oracle has no doubt about it."""
        return price_validity.is_firm(self.price, self.now) and self.is_latest

    @property
    def may_trade(self) -> bool:
        """Whether fills and liquidations may happen at the price."""
        return price_validity.may_trade(self.price, self.now) and self.is_latest

    @property
    def is_open(self) -> bool:
        """Whether positions may open and grow."""
        return self.market.terms.status == OPEN


def market_of(id: int, symbol: str, lot_size: int, market_words: tuple[int, ...]) -> Market:  # noqa: A002
    """A market from its words.

    Args:
        id: Its number.
        symbol: Its name.
        lot_size: WAD base units per lot.
        market_words: As `Clearinghouse.market_words` returns them.
    """
    state = words.unpack_market(market_words[0])
    tiers = [Tier(0, state.maintenance_rate, state.initial_rate)]
    for word, places in ((market_words[5], 4), (market_words[6], 3)):
        for place in range(places):
            tier = words.unpack_tier(word >> place * margin_math.TIER_BITS)
            if tier.floor:
                tiers.append(tier)
    ramp = before = None
    if state.is_ramping:
        ramp = words.unpack_ramp(market_words[7])
        before = margin_math.Tiers(
            ramp.maintenance_rate, ramp.initial_rate, market_words[8], market_words[9]
        )
    return Market(
        id=id,
        symbol=symbol,
        lot_size=lot_size,
        terms=words.unpack_trade_terms(market_words[3]),
        liquidation_terms=words.unpack_liquidation_terms(market_words[4]),
        tiers=tuple(tiers),
        ramp=ramp,
        tiers_before=before,
    )


def tier_words(tiers: Iterable[Tier]) -> tuple[int, int]:
    """The two words of a market's tiers; the first tier is in the market's own word."""
    _, *tail = (words.pack_tier(tier) for tier in tiers)
    return _join(tail[:_TIERS_IN_FIRST_WORD]), _join(tail[_TIERS_IN_FIRST_WORD:])


def state_of(
    market: Market,
    market_words: tuple[int, ...],
    price_word: int,
    now: int,
    *,
    is_latest: bool = True,
) -> MarketState:
    """A market's state at `now`, from its words and its price's."""
    return state_at(
        market,
        words.unpack_market(market_words[0]),
        (words.unpack_side(market_words[1]), words.unpack_side(market_words[2])),
        words.unpack_price(price_word),
        now,
        is_latest=is_latest,
    )


def state_at(
    market: Market,
    stored: words.Market,
    sides: tuple[Side, Side],
    price: Price,
    now: int,
    *,
    is_latest: bool = True,
) -> MarketState:
    """A market's state at `now`.

    Args:
        market: What it is.
        stored: Its word, as its last action left it.
        sides: Its longs and its shorts.
        price: Its last good price.
        now: The chain's time, seconds.
        is_latest: Whether the price's source is known to have nothing newer.
    """
    until = market_math.live_time(price, now)
    return MarketState(
        market=market,
        price=price,
        funding=market_math.accrue_funding(stored, price.price, until),
        stored=stored,
        long=sides[0],
        short=sides[1],
        now=now,
        is_latest=is_latest,
    )


def repriced(state: MarketState, femto: int) -> MarketState:
    """The same state at another price: for what-ifs. Funding not yet accrued moves along."""
    pending = signed_div_down(state.area * femto, market_math.INDEX_DENOMINATOR)
    return replace(
        state,
        price=replace(state.price, price=femto),
        funding=replace(state.funding, funding_index=state.stored.funding_index + pending),
    )


def _join(tiers: list[int]) -> int:
    return sum(tier << place * margin_math.TIER_BITS for place, tier in enumerate(tiers))
