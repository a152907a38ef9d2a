"""The rules of a liquidation, worked out by the protocol's own arithmetic and told. Pure."""

from __future__ import annotations

from bulkhead import valuation
from bulkhead.explain.tale import Tale, percent, quote, usd
from bulkhead.markets import MarketState
from bulkhead.protocol import house_math, liquidation_math, margin_math, position_math, words
from bulkhead.protocol.fixed_point import FEMTO, THOUSAND_USD, div_up
from bulkhead.protocol.words import House, Position
from bulkhead.valuation import Valuation
from bulkhead.values import femto_to_usd, to_usd, written

USD = 10**15  # femto


def tell_price(tale: Tale, state: MarketState) -> None:
    """The mark price, and how old and how certain it is."""
    price = state.price
    how = f"published {state.now - price.published_at} s before"
    if price.confidence:
        how += f", certain to {percent(price.confidence)}"
    if price.caution:
        how += ", in doubt"
    tale.tell(f"mark price of {state.market.symbol}", how, state.mark_price)


def tell_value(tale: Tale, state: MarketState, slot: int, position: Position) -> int:
    """What a position has gained and owes.

    Returns:
        Its value, femto.
    """
    market, sign = state.market, 1 if valuation.is_long(slot) else -1
    size, entry = written(market.size_of(position.size)), quote(position.entry_notional)
    notional = position.size * state.price.price
    pnl = sign * (notional - position.entry_notional * FEMTO)
    bought = f"{size} x {written(state.mark_price)} = {usd(notional)}"
    how = f"{bought}, less entry notional {entry}"
    if sign < 0:
        how = f"entry notional {entry}, less {bought}"
    tale.tell("PnL", how, femto_to_usd(pnl))
    before, now = position.funding_index, state.funding.funding_index
    funding = sign * position.size * (now - before)
    tale.tell(
        "funding owed",
        f"{size} x (index {written(market.price_of(now))} now - "
        f"{written(market.price_of(before))} at entry){' x -1' if sign < 0 else ''}",
        femto_to_usd(funding),
    )
    return position_math.value_of(position, sign > 0, state.price.price, now)


def tell_maintenance(tale: Tale, state: MarketState, lots: int) -> int:
    """The maintenance margin of a size, tier by tier.

    Returns:
        Femto.
    """
    notional, tiers = lots * state.price.price, state.tiers
    bands = [(0, tiers.maintenance_rate)]
    for index in range(margin_math.TAIL_TIERS):
        tier = margin_math.tier_at(tiers, index)
        if not tier.floor or notional <= tier.floor * THOUSAND_USD:
            break
        bands.append((tier.floor * THOUSAND_USD, tier.maintenance_rate))
    tops = [floor for floor, _ in bands[1:]] + [notional]
    how = " + ".join(
        f"{percent(rate)} of {usd(top - floor)}"
        for (floor, rate), top in zip(bands, tops, strict=True)
    )
    due = margin_math.maintenance_margin(notional, tiers)
    tale.tell(f"maintenance margin of {state.market.symbol}", how, femto_to_usd(due))
    return due


def tell_verdict(tale: Tale, total: Valuation) -> None:
    """Whether equity is at or below maintenance margin, and by how much.

    Args:
        tale: Where it is told.
        total: Equity as its worth.
    """
    worth, due = total.worth, total.maintenance
    if total.band:
        tale.tell(
            "equity judged",
            f"{usd(worth)} + {usd(total.band)} that the prices' confidence may add",
            femto_to_usd(worth + total.band),
        )
    judged = worth + total.band
    may = liquidation_math.may_liquidate(worth, due, total.band, total.caution)
    ratio = "no equity is left" if judged <= 0 else f"{percent(due * 10**6 // judged)} of equity"
    rule = "at 100 % or more it is liquidated"
    if total.caution == words.ONLY_BANKRUPT:
        rule = "the price is in doubt, so only without equity it is liquidated"
    tale.tell(
        "margin ratio",
        f"maintenance margin {usd(due)} / equity {usd(judged)}: {ratio}; {rule}",
        "liquidatable" if may else "not liquidatable",
    )


def tell_whole_or_part(tale: Tale, worth: int, due: int) -> bool:
    """Whether there is enough equity to close just enough.

    Returns:
        Whether there is.
    """
    keeps = liquidation_math.keeps_part(worth, due)
    tale.tell(
        "how much is closed",
        f"equity {usd(worth)} is {'at least' if keeps else 'below'} two thirds of maintenance "
        f"margin {usd(due)}",
        "just enough" if keeps else "all",
    )
    return keeps


def tell_closing_size(
    tale: Tale, state: MarketState, size: int, equity: int, others: int = 0
) -> int:
    """How many lots of a position that may keep a part are closed.

    Args:
        tale: Where it is told.
        state: Its market.
        size: Its lots.
        equity: All that backs it, femto.
        others: Maintenance margin of what else that backs, femto.

    Returns:
        Lots.
    """
    market, price = state.market, state.price.price
    terms = market.liquidation_terms
    notional = size * price
    large = liquidation_math.is_large(size, price, terms)
    if not large:
        tale.tell(
            "size closed",
            f"all: notional {usd(notional)} is not above {quote(terms.partial_above)}",
            market.size_of(size),
        )
        return size
    spared = liquidation_math.buffered(others, terms.buffer) if others else 0
    least = div_up(market.terms.min_notional * USD, price)
    lots = liquidation_math.closing_size(equity - spared, size, price, state.tiers, terms, least)
    kept = f"the fewest lots that leave equity of maintenance margin and {percent(terms.buffer)}"
    if lots == size:
        kept = f"all: {kept} are all of it, or would leave less than a position may be"
    elif lots == least:
        kept = f"the least a position may be, {market.terms.min_notional} USD: enough here"
    tale.tell("size closed", kept, market.size_of(lots))
    if lots < size:
        after = margin_math.maintenance_margin((size - lots) * price, state.tiers) + others
        penalty = div_up(lots * price * terms.penalty, 10**6)
        tale.tell(
            "equity after",
            f"{usd(equity)} less a penalty of {percent(terms.penalty)} of {usd(lots * price)}, "
            f"against {usd(liquidation_math.buffered(after, terms.buffer))} asked for",
            femto_to_usd(equity - penalty),
        )
    return lots


def tell_charge(
    tale: Tale, state: MarketState, house: House, equity: int, lots: int
) -> tuple[House, int, int]:
    """The penalty of a close and who gets it.

    Args:
        tale: Where it is told.
        state: The market.
        house: Before it.
        equity: That the penalty may draw on, quote.
        lots: That are closed.

    Returns:
        The house after it, the penalty and the liquidator's reward, quote.
    """
    terms, notional = state.market.liquidation_terms, lots * state.price.price
    penalty, kept, added = liquidation_math.split_penalty(equity, notional, terms)
    full = div_up(notional * terms.penalty, 10**6 * FEMTO)
    how = f"{percent(terms.penalty)} of {usd(notional)}, up"
    if penalty < full:
        how += f", is {quote(full)}, and no more than the equity {quote(max(equity, 0))}"
    tale.tell("penalty", how, to_usd(penalty))
    insurance = house.insurance + penalty - kept
    added = min(added, insurance)
    how = (
        f"{percent(terms.keeper_share)} of {quote(full)}, down, at least "
        f"{quote(terms.keeper_floor)} and at most {quote(terms.keeper_cap)}: "
        f"{quote(kept)} out of the penalty"
    )
    if added:
        how += f", {quote(added)} from insurance"
    tale.tell("liquidator's reward", how, to_usd(kept + added))
    tale.tell(
        "insurance gets",
        f"the rest of the penalty, {quote(penalty - kept)}"
        + (f", less {quote(added)} for the liquidator" if added else ""),
        to_usd(penalty - kept - added),
    )
    paid = House(house.pool_cash, insurance - added, house.fees, house.flags)
    return paid, penalty, kept + added


def tell_deficit(tale: Tale, house: House, deficit: int) -> House:
    """Who pays what nobody owes any more.

    Returns:
        The house after it.
    """
    after = house_math.cover_deficit(house, deficit)
    paid = house.insurance - after.insurance
    tale.tell(
        "deficit",
        f"insurance pays {quote(paid)} of it, the pool {quote(deficit - paid)}",
        to_usd(deficit),
    )
    return after
