# pragma version 0.4.3
"""
@title Storage words
@license MIT
@notice One storage word for each account, position, market side, market and price. This is the only
        file that knows where a field sits: everything else sees structs. Packing refuses a field
        that does not fit; unpacking cannot fail.
@dev A signed field that sits on top of its word needs no mask: the shift drops its upper bits when
     packed and extends its sign when unpacked.
     Unchecked: a signed field and half its range add up, modulo 2**256, to less than its range if and
     only if it fits; an amount is added to a word only after it and the sum were found to fit; what
     counts bits stays below 2**128. Units are those of `docs/design.md`: quote is
     1e-6 USD, femto is 1e-15 USD, prices and funding indices are femto per lot, rates are ppm.
"""

# The slots of one account in one market. The low bit is the side, the high bit the margin mode.
CROSS_LONG: constant(uint256) = 0
CROSS_SHORT: constant(uint256) = 1
ISOLATED_LONG: constant(uint256) = 2
ISOLATED_SHORT: constant(uint256) = 3

CROSS_MARKETS: constant(uint256) = 64  # markets with a higher id are isolated-only
MAX_MARKETS: constant(uint256) = 1024
MAX_INDEX: constant(int256) = 2**63 - 1
MAX_DRIFT: constant(int256) = 2**39 - 1
MAX_LEVERAGE: constant(uint256) = 2**28 - 1  # ppm
MAX_SIZE: constant(uint256) = 2**56 - 1  # lots
MAX_NOTIONAL: constant(uint256) = 2**56 - 1  # quote
MAX_PRICE: constant(uint256) = 2**64 - 1  # femto per lot
MAX_CASH: constant(uint256) = 2**62  # quote, what one deposit may bring

PUBLISHED: constant(uint256) = 1  # feed kinds
CHAINLINK: constant(uint256) = 2
PYTH: constant(uint256) = 3
SIGNED: constant(uint256) = 4
SETTLED: constant(uint256) = 15  # no feed any more: the price is final

NO_CAUTION: constant(uint256) = 0  # what a price's word asks of those who use it
NO_OPENING: constant(uint256) = 1
ONLY_BANKRUPT: constant(uint256) = 2  # nothing opens, and only what has no equity is liquidated

HOUR: constant(uint256) = 3_600

FLAG_HEDGE: constant(uint256) = 1  # an account's: its orders name their position's side
FLAG_STOPPED: constant(uint256) = 1  # the house's: nothing may open or grow

GENERATIONS: constant(uint256) = 2**23  # a slot's generation counts modulo this

EPOCHS: constant(uint256) = 2**12  # an account's epoch counts modulo this

M4: constant(uint256) = 2**4 - 1
M12: constant(uint256) = 2**12 - 1
M16: constant(uint256) = 2**16 - 1
M19: constant(uint256) = 2**19 - 1
M20: constant(uint256) = 2**20 - 1
M23: constant(uint256) = 2**23 - 1
M24: constant(uint256) = 2**24 - 1
M28: constant(uint256) = 2**28 - 1
M36: constant(uint256) = 2**36 - 1
M40: constant(uint256) = 2**40 - 1
M56: constant(uint256) = 2**56 - 1
M64: constant(uint256) = 2**64 - 1
M76: constant(uint256) = 2**76 - 1
M80: constant(uint256) = 2**80 - 1
M128: constant(uint256) = 2**128 - 1


struct Account:
    cash: int256  # quote; may be negative while equity is not
    legs: uint256  # bit 2 * market + side of every open cross leg
    vaults: uint256  # how many isolated slots are open
    epoch: uint256  # how often all of its orders were cancelled at once
    flags: uint256
    escrow: uint256  # quote, keeper fees of pending orders


struct Position:
    size: uint256  # lots
    entry_notional: uint256  # quote
    margin: uint256  # quote in an isolated slot; the leverage (ppm) in a cross slot
    generation: uint256  # how often the slot has ended
    funding_index: int256  # femto per lot
    auto_margin: bool  # whether its owner lets a liquidation add margin first


struct Side:
    size: uint256  # lots
    basis: int256  # femto, sum of entry_notional - size * funding_index


struct Market:
    funding_index: int256  # femto per lot
    funding_rate: int256  # 1e-12 per day
    funding_drift: int256  # 1e-12 per day per day
    accrued_at: uint256  # seconds
    max_funding_rate: uint256  # ppm per day
    maintenance_rate: uint256  # ppm, of the first tier
    initial_rate: uint256  # ppm, of the first tier
    first_floor: uint256  # thousands of USD where the second tier begins, 0 where there is none
    is_ramping: bool  # whether the tiers are still on their way from older rates


struct Ramp:
    started_at: uint256  # seconds
    ends_at: uint256  # seconds
    maintenance_rate: uint256  # ppm, the first tier's before
    initial_rate: uint256  # ppm, the first tier's before


struct House:
    pool_cash: int256  # quote
    insurance: uint256  # quote
    fees: uint256  # quote, the treasury's, unclaimed
    flags: uint256


struct TradeTerms:
    taker_fee: uint256  # ppm of notional
    maker_fee: uint256  # ppm of notional
    insurance_share: uint256  # ppm of the fee
    treasury_share: uint256  # ppm of the fee
    skew_scale: uint256  # lots
    skew_cap: uint256  # ppm of skew_scale
    side_cap: uint256  # ppm of skew_scale
    min_notional: uint256  # USD
    pool_share: uint256  # ppm of pool cash
    reserve_rate: uint256  # ppm of |skew| * price
    funding_velocity: uint256  # ppm per day per day
    status: uint256


struct LiquidationTerms:
    penalty: uint256  # ppm of notional
    keeper_share: uint256  # ppm of the penalty
    keeper_floor: uint256  # quote
    keeper_cap: uint256  # quote
    buffer: uint256  # ppm above maintenance that a partial liquidation restores
    partial_above: uint256  # quote, smaller positions close whole


struct Tier:
    floor: uint256  # thousands of USD
    maintenance_rate: uint256  # ppm
    initial_rate: uint256  # ppm


struct Settings:
    isolated_by_default: bool
    isolated_long_leverage: uint256  # ppm, 0 while unset
    isolated_short_leverage: uint256  # ppm, 0 while unset
    cross_leverage: uint256  # ppm, 0 while unset
    long_allowance: uint256  # quote that a liquidation may add to the isolated long
    short_allowance: uint256  # quote


struct Price:
    price: uint256  # femto per lot, 0 before the first
    confidence: uint256  # ppm of the price
    published_at: uint256  # seconds
    accepted_at: uint256  # seconds, when the oracle took it
    silence: uint256  # seconds, all that the feed has been silent beyond max_age so far
    trade_age: uint256  # seconds a price may be old to fill or liquidate
    max_age: uint256  # seconds a price may be old to count as live
    kind: uint256  # of the feed, 0 none
    caution: uint256  # what may not be done at it
    settles_at: uint256  # hours since 1970: the hour the market is settled in begins; 0 for none


struct Feed:
    kind: uint256  # 0 none, else who it is
    source: address  # of a feed that reads one
    decimals: uint256  # of the source's answers
    lot_size: uint256  # WAD base units per lot
    is_checked: bool  # whether the market has a check
    is_sequenced: bool  # whether prices come by way of a sequencer that may be down
    is_bounded: bool  # whether the source's answers stop at bounds of its own


struct Check:
    second: address  # a second source, an aggregator; zero for none
    decimals: uint256  # of the second source's answers
    max_deviation: uint256  # ppm that a price may be off the second source's
    max_confidence: uint256  # ppm, the least certain price that is taken
    disputed_at: uint256  # seconds, since when prices have been too far off; 0 where they are not


struct Settlement:
    sum: uint256  # femto seconds per lot, of the prices in the window so far
    counted: uint256  # seconds of the window that the sum is over


struct Sequencer:
    feed: address  # its uptime feed, an aggregator; zero for none
    grace: uint256  # seconds after it is up again


struct OrderState:
    executable_from: uint256  # seconds, the first publish time of a price that may fill it; of a filled
    # order the first that may fill its bracket's other orders
    status: uint256
    keeper_fee: uint256  # quote
    escrowed: bool  # whether the fee waits in the account's escrow
    epoch: uint256  # the account's at its placement
    is_child: bool  # whether its group is the order whose position it closes
    is_bound: bool  # whether it may act on one generation of its position alone
    is_spent: bool  # of a filled order: whether one of its children has acted
    generation: uint256  # of the position it is bound to; of a filled order, of the one it opened
    filled: uint256  # lots that a filled order opened
    extreme: uint256  # femto per lot, the best price a trailing stop has seen


struct OrderTerms:
    keeper_fee: uint256  # quote
    delay: uint256  # seconds from commit to the first price that may fill
    window: uint256  # seconds a market order stays executable after the delay
    max_age: uint256  # seconds any other order may rest, 0 for as long as it likes


struct Operator:
    expiry: uint256  # seconds, the last it may act in
    permissions: uint256  # bits
    notional: uint256  # quote that its orders may still open
    markets: uint256  # bits of the markets it may act in


@internal
@pure
def position_id(account: address, market: uint256, slot: uint256) -> uint256:
    """
    @notice Names a position: account, market and slot in one number.
    """
    return (convert(account, uint256) << 32) | (market << 8) | slot


@internal
@pure
def split_position_id(id: uint256) -> (address, uint256, uint256):
    """
    @notice The account, market and slot that `position_id` joined. Upper bits are dropped.
    """
    return (
        convert((id >> 32) & (2**160 - 1), address),
        (id >> 8) & M24,
        id & 255,
    )


@internal
@pure
def leg_bit(market: uint256, slot: uint256) -> uint256:
    """
    @notice The bit of a cross leg in its account's word.
    """
    return 1 << ((market << 1) | slot)


@internal
@pure
def lowest_bit_index(bits: uint256) -> uint256:
    """
    @notice The index of the lowest set bit of a number below 2**128, zero for zero.
    """
    lowest: uint256 = bits & unsafe_sub(0, bits)
    index: uint256 = 0
    if lowest >= 2**64:
        lowest >>= 64
        index = 64
    if lowest >= 2**32:
        lowest >>= 32
        index |= 32
    if lowest >= 2**16:
        lowest >>= 16
        index |= 16
    if lowest >= 2**8:
        lowest >>= 8
        index |= 8
    if lowest >= 2**4:
        lowest >>= 4
        index |= 4
    if lowest >= 2**2:
        lowest >>= 2
        index |= 2
    return index | (lowest >> 1)


@internal
@pure
def count_bits(bits: uint256) -> uint256:
    """
    @notice How many bits of a number below 2**128 are set: sums in pairs, nibbles, bytes, then all
            bytes at once by a multiplication.
    """
    pairs: uint256 = unsafe_sub(bits, (bits >> 1) & (M128 // 3))
    nibbles: uint256 = unsafe_add(
        pairs & (M128 // 5),
        (pairs >> 2) & (M128 // 5),
    )
    octets: uint256 = unsafe_add(nibbles, nibbles >> 4) & (M128 // 17)
    return (unsafe_mul(octets, M128 // 255) >> 120) & 255


@internal
@pure
def pack_account(account: Account) -> uint256:
    self._require_fits(
        (unsafe_add(convert(convert(account.cash, bytes32), uint256), 2**63) >> 64)
        | (account.legs >> 128)
        | (account.vaults >> 8)
        | (account.epoch >> 12)
        | (account.flags >> 4)
        | (account.escrow >> 40)
    )
    return (
        (convert(convert(account.cash, bytes32), uint256) << 192)
        | (account.legs << 64)
        | (account.vaults << 56)
        | (account.epoch << 44)
        | (account.flags << 40)
        | account.escrow
    )


@internal
@pure
def unpack_account(word: uint256) -> Account:
    return Account(
        cash=convert(convert(word, bytes32), int256) >> 192,
        legs=(word >> 64) & M128,
        vaults=(word >> 56) & 255,
        epoch=(word >> 44) & M12,
        flags=(word >> 40) & M4,
        escrow=word & M40,
    )


@internal
@pure
def cash_of(word: uint256) -> int256:
    """
    @notice The cash in an account's word.
    """
    return convert(convert(word, bytes32), int256) >> 192


@internal
@pure
def flags_of(word: uint256) -> uint256:
    """
    @notice The flags in an account's word.
    """
    return (word >> 40) & M4


@internal
@pure
def epoch_of(word: uint256) -> uint256:
    """
    @notice The epoch in an account's word.
    """
    return (word >> 44) & M12


@internal
@pure
def with_cash(word: uint256, amount: uint256) -> uint256:
    """
    @notice An account's word with an amount added to its cash, all else as it is.
    @dev With its sign flipped cash counts from its minimum: a sum that is too large shows above it.
    """
    self._require_fits((unsafe_add((word ^ 2**255) >> 192, amount) | amount) >> 64)
    return unsafe_add(word, amount << 192)


@internal
@pure
def with_escrow(word: uint256, amount: uint256) -> uint256:
    """
    @notice An account's word with an amount moved from its cash to its escrow, all else as it is.
    """
    self._require_fits(
        (unsafe_sub((word ^ 2**255) >> 192, amount) >> 64)
        | ((unsafe_add(word & M40, amount) | amount) >> 40)
    )
    return unsafe_add(unsafe_sub(word, amount << 192), amount)


@internal
@pure
def pack_position(position: Position) -> uint256:
    self._require_fits(
        (unsafe_add(convert(convert(position.funding_index, bytes32), uint256), 2**63) >> 64)
        | ((position.size | position.entry_notional | position.margin) >> 56)
        | (position.generation >> 23)
    )
    return (
        (convert(convert(position.funding_index, bytes32), uint256) << 192)
        | (position.size << 136)
        | (position.entry_notional << 80)
        | (position.margin << 24)
        | (convert(position.auto_margin, uint256) << 23)
        | position.generation
    )


@internal
@pure
def unpack_position(word: uint256) -> Position:
    return Position(
        size=(word >> 136) & M56,
        entry_notional=(word >> 80) & M56,
        margin=(word >> 24) & M56,
        generation=word & M23,
        funding_index=convert(convert(word, bytes32), int256) >> 192,
        auto_margin=(word >> 23) & 1 != 0,
    )


@internal
@pure
def pack_side(side: Side) -> uint256:
    self._require_fits(
        (unsafe_add(convert(convert(side.basis, bytes32), uint256), 2**159) >> 160)
        | (side.size >> 64)
    )
    return (convert(convert(side.basis, bytes32), uint256) << 96) | side.size


@internal
@pure
def unpack_side(word: uint256) -> Side:
    return Side(size=word & M64, basis=convert(convert(word, bytes32), int256) >> 96)


@internal
@pure
def pack_market(market: Market) -> uint256:
    self._require_fits(
        (unsafe_add(convert(convert(market.funding_index, bytes32), uint256), 2**63) >> 64)
        | (unsafe_add(convert(convert(market.funding_rate, bytes32), uint256), 2**39) >> 40)
        | (unsafe_add(convert(convert(market.funding_drift, bytes32), uint256), 2**39) >> 40)
        | (market.accrued_at >> 36)
        | (market.max_funding_rate >> 19)
        | ((market.maintenance_rate | market.initial_rate) >> 20)
        | (market.first_floor >> 16)
    )
    return (
        (convert(convert(market.funding_index, bytes32), uint256) << 192)
        | ((convert(convert(market.funding_rate, bytes32), uint256) & M40) << 152)
        | ((convert(convert(market.funding_drift, bytes32), uint256) & M40) << 112)
        | (market.accrued_at << 76)
        | (convert(market.is_ramping, uint256) << 75)
        | (market.max_funding_rate << 56)
        | (market.maintenance_rate << 36)
        | (market.initial_rate << 16)
        | market.first_floor
    )


@internal
@pure
def unpack_market(word: uint256) -> Market:
    return Market(
        funding_index=convert(convert(word, bytes32), int256) >> 192,
        funding_rate=convert(convert(word << 64, bytes32), int256) >> 216,
        funding_drift=convert(convert(word << 104, bytes32), int256) >> 216,
        accrued_at=(word >> 76) & M36,
        max_funding_rate=(word >> 56) & M19,
        maintenance_rate=(word >> 36) & M20,
        initial_rate=(word >> 16) & M20,
        first_floor=word & M16,
        is_ramping=(word >> 75) & 1 != 0,
    )


@internal
@pure
def pack_ramp(ramp: Ramp) -> uint256:
    self._require_fits(
        ((ramp.started_at | ramp.ends_at) >> 36)
        | ((ramp.maintenance_rate | ramp.initial_rate) >> 20)
    )
    return (
        (ramp.started_at << 76)
        | (ramp.ends_at << 40)
        | (ramp.maintenance_rate << 20)
        | ramp.initial_rate
    )


@internal
@pure
def unpack_ramp(word: uint256) -> Ramp:
    return Ramp(
        started_at=(word >> 76) & M36,
        ends_at=(word >> 40) & M36,
        maintenance_rate=(word >> 20) & M20,
        initial_rate=word & M20,
    )


@internal
@pure
def pack_house(house: House) -> uint256:
    self._require_fits(
        (unsafe_add(convert(convert(house.pool_cash, bytes32), uint256), 2**95) >> 96)
        | ((house.insurance | house.fees) >> 76)
        | (house.flags >> 8)
    )
    return (
        (convert(convert(house.pool_cash, bytes32), uint256) << 160)
        | (house.insurance << 84)
        | (house.fees << 8)
        | house.flags
    )


@internal
@pure
def unpack_house(word: uint256) -> House:
    return House(
        pool_cash=convert(convert(word, bytes32), int256) >> 160,
        insurance=(word >> 84) & M76,
        fees=(word >> 8) & M76,
        flags=word & 255,
    )


@internal
@pure
def pack_trade_terms(terms: TradeTerms) -> uint256:
    self._require_fits(
        ((terms.taker_fee | terms.maker_fee | terms.min_notional) >> 16)
        | (
            (
                terms.insurance_share
                | terms.treasury_share
                | terms.skew_cap
                | terms.side_cap
                | terms.pool_share
                | terms.reserve_rate
            )
            >> 20
        )
        | (terms.skew_scale >> 56)
        | (terms.funding_velocity >> 28)
        | (terms.status >> 4)
    )
    return (
        (terms.taker_fee << 240)
        | (terms.maker_fee << 224)
        | (terms.min_notional << 208)
        | (terms.insurance_share << 188)
        | (terms.treasury_share << 168)
        | (terms.skew_cap << 148)
        | (terms.side_cap << 128)
        | (terms.pool_share << 108)
        | (terms.reserve_rate << 88)
        | (terms.skew_scale << 32)
        | (terms.funding_velocity << 4)
        | terms.status
    )


@internal
@pure
def unpack_trade_terms(word: uint256) -> TradeTerms:
    return TradeTerms(
        taker_fee=word >> 240,
        maker_fee=(word >> 224) & M16,
        insurance_share=(word >> 188) & M20,
        treasury_share=(word >> 168) & M20,
        skew_scale=(word >> 32) & M56,
        skew_cap=(word >> 148) & M20,
        side_cap=(word >> 128) & M20,
        min_notional=(word >> 208) & M16,
        pool_share=(word >> 108) & M20,
        reserve_rate=(word >> 88) & M20,
        funding_velocity=(word >> 4) & M28,
        status=word & 15,
    )


@internal
@pure
def pack_liquidation_terms(terms: LiquidationTerms) -> uint256:
    self._require_fits(
        ((terms.penalty | terms.keeper_share | terms.buffer) >> 20)
        | ((terms.keeper_floor | terms.keeper_cap) >> 40)
        | (terms.partial_above >> 56)
    )
    return (
        (terms.penalty << 196)
        | (terms.keeper_share << 176)
        | (terms.buffer << 156)
        | (terms.keeper_floor << 116)
        | (terms.keeper_cap << 76)
        | terms.partial_above
    )


@internal
@pure
def unpack_liquidation_terms(word: uint256) -> LiquidationTerms:
    return LiquidationTerms(
        penalty=word >> 196,
        keeper_share=(word >> 176) & M20,
        keeper_floor=(word >> 116) & M40,
        keeper_cap=(word >> 76) & M40,
        buffer=(word >> 156) & M20,
        partial_above=word & M56,
    )


@internal
@pure
def pack_tier(tier: Tier) -> uint256:
    """
    @notice A tier in 64 bits: four make a word.
    """
    self._require_fits((tier.floor >> 24) | ((tier.maintenance_rate | tier.initial_rate) >> 20))
    return (tier.floor << 40) | (tier.maintenance_rate << 20) | tier.initial_rate


@internal
@pure
def unpack_tier(word: uint256) -> Tier:
    """
    @notice The tier in the low 64 bits of a word.
    """
    return Tier(
        floor=(word >> 40) & M24,
        maintenance_rate=(word >> 20) & M20,
        initial_rate=word & M20,
    )


@internal
@pure
def pack_settings(settings: Settings) -> uint256:
    self._require_fits(
        (
            (
                settings.isolated_long_leverage
                | settings.isolated_short_leverage
                | settings.cross_leverage
            )
            >> 28
        )
        | ((settings.long_allowance | settings.short_allowance) >> 56)
    )
    return (
        (convert(settings.isolated_by_default, uint256) << 196)
        | (settings.isolated_long_leverage << 168)
        | (settings.isolated_short_leverage << 140)
        | (settings.cross_leverage << 112)
        | (settings.long_allowance << 56)
        | settings.short_allowance
    )


@internal
@pure
def unpack_settings(word: uint256) -> Settings:
    return Settings(
        isolated_by_default=word >> 196 != 0,
        isolated_long_leverage=(word >> 168) & M28,
        isolated_short_leverage=(word >> 140) & M28,
        cross_leverage=(word >> 112) & M28,
        long_allowance=(word >> 56) & M56,
        short_allowance=word & M56,
    )


@internal
@pure
def pack_price(price: Price) -> uint256:
    self._require_fits(
        (price.price >> 64)
        | ((price.confidence | price.max_age | price.settles_at) >> 20)
        | ((price.published_at | price.accepted_at | price.silence) >> 36)
        | (price.trade_age >> 16)
        | ((price.kind | price.caution) >> 4)
    )
    return (
        (price.kind << 252)
        | (price.caution << 248)
        | (price.settles_at << 228)
        | (price.price << 164)
        | (price.confidence << 144)
        | (price.published_at << 108)
        | (price.accepted_at << 72)
        | (price.silence << 36)
        | (price.trade_age << 20)
        | price.max_age
    )


@internal
@pure
def unpack_price(word: uint256) -> Price:
    return Price(
        price=(word >> 164) & M64,
        confidence=(word >> 144) & M20,
        published_at=(word >> 108) & M36,
        accepted_at=(word >> 72) & M36,
        silence=(word >> 36) & M36,
        trade_age=(word >> 20) & M16,
        max_age=word & M20,
        kind=word >> 252,
        caution=(word >> 248) & M4,
        settles_at=(word >> 228) & M20,
    )


@internal
@pure
def published_at_of(word: uint256) -> uint256:
    """
    @notice When the price in a price's word was published.
    """
    return (word >> 108) & M36


@internal
@pure
def pack_feed(feed: Feed) -> uint256:
    self._require_fits((feed.lot_size >> 80) | (feed.decimals >> 8) | (feed.kind >> 4))
    return (
        (convert(feed.source, uint256) << 96)
        | (feed.lot_size << 16)
        | (feed.decimals << 8)
        | (convert(feed.is_bounded, uint256) << 6)
        | (convert(feed.is_sequenced, uint256) << 5)
        | (convert(feed.is_checked, uint256) << 4)
        | feed.kind
    )


@internal
@pure
def unpack_feed(word: uint256) -> Feed:
    return Feed(
        kind=word & M4,
        source=convert(word >> 96, address),
        decimals=(word >> 8) & 255,
        lot_size=(word >> 16) & M80,
        is_checked=(word >> 4) & 1 != 0,
        is_sequenced=(word >> 5) & 1 != 0,
        is_bounded=(word >> 6) & 1 != 0,
    )


@internal
@pure
def pack_check(check: Check) -> uint256:
    self._require_fits(
        (check.decimals >> 8)
        | ((check.max_deviation | check.max_confidence) >> 20)
        | (check.disputed_at >> 36)
    )
    return (
        (convert(check.second, uint256) << 96)
        | (check.decimals << 76)
        | (check.max_deviation << 56)
        | (check.max_confidence << 36)
        | check.disputed_at
    )


@internal
@pure
def unpack_check(word: uint256) -> Check:
    return Check(
        second=convert(word >> 96, address),
        decimals=(word >> 76) & 255,
        max_deviation=(word >> 56) & M20,
        max_confidence=(word >> 36) & M20,
        disputed_at=word & M36,
    )


@internal
@pure
def pack_settlement(settlement: Settlement) -> uint256:
    self._require_fits((settlement.sum >> 128) | (settlement.counted >> 12))
    return (settlement.sum << 12) | settlement.counted


@internal
@pure
def unpack_settlement(word: uint256) -> Settlement:
    return Settlement(sum=word >> 12, counted=word & M12)


@internal
@pure
def pack_sequencer(sequencer: Sequencer) -> uint256:
    self._require_fits(sequencer.grace >> 20)
    return (convert(sequencer.feed, uint256) << 96) | sequencer.grace


@internal
@pure
def unpack_sequencer(word: uint256) -> Sequencer:
    return Sequencer(feed=convert(word >> 96, address), grace=word & M20)


@internal
@pure
def pack_order_state(state: OrderState) -> uint256:
    self._require_fits(
        (state.executable_from >> 36)
        | (state.status >> 4)
        | (state.keeper_fee >> 40)
        | (state.epoch >> 12)
        | (state.generation >> 23)
        | (state.filled >> 56)
        | (state.extreme >> 64)
    )
    return (
        (state.extreme << 175)
        | (state.filled << 119)
        | (state.generation << 96)
        | (convert(state.is_spent, uint256) << 95)
        | (convert(state.is_bound, uint256) << 94)
        | (convert(state.is_child, uint256) << 93)
        | (convert(state.escrowed, uint256) << 92)
        | (state.epoch << 80)
        | (state.keeper_fee << 40)
        | (state.status << 36)
        | state.executable_from
    )


@internal
@pure
def pack_placed_order(
    executable_from: uint256,
    status: uint256,
    keeper_fee: uint256,
    escrowed: bool,
    epoch: uint256,
    is_child: bool,
    is_bound: bool,
    generation: uint256,
) -> uint256:
    """
    @notice An order's word when it is placed: what comes with its fill is not there yet.
    """
    self._require_fits(
        (executable_from >> 36)
        | (status >> 4)
        | (keeper_fee >> 40)
        | (epoch >> 12)
        | (generation >> 23)
    )
    return (
        (generation << 96)
        | (convert(is_bound, uint256) << 94)
        | (convert(is_child, uint256) << 93)
        | (convert(escrowed, uint256) << 92)
        | (epoch << 80)
        | (keeper_fee << 40)
        | (status << 36)
        | executable_from
    )


@internal
@pure
def status_of(word: uint256) -> uint256:
    """
    @notice The status in an order's word.
    """
    return (word >> 36) & M4


@internal
@pure
def with_status(word: uint256, status: uint256) -> uint256:
    """
    @notice An order's word with another status, all else as it is.
    """
    self._require_fits(status >> 4)
    return (word & ~(M4 << 36)) | (status << 36)


@internal
@pure
def with_fill(
    word: uint256,
    status: uint256,
    executable_from: uint256,
    filled: uint256,
    generation: uint256,
) -> uint256:
    """
    @notice An order's word after it has filled: another status, what it opened, and from which price on
            its children may fill.
    """
    self._require_fits(
        (status >> 4) | (executable_from >> 36) | (filled >> 56) | (generation >> 23)
    )
    return (
        (word & ~(M36 | (M4 << 36) | (M23 << 96) | (M56 << 119)))
        | executable_from
        | (status << 36)
        | (generation << 96)
        | (filled << 119)
    )


@internal
@pure
def unpack_order_state(word: uint256) -> OrderState:
    return OrderState(
        executable_from=word & M36,
        status=(word >> 36) & M4,
        keeper_fee=(word >> 40) & M40,
        escrowed=(word >> 92) & 1 != 0,
        epoch=(word >> 80) & M12,
        is_child=(word >> 93) & 1 != 0,
        is_bound=(word >> 94) & 1 != 0,
        is_spent=(word >> 95) & 1 != 0,
        generation=(word >> 96) & M23,
        filled=(word >> 119) & M56,
        extreme=word >> 175,
    )


@internal
@pure
def pack_order_terms(terms: OrderTerms) -> uint256:
    self._require_fits(
        (terms.keeper_fee >> 40) | ((terms.delay | terms.window) >> 16) | (terms.max_age >> 32)
    )
    return (terms.max_age << 72) | (terms.keeper_fee << 32) | (terms.delay << 16) | terms.window


@internal
@pure
def unpack_order_terms(word: uint256) -> OrderTerms:
    return OrderTerms(
        keeper_fee=(word >> 32) & M40,
        delay=(word >> 16) & M16,
        window=word & M16,
        max_age=word >> 72,
    )


@internal
@pure
def pack_operator(operator: Operator) -> uint256:
    self._require_fits(
        (operator.expiry >> 40)
        | (operator.permissions >> 8)
        | (operator.notional >> 64)
        | (operator.markets >> 128)
    )
    return (
        (operator.markets << 112)
        | (operator.notional << 48)
        | (operator.permissions << 40)
        | operator.expiry
    )


@internal
@pure
def unpack_operator(word: uint256) -> Operator:
    return Operator(
        expiry=word & M40,
        permissions=(word >> 40) & 255,
        notional=(word >> 48) & M64,
        markets=word >> 112,
    )


@internal
@pure
def _require_fits(excess: uint256):
    assert excess == 0, "word: out of range"
