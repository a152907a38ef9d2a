# pragma version 0.4.3
"""
@title Trade checks
@license MIT
@notice What margin has against a fill, once it is known what it would leave behind. A refusal is a
        value.
@dev Unchecked where money, below 2**97 quote or 2**128 femto, is added up.
"""

from ..lib import fixed_point
from ..lib import reasons
from ..lib import words
from . import cross_margin

uses: cross_margin


# The two cross legs of the order's market.
struct Legs:
    long: words.Position
    short: words.Position


@internal
@view
def _check_opened(
    account: address,
    market: uint256,
    cash_before: int256,
    owner: words.Account,
    state: words.Market,
    price: uint256,
    slot: uint256,
    position: words.Position,
    impact: int256,
) -> uint256:
    """
    @notice What an isolated order takes from the cross ledger must be withdrawable, and the vault
            must hold the tiers' initial margin without the fill's own gain. (The leverage decides
            what an order moves, so that a vault at a loss can still be added to.)
    """
    taken: int256 = unsafe_sub(cash_before, owner.cash)
    if taken > 0:
        available: int256 = cash_before
        if owner.legs != 0:
            legs: cross_margin.Valuation = cross_margin._value_legs(account, owner.legs)
            if not legs.is_firm:
                return reasons.PRICE_NOT_FIRM
            available = cross_margin._withdrawable(cash_before, legs)
        if taken > available:
            return reasons.NOT_WITHDRAWABLE
    vault: cross_margin.Valuation = cross_margin._value_vault(market, state, price, slot, position)
    if unsafe_add(vault.worth, min(0, impact)) < convert(vault.initial, int256):
        return reasons.BELOW_INITIAL
    return reasons.FILLED


@internal
@view
def _check_reduced(
    market: uint256,
    state: words.Market,
    price: uint256,
    slot: uint256,
    before: words.Position,
    after: words.Position,
) -> uint256:
    """
    @notice A vault that paid for its own reduction must be no less healthy than before. (Any other
            shrinks alike in margin, value and requirement.)
    """
    now: cross_margin.Valuation = cross_margin._value_vault(market, state, price, slot, after)
    then: cross_margin.Valuation = cross_margin._value_vault(market, state, price, slot, before)
    if now.worth >= convert(now.initial, int256) or self._is_healthier(now, then):
        return reasons.FILLED
    return reasons.BELOW_INITIAL


@internal
@pure
def _legs(is_buy: bool, reduced: words.Position, increased: words.Position) -> Legs:
    if is_buy:
        return Legs(long=increased, short=reduced)
    return Legs(long=reduced, short=increased)


@internal
@view
def _check_cross(
    account: address,
    market: uint256,
    held: int256,
    owner: words.Account,
    state: words.Market,
    price: uint256,
    before: Legs,
    after: Legs,
    is_increase: bool,
    gain: int256,
) -> uint256:
    """
    @notice The account must hold its initial margin without the fill's own gain. A reduction may
            instead leave equity / maintenance margin no lower: one that does not raise the net
            position of its market.
    @param held Quote, cash and escrow before.
    @param gain Femto, what the fill itself earned.
    """
    others: cross_margin.Valuation = cross_margin._value_legs(
        account, owner.legs & ~(3 << (market << 1))
    )
    if is_increase and not others.is_firm:
        return reasons.PRICE_NOT_FIRM
    now: cross_margin.Valuation = cross_margin._value_pair(
        market, state, price, after.long, after.short
    )
    now.worth = unsafe_add(
        unsafe_add(now.worth, others.worth), unsafe_mul(owner.cash, fixed_point.FEMTO_INT)
    )
    initial: uint256 = unsafe_add(now.initial, others.initial)
    if unsafe_sub(now.worth, gain) >= convert(initial, int256):
        return reasons.FILLED
    if not is_increase and self._net(after) <= self._net(before):
        then: cross_margin.Valuation = cross_margin._value_pair(
            market, state, price, before.long, before.short
        )
        # Escrow counts for maintenance; the keeper's fee was in it, or in the cash, and has left.
        now.worth += convert(owner.escrow, int256) * fixed_point.FEMTO_INT
        then.worth += others.worth + held * fixed_point.FEMTO_INT
        now.maintenance += others.maintenance
        then.maintenance += others.maintenance
        if self._is_healthier(now, then):
            return reasons.FILLED
    return reasons.BELOW_INITIAL


@internal
@pure
def _is_healthier(now: cross_margin.Valuation, then: cross_margin.Valuation) -> bool:
    """
    @notice Whether equity / maintenance margin is not lower than it was.
    """
    return now.worth * convert(then.maintenance, int256) >= then.worth * convert(
        now.maintenance, int256
    )


@internal
@pure
def _net(legs: Legs) -> uint256:
    """
    @notice How many lots of one leg the other does not match.
    """
    return max(legs.long.size, legs.short.size) - min(legs.long.size, legs.short.size)
