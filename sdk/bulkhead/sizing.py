"""How much to trade, and with how much margin: from what may be lost. Pure, exact, conservative.

Funding is left out: it depends on how long a position stays. `Risk.time_to_liquidation` tells what
funding alone would do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from bulkhead.accounts import Position, vault_of
from bulkhead.errors import Unreached
from bulkhead.markets import MarketState
from bulkhead.protocol import market_math
from bulkhead.protocol.fixed_point import PPM, quote_up
from bulkhead.values import Amount, decimal_of, to_quote, to_usd

MOST_MARGIN = 2**64  # quote: more than a vault's word holds


def loss_at_stop(state: MarketState, lots: int, stop: int, *, is_buy: bool, keeper_fee: int) -> int:
    """What a position costs that is opened now and closed at a stop.

    Both fills pay impact, fee and keeper; impact that the closing fill would be paid for is left
    out, since others may take it first.

    Args:
        state: Its market.
        lots: Its size.
        stop: Femto per lot, the mark price at which it is closed.
        is_buy: Whether it is long.
        keeper_fee: Quote, of one order.

    Returns:
        Quote, up.
    """
    terms, mark = state.market.terms, state.price.price
    delta = lots if is_buy else -lots
    entry = market_math.impact_cost(delta, state.skew, terms.skew_scale, mark)
    leaving = market_math.impact_cost(-delta, state.skew + delta, terms.skew_scale, stop)
    fees = sum(
        market_math.trade_fee(one, skew, price, terms.maker_fee, terms.taker_fee)
        for one, skew, price in ((delta, state.skew, mark), (-delta, state.skew + delta, stop))
    )
    return quote_up(delta * (mark - stop) + entry + max(leaving, 0)) + fees + 2 * keeper_fee


def size_for_risk(
    state: MarketState, risk: Amount, stop_price: Amount, *, is_buy: bool, keeper_fee: int
) -> Decimal:
    """The largest position of which a stop loses no more than so much.

    Args:
        state: Its market.
        risk: USD that may be lost, costs included.
        stop_price: USD per base unit, below the mark price of a long, above that of a short.
        is_buy: Whether it is long.
        keeper_fee: Quote, of one order.

    Returns:
        Base units, down to lots.

    Raises:
        ValueError: If the stop is on the wrong side.
        Unreached: If not even the market's least size loses so little.
    """
    market, quote = state.market, to_quote(risk, "risk")
    # Never nearer than meant.
    stop = market.price_down(stop_price) if is_buy else market.price_up(stop_price)
    if (stop < state.price.price) != is_buy or stop == state.price.price:
        side = "below" if is_buy else "above"
        raise ValueError(f"stop_price: {stop_price} is not {side} the mark of {state.mark_price}")

    def is_too_much(lots: int) -> bool:
        return loss_at_stop(state, lots, stop, is_buy=is_buy, keeper_fee=keeper_fee) > quote

    # No larger one can lose so little: each lot loses the distance, whatever it is paid to open.
    most = market.terms.skew_scale * market.terms.side_cap // PPM + 1
    lots = _first(is_too_much, 0, most) - 1
    if lots * state.price.price < market.terms.min_notional * 10**15:
        raise Unreached(
            f"risk: {risk} USD with a stop at {stop_price} allows less than the "
            f"{market.terms.min_notional} USD that {market.symbol} asks for"
        )
    return market.size_of(lots)


def margin_for_distance(position: Position, distance: Amount) -> Decimal:
    """What to add to a vault so that its liquidation price is so far from the mark price.

    Args:
        position: An open isolated one.
        distance: Of the mark price: 0.2 is twenty percent.

    Returns:
        USD, up; 0 if it is that far already.

    Raises:
        ValueError: If it is no vault.
        Unreached: If no margin brings it there.
    """
    if not position.is_isolated:
        raise ValueError("position: a cross leg has no margin of its own")
    ratio = decimal_of(distance, "distance")
    if not ratio > 0:
        raise ValueError(f"distance: {distance} is not positive")
    mark = position.state.price.price
    reach = int(ratio * mark)
    wanted = mark - reach if position.is_long else mark + reach

    def is_far(added: int) -> bool:
        word = replace(position.word, margin=position.word.margin + added)
        vault = vault_of(position.account, position.state, position.slot, word)
        if position.is_long:
            return vault.liquidatable_below <= wanted
        return vault.liquidatable_above is None or vault.liquidatable_above >= wanted

    if not is_far(MOST_MARGIN):
        raise Unreached(f"distance: no margin moves the liquidation price {distance} away")
    return to_usd(_first(is_far, 0, MOST_MARGIN))


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The first number from `low` on for which something holds that holds from there on."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
