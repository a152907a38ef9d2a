"""Storage words: one for each account, position, market side, market and price.

A struct declares next to each field where its bits sit, and that table alone packs and unpacks it.
Packing refuses a field that does not fit; unpacking cannot fail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple, TypeVar, get_args, get_type_hints

# The slots of one account in one market. The low bit is the side, the high bit the margin mode.
CROSS_LONG = 0
CROSS_SHORT = 1
ISOLATED_LONG = 2
ISOLATED_SHORT = 3

CROSS_MARKETS = 64  # markets with a higher id are isolated-only
MAX_MARKETS = 1024
MAX_INDEX = 2**63 - 1
MAX_DRIFT = 2**39 - 1
MAX_LEVERAGE = 2**28 - 1  # ppm
MAX_SIZE = 2**56 - 1  # lots
MAX_NOTIONAL = 2**56 - 1  # quote
MAX_PRICE = 2**64 - 1  # femto per lot
MAX_CASH = 2**62  # quote, what one deposit may bring

PUBLISHED = 1  # feed kinds
CHAINLINK = 2
PYTH = 3
SIGNED = 4
SETTLED = 15  # no feed any more: the price is final

NO_CAUTION = 0  # what a price's word asks of those who use it
NO_OPENING = 1
ONLY_BANKRUPT = 2  # nothing opens, and only what has no equity is liquidated

HOUR = 3_600

FLAG_HEDGE = 1  # an account's: its orders name their position's side
FLAG_STOPPED = 1  # the house's: nothing may open or grow

GENERATIONS = 2**23  # a slot's generation counts modulo this
EPOCHS = 2**12  # an account's epoch counts modulo this

_MAX_WORD = 2**256 - 1
_MAX_ADDRESS = 2**160 - 1


class OutOfRange(ValueError):  # noqa: N818 - named after the contract's reason
    """A field does not fit its bits: the contract reverts with the same words."""

    def __init__(self) -> None:
        super().__init__("word: out of range")


class Bits(NamedTuple):
    """Where a field sits in its word."""

    width: int  # what packing lets in
    at: int  # offset of the lowest bit
    signed: bool = False
    topmost: bool = False  # unpacking reads all bits from `at` on, as nothing sits above


@dataclass(frozen=True, slots=True)
class Account:
    """What an account holds outside its positions."""

    cash: Annotated[int, Bits(64, at=192, signed=True)]  # quote; may be below zero, equity not
    legs: Annotated[int, Bits(128, at=64)]  # bit 2 * market + side of every open cross leg
    vaults: Annotated[int, Bits(8, at=56)]  # how many isolated slots are open
    epoch: Annotated[int, Bits(12, at=44)]  # how often all its orders were cancelled at once
    flags: Annotated[int, Bits(4, at=40)]
    escrow: Annotated[int, Bits(40, at=0)]  # quote, keeper fees of pending orders


@dataclass(frozen=True, slots=True)
class Position:
    """One slot of an account in a market; its side comes from the slot."""

    size: Annotated[int, Bits(56, at=136)]  # lots
    entry_notional: Annotated[int, Bits(56, at=80)]  # quote
    margin: Annotated[int, Bits(56, at=24)]  # quote; in a cross slot the leverage, ppm
    generation: Annotated[int, Bits(23, at=0)]  # how often the slot has ended
    funding_index: Annotated[int, Bits(64, at=192, signed=True)]  # femto per lot
    # whether its owner lets a liquidation add margin first
    auto_margin: Annotated[bool, Bits(1, at=23)] = False


@dataclass(frozen=True, slots=True)
class Side:
    """All longs or all shorts of a market."""

    size: Annotated[int, Bits(64, at=0)]  # lots
    # femto, sum of entry_notional - size * funding_index
    basis: Annotated[int, Bits(160, at=96, signed=True)]


@dataclass(frozen=True, slots=True)
class Market:
    """Funding and the first tier: all that a cross leg needs besides its price."""

    funding_index: Annotated[int, Bits(64, at=192, signed=True)]  # femto per lot
    funding_rate: Annotated[int, Bits(40, at=152, signed=True)]  # 1e-12 per day
    funding_drift: Annotated[int, Bits(40, at=112, signed=True)]  # 1e-12 per day per day
    accrued_at: Annotated[int, Bits(36, at=76)]  # seconds
    max_funding_rate: Annotated[int, Bits(19, at=56)]  # ppm per day
    maintenance_rate: Annotated[int, Bits(20, at=36)]  # ppm, of the first tier
    initial_rate: Annotated[int, Bits(20, at=16)]  # ppm, of the first tier
    first_floor: Annotated[int, Bits(16, at=0)]  # thousands of USD, of the second tier; 0 if none
    # whether the tiers are still on their way from older rates
    is_ramping: Annotated[bool, Bits(1, at=75)] = False


@dataclass(frozen=True, slots=True)
class Ramp:
    """Where a market's tiers come from while they ramp."""

    started_at: Annotated[int, Bits(36, at=76)]  # seconds
    ends_at: Annotated[int, Bits(36, at=40)]  # seconds
    maintenance_rate: Annotated[int, Bits(20, at=20)]  # ppm, the first tier's before
    initial_rate: Annotated[int, Bits(20, at=0)]  # ppm, the first tier's before


@dataclass(frozen=True, slots=True)
class House:
    """What belongs to no account."""

    pool_cash: Annotated[int, Bits(96, at=160, signed=True)]  # quote
    insurance: Annotated[int, Bits(76, at=84)]  # quote
    fees: Annotated[int, Bits(76, at=8)]  # quote, the treasury's, unclaimed
    flags: Annotated[int, Bits(8, at=0)]


@dataclass(frozen=True, slots=True)
class TradeTerms:
    """What a trade in a market costs and how far it may go."""

    taker_fee: Annotated[int, Bits(16, at=240)]  # ppm of notional
    maker_fee: Annotated[int, Bits(16, at=224)]  # ppm of notional
    insurance_share: Annotated[int, Bits(20, at=188)]  # ppm of the fee
    treasury_share: Annotated[int, Bits(20, at=168)]  # ppm of the fee
    skew_scale: Annotated[int, Bits(56, at=32)]  # lots
    skew_cap: Annotated[int, Bits(20, at=148)]  # ppm of skew_scale
    side_cap: Annotated[int, Bits(20, at=128)]  # ppm of skew_scale
    min_notional: Annotated[int, Bits(16, at=208)]  # USD
    pool_share: Annotated[int, Bits(20, at=108)]  # ppm of pool cash
    reserve_rate: Annotated[int, Bits(20, at=88)]  # ppm of |skew| * price
    funding_velocity: Annotated[int, Bits(28, at=4)]  # ppm per day per day
    status: Annotated[int, Bits(4, at=0)]


@dataclass(frozen=True, slots=True)
class LiquidationTerms:
    """What a liquidation in a market costs and who gets it."""

    penalty: Annotated[int, Bits(20, at=196, topmost=True)]  # ppm of notional
    keeper_share: Annotated[int, Bits(20, at=176)]  # ppm of the penalty
    keeper_floor: Annotated[int, Bits(40, at=116)]  # quote
    keeper_cap: Annotated[int, Bits(40, at=76)]  # quote
    buffer: Annotated[int, Bits(20, at=156)]  # ppm above maintenance after a partial liquidation
    partial_above: Annotated[int, Bits(56, at=0)]  # quote, smaller positions close whole


@dataclass(frozen=True, slots=True)
class Tier:
    """The margin rates from a notional on; a tier takes 64 bits, four make a word."""

    floor: Annotated[int, Bits(24, at=40)]  # thousands of USD
    maintenance_rate: Annotated[int, Bits(20, at=20)]  # ppm
    initial_rate: Annotated[int, Bits(20, at=0)]  # ppm


@dataclass(frozen=True, slots=True)
class Settings:
    """An account's wishes for one market."""

    isolated_by_default: Annotated[bool, Bits(1, at=196, topmost=True)]
    isolated_long_leverage: Annotated[int, Bits(28, at=168)]  # ppm, 0 while unset
    isolated_short_leverage: Annotated[int, Bits(28, at=140)]  # ppm, 0 while unset
    cross_leverage: Annotated[int, Bits(28, at=112)]  # ppm, 0 while unset
    long_allowance: Annotated[int, Bits(56, at=56)]  # quote a liquidation may add to the vault
    short_allowance: Annotated[int, Bits(56, at=0)]  # quote


@dataclass(frozen=True, slots=True)
class Price:
    """A market's last good price and how long it counts."""

    price: Annotated[int, Bits(64, at=164)]  # femto per lot, 0 before the first
    confidence: Annotated[int, Bits(20, at=144)]  # ppm of the price
    published_at: Annotated[int, Bits(36, at=108)]  # seconds
    accepted_at: Annotated[int, Bits(36, at=72)]  # seconds, when the oracle took it
    silence: Annotated[int, Bits(36, at=36)]  # seconds the feed was silent beyond max_age so far
    trade_age: Annotated[int, Bits(16, at=20)]  # seconds a price may be old to fill or liquidate
    max_age: Annotated[int, Bits(20, at=0)]  # seconds a price may be old to count as live
    kind: Annotated[int, Bits(4, at=252, topmost=True)]  # of the feed, 0 none
    caution: Annotated[int, Bits(4, at=248)] = 0  # what may not be done at it
    # hours since 1970: the hour the market is settled in begins; 0 for none
    settles_at: Annotated[int, Bits(20, at=228)] = 0


@dataclass(frozen=True, slots=True)
class Feed:
    """Where a market's prices come from."""

    kind: Annotated[int, Bits(4, at=0)]  # 0 none, else who it is
    source: Annotated[int, Bits(160, at=96)]  # address of a feed that reads one, as a number
    decimals: Annotated[int, Bits(8, at=8)]  # of the source's answers
    lot_size: Annotated[int, Bits(80, at=16)]  # WAD base units per lot
    is_checked: Annotated[bool, Bits(1, at=4)]  # whether the market has a check
    is_sequenced: Annotated[bool, Bits(1, at=5)]  # whether prices come by way of a sequencer
    is_bounded: Annotated[bool, Bits(1, at=6)]  # whether the source's answers stop at bounds


@dataclass(frozen=True, slots=True)
class Check:
    """What a market's prices are checked against."""

    second: Annotated[int, Bits(160, at=96)]  # address of a second source, as a number; 0 for none
    decimals: Annotated[int, Bits(8, at=76)]  # of the second source's answers
    max_deviation: Annotated[int, Bits(20, at=56)]  # ppm a price may be off the second source's
    max_confidence: Annotated[int, Bits(20, at=36)]  # ppm, the least certain price that is taken
    disputed_at: Annotated[int, Bits(36, at=0)]  # seconds, since when they were too far off; 0 none


@dataclass(frozen=True, slots=True)
class Settlement:
    """The prices of a settlement's window so far."""

    sum: Annotated[int, Bits(128, at=12, topmost=True)]  # femto seconds per lot
    counted: Annotated[int, Bits(12, at=0)]  # seconds of the window that the sum is over


@dataclass(frozen=True, slots=True)
class Sequencer:
    """The uptime of what orders a chain's transactions."""

    feed: Annotated[int, Bits(160, at=96)]  # address of its uptime feed, as a number; 0 for none
    grace: Annotated[int, Bits(20, at=0)]  # seconds after it is up again


@dataclass(frozen=True, slots=True)
class OrderState:
    """All that the chain keeps of an order."""

    # seconds, the first publish time of a price that may fill it; of a filled order the first that
    # may fill its bracket's other orders
    executable_from: Annotated[int, Bits(36, at=0)]
    status: Annotated[int, Bits(4, at=36)]
    keeper_fee: Annotated[int, Bits(40, at=40)]  # quote
    escrowed: Annotated[bool, Bits(1, at=92)]  # whether the fee waits in escrow
    epoch: Annotated[int, Bits(12, at=80)] = 0  # the account's at its placement
    # whether its group is the order whose position it closes
    is_child: Annotated[bool, Bits(1, at=93)] = False
    # whether it may act on one generation of its position alone
    is_bound: Annotated[bool, Bits(1, at=94)] = False
    # of a filled order: whether one of its children has acted
    is_spent: Annotated[bool, Bits(1, at=95)] = False
    # of the position it is bound to; of a filled order, of the one it opened
    generation: Annotated[int, Bits(23, at=96)] = 0
    filled: Annotated[int, Bits(56, at=119)] = 0  # lots that a filled order opened
    # femto per lot, the best price a trailing stop has seen
    extreme: Annotated[int, Bits(64, at=175, topmost=True)] = 0


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """When a market's orders may fill and what that costs."""

    keeper_fee: Annotated[int, Bits(40, at=32)]  # quote
    delay: Annotated[int, Bits(16, at=16)]  # seconds from commit to the first price that may fill
    window: Annotated[int, Bits(16, at=0)]  # seconds a market order stays executable after that
    # seconds any other order may rest, 0 for as long as it likes
    max_age: Annotated[int, Bits(32, at=72, topmost=True)] = 0


@dataclass(frozen=True, slots=True)
class Operator:
    """What an account's operator may do."""

    expiry: Annotated[int, Bits(40, at=0)]  # seconds, the last it may act in
    permissions: Annotated[int, Bits(8, at=40)]  # bits
    notional: Annotated[int, Bits(64, at=48)]  # quote that its orders may still open
    markets: Annotated[int, Bits(128, at=112, topmost=True)]  # bits of those it may act in


def position_id(account: int, market: int, slot: int) -> int:
    """Names a position: account (the address as a number), market and slot in one number."""
    return (account << 32 | market << 8 | slot) & _MAX_WORD


def split_position_id(id: int) -> tuple[int, int, int]:  # noqa: A002 - the contract's word
    """The account, market and slot that `position_id` joined. Upper bits are dropped."""
    return id >> 32 & _MAX_ADDRESS, id >> 8 & 2**24 - 1, id & 255


def leg_bit(market: int, slot: int) -> int:
    """The bit of a cross leg in its account's word."""
    return 1 << (market << 1 | slot)


def lowest_bit_index(bits: int) -> int:
    """The index of the lowest set bit of a number below 2**128, zero for zero."""
    return max((bits & -bits).bit_length() - 1, 0)


def count_bits(bits: int) -> int:
    """How many bits are set."""
    return bits.bit_count()


Struct = TypeVar("Struct")


def _codec(struct: type[Struct]) -> tuple[Callable[[Struct], int], Callable[[int], Struct]]:
    # A signed field moves up by its bias into the range of an unsigned one to be checked, and back
    # down by it to get its sign again.
    layout: list[tuple[str, type, int, int, int, int]] = []
    for name, hint in get_type_hints(struct, include_extras=True).items():
        kind, (width, at, signed, topmost) = get_args(hint)
        bias = 1 << width - 1 if signed else 0
        mask = _MAX_WORD >> at if topmost else (1 << width) - 1
        layout.append((name, kind, width, at, bias, mask))

    def pack(value: Struct) -> int:
        word = 0
        for name, _, width, at, bias, mask in layout:
            number = getattr(value, name)
            if number + bias >> width:
                raise OutOfRange
            word |= (number & mask) << at
        return word

    def unpack(word: int) -> Struct:
        return struct(
            *[kind(((word >> at) + bias & mask) - bias) for _, kind, _, at, bias, mask in layout]
        )

    return pack, unpack


pack_account, unpack_account = _codec(Account)
pack_position, unpack_position = _codec(Position)
pack_side, unpack_side = _codec(Side)
pack_market, unpack_market = _codec(Market)
pack_ramp, unpack_ramp = _codec(Ramp)
pack_house, unpack_house = _codec(House)
pack_trade_terms, unpack_trade_terms = _codec(TradeTerms)
pack_liquidation_terms, unpack_liquidation_terms = _codec(LiquidationTerms)
pack_tier, unpack_tier = _codec(Tier)
pack_settings, unpack_settings = _codec(Settings)
pack_price, unpack_price = _codec(Price)
pack_feed, unpack_feed = _codec(Feed)
pack_check, unpack_check = _codec(Check)
pack_settlement, unpack_settlement = _codec(Settlement)
pack_sequencer, unpack_sequencer = _codec(Sequencer)
pack_order_state, unpack_order_state = _codec(OrderState)
pack_order_terms, unpack_order_terms = _codec(OrderTerms)
pack_operator, unpack_operator = _codec(Operator)


def cash_of(word: int) -> int:
    """The cash in an account's word."""
    cash = word >> 192
    return cash - (cash >> 63 << 64)


def flags_of(word: int) -> int:
    """The flags in an account's word."""
    return word >> 40 & 15


def epoch_of(word: int) -> int:
    """The epoch in an account's word."""
    return word >> 44 & 2**12 - 1


def with_cash(word: int, amount: int) -> int:
    """An account's word with an amount added to its cash, all else as it is."""
    if amount >> 64 or cash_of(word) + amount >= 2**63:
        raise OutOfRange
    return word + (amount << 192) & _MAX_WORD


def with_escrow(word: int, amount: int) -> int:
    """An account's word with an amount moved from its cash to its escrow, all else as it is."""
    escrow = (word & 2**40 - 1) + amount
    if amount >> 40 or escrow >> 40 or cash_of(word) - amount < -(2**63):
        raise OutOfRange
    return (word - (amount << 192) & _MAX_WORD) + amount


def published_at_of(word: int) -> int:
    """When the price in a price's word was published."""
    return word >> 108 & 2**36 - 1


def pack_placed_order(
    executable_from: int,
    status: int,
    keeper_fee: int,
    escrowed: bool,
    epoch: int,
    is_child: bool,
    is_bound: bool,
    generation: int,
) -> int:
    """An order's word when it is placed: what comes with its fill is not there yet."""
    return pack_order_state(
        OrderState(
            executable_from=executable_from,
            status=status,
            keeper_fee=keeper_fee,
            escrowed=escrowed,
            epoch=epoch,
            is_child=is_child,
            is_bound=is_bound,
            is_spent=False,
            generation=generation,
            filled=0,
            extreme=0,
        )
    )


def status_of(word: int) -> int:
    """The status in an order's word."""
    return word >> 36 & 15


def with_status(word: int, status: int) -> int:
    """An order's word with another status, all else as it is."""
    if status >> 4:
        raise OutOfRange
    return word & ~(15 << 36) | status << 36


def with_fill(word: int, status: int, executable_from: int, filled: int, generation: int) -> int:
    """An order's word after it has filled.

    Args:
        word: Before.
        status: Executed.
        executable_from: Seconds: the first price that may fill its children.
        filled: Lots that it opened.
        generation: Of the position that they are part of.
    """
    if status >> 4 or executable_from >> 36 or filled >> 56 or generation >> 23:
        raise OutOfRange
    mask = 2**36 - 1 | 15 << 36 | (2**23 - 1) << 96 | (2**56 - 1) << 119
    return word & ~mask | executable_from | status << 36 | generation << 96 | filled << 119
