# pragma version 0.4.3
"""
@title Cross margin
@license MIT
@notice What an account's cross legs are worth and require together. Loops over the account's own
        legs and nothing else.
@dev Unchecked: lots are below 2**56, prices below 2**64, what a leg is worth or requires below
     2**144, and an account has no more than `fills.MAX_LEGS` of them.
"""

from ..lib import fixed_point
from ..lib import margin_math
from ..lib import position_math
from ..lib import price_validity
from ..lib import words
from . import fills
from . import ledger
from . import markets

uses: ledger
uses: markets


struct Valuation:
    worth: int256  # femto, sum of the legs' values
    initial: uint256  # femto
    maintenance: uint256  # femto
    band: uint256  # femto, what the prices' confidence may add to the worth
    caution: uint256  # the gravest of the prices'
    is_firm: bool  # whether every leg's price is fresh and undoubted
    is_current: bool  # whether every leg's price is fresh, or silent for good


@internal
@view
def _value_legs(account: address, legs: uint256) -> Valuation:
    """
    @notice Values the given cross legs of an account at the current prices.
    @param legs Bits of `Account.legs`.
    """
    total: Valuation = empty(Valuation)
    total.is_firm = True
    total.is_current = True
    left: uint256 = legs
    for _: uint256 in range(fills.MAX_LEGS):
        if left == 0:
            break
        market: uint256 = words.lowest_bit_index(left) >> 1
        pair: uint256 = (left >> (market << 1)) & 3
        left ^= pair << (market << 1)
        price: words.Price = markets._price(market)
        long: words.Position = empty(words.Position)
        short: words.Position = empty(words.Position)
        if pair & 1 != 0:
            long = ledger._position(words.position_id(account, market, words.CROSS_LONG))
        if pair & 2 != 0:
            short = ledger._position(words.position_id(account, market, words.CROSS_SHORT))
        state: words.Market = markets._accrued(market, price)
        leg: Valuation = self._value_pair(market, state, price.price, long, short)
        if markets._is_fresh(market, price):
            if price_validity.is_settled(price):
                # It can move no more: it asks for nothing.
                leg.initial = 0
                leg.maintenance = 0
            elif price_validity.is_settling(price, block.timestamp):
                total.is_firm = False
            if price.caution != words.NO_CAUTION:
                total.is_firm = False
                total.caution = max(total.caution, price.caution)
            if price.confidence != 0 and leg.maintenance != 0:
                total.band = unsafe_add(
                    total.band,
                    margin_math.band_of(
                        unsafe_mul(
                            max(long.size, short.size) - min(long.size, short.size), price.price
                        ),
                        price.confidence,
                    ),
                )
        else:
            # The doubt about a price that is not fresh shields nobody.
            total.is_firm = False
            if price_validity.is_live(price, block.timestamp):
                total.is_current = False
            elif not price_validity.profit_counts(price, block.timestamp):
                leg.worth = min(leg.worth, 0)
        total.worth = unsafe_add(total.worth, leg.worth)
        total.initial = unsafe_add(total.initial, leg.initial)
        total.maintenance = unsafe_add(total.maintenance, leg.maintenance)
    return total


@internal
@view
def _value_pair(
    market: uint256,
    state: words.Market,
    price: uint256,
    long: words.Position,
    short: words.Position,
) -> Valuation:
    """
    @notice Values the two legs of one market, either of which may be empty. Margin is required for
            the larger leg only, at the leverage the two share, and initially for what taking a
            matched part apart would cost in fees.
    """
    worth: int256 = 0
    leverage: uint256 = long.margin
    if long.size != 0:
        worth = position_math.value_of(long, True, price, state.funding_index)
    if short.size != 0:
        worth = unsafe_add(worth, position_math.value_of(short, False, price, state.funding_index))
        if long.size == 0:
            leverage = short.margin
    notional: uint256 = unsafe_mul(max(long.size, short.size), price)
    tiers: margin_math.Tiers = markets._tiers(market, state, notional)
    initial: uint256 = margin_math.initial_margin(notional, leverage, tiers)
    matched: uint256 = min(long.size, short.size)
    if matched != 0:
        taker_fee: uint256 = markets._trade_terms(market).taker_fee
        initial = unsafe_add(
            initial, margin_math.unwinding_cost(unsafe_mul(matched, price), taker_fee)
        )
    return Valuation(
        worth=worth,
        initial=initial,
        maintenance=margin_math.maintenance_margin(notional, tiers),
        band=0,
        caution=words.NO_CAUTION,
        is_firm=True,
        is_current=True,
    )


@internal
@view
def _value_vault(
    market: uint256,
    state: words.Market,
    price: uint256,
    slot: uint256,
    position: words.Position,
) -> Valuation:
    """
    @notice An isolated position's equity, margin and value, as its worth, and the tiers'
            requirements.
    """
    notional: uint256 = unsafe_mul(position.size, price)
    tiers: margin_math.Tiers = markets._tiers(market, state, notional)
    return Valuation(
        worth=unsafe_add(
            convert(unsafe_mul(position.margin, fixed_point.FEMTO), int256),
            position_math.value_of(position, slot & 1 == 0, price, state.funding_index),
        ),
        initial=margin_math.initial_margin(notional, 0, tiers),
        maintenance=margin_math.maintenance_margin(notional, tiers),
        band=0,
        caution=words.NO_CAUTION,
        is_firm=True,
        is_current=True,
    )


@internal
@pure
def _withdrawable(cash: int256, legs: Valuation) -> int256:
    """
    @notice What may leave the cross ledger, in quote units, down: cash less unrealised losses and
            initial margin. Unrealised profit never leaves. Negative where nothing may.
    """
    return cash + fixed_point.quote_down(min(legs.worth, 0) - convert(legs.initial, int256))


@internal
@view
def _require_withdrawable(account: address, state: words.Account, amount: uint256):
    """
    @notice Refuses unless `amount` quote units may leave the cross ledger now.
    """
    available: int256 = state.cash
    if state.legs != 0:
        legs: Valuation = self._value_legs(account, state.legs)
        self._require_firm(legs.is_firm)
        available = self._withdrawable(state.cash, legs)
    assert available >= 0 and convert(available, uint256) >= amount, "balance: not withdrawable"


@internal
@pure
def _require_firm(is_firm: bool):
    assert is_firm, "price: not firm"
