"""What the functions of the libraries are asked: inputs of all their domains, most at the edges."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bulkhead.protocol import (
    funding_bounds,
    liquidation_math,
    margin_math,
    market_math,
    price_bounds,
    words,
)
from bulkhead.protocol.reasons import Reason
from tests.helpers.draw import Draw

STRUCTS = {
    "account": words.Account,
    "position": words.Position,
    "side": words.Side,
    "market": words.Market,
    "ramp": words.Ramp,
    "house": words.House,
    "trade_terms": words.TradeTerms,
    "liquidation_terms": words.LiquidationTerms,
    "tier": words.Tier,
    "settings": words.Settings,
    "price": words.Price,
    "feed": words.Feed,
    "check": words.Check,
    "settlement": words.Settlement,
    "sequencer": words.Sequencer,
    "order_state": words.OrderState,
    "order_terms": words.OrderTerms,
    "operator": words.Operator,
}

Given = tuple[Any, ...]


def packable(struct: type) -> Callable[[Draw], Given]:
    return lambda draw: (
        draw.stretched(struct) if draw.random.random() < 0.3 else draw.struct(struct),
    )


def accrual(draw: Draw) -> Given:
    market = draw.struct(words.Market)
    until = draw.unsigned(36, market.accrued_at, market.accrued_at + 86_400)
    if draw.boolean() and until > market.accrued_at:
        # The rate comes to its limit, or next to it, just then.
        drift = market.funding_drift * (until - market.accrued_at)
        step = abs(drift) // 86_400 * (1 if drift > 0 else -1)
        limit = market.max_funding_rate * 10**6 * (1 if drift > 0 else -1)
        rate = limit - step + draw.integer(-1, 1)
        if abs(rate) <= abs(limit):
            market = replace(market, funding_rate=rate)
    return market, draw.unsigned(64, 10**13), until


def clock(draw: Draw) -> Given:
    published_at, max_age = draw.unsigned(36), draw.unsigned(20)
    price = draw.struct(
        words.Price,
        published_at=published_at,
        max_age=max_age,
        silence=draw.integer(0, published_at),
    )
    return price, draw.integer(price.published_at, 2**36, price.published_at + max_age)


def settling_price(draw: Draw) -> tuple[words.Price, int]:
    """A price, a time near it, and the hour that begins near both."""
    settles_at = draw.unsigned(20)
    start = settles_at * words.HOUR
    published_at = draw.unsigned(36, start - 100, start + 1_800, start + 3_600)
    max_age = draw.unsigned(20, 60, 3_600)
    price = draw.struct(
        words.Price, published_at=published_at, max_age=max_age, settles_at=settles_at
    )
    until = draw.unsigned(36, published_at + 600, published_at + max_age, start + 3_599)
    return price, until


def counting(draw: Draw) -> Given:
    return draw.struct(words.Settlement), *settling_price(draw)


def validity(draw: Draw) -> Given:
    """A price and a time around one of the moments that count for it."""
    price = draw.struct(
        words.Price,
        kind=draw.integer(0, 15, 15),
        caution=draw.integer(0, 2),
        settles_at=draw.unsigned(20) if draw.boolean() else 0,
    )
    moments = (
        price.published_at + price.trade_age,
        price.published_at + price.max_age,
        price.published_at + price.max_age + 3_600,
        price.settles_at * 3_600,
    )
    return price, draw.integer(0, 2**37, *moments)


def ramp(draw: Draw) -> Given:
    """Tiers, others with the same floors, and a moment of their ramp."""
    target = draw.tiers()
    before = margin_math.Tiers(
        draw.unsigned(20),
        draw.unsigned(20),
        *[
            sum(
                words.pack_tier(
                    replace(
                        words.unpack_tier(word >> at),
                        maintenance_rate=draw.unsigned(20),
                        initial_rate=draw.unsigned(20),
                    )
                )
                << at
                for at in range(0, 256, 64)
                if word >> at
            )
            for word in (target.first, target.second)
        ],
    )
    duration = draw.integer(1, 2**24)
    return target, before, draw.integer(0, 2**25, duration), duration


def funding(draw: Draw) -> Given:
    market = draw.struct(words.Market, accrued_at=draw.unsigned(35))
    limit = market.max_funding_rate * 10**6
    rate = max(min(market.funding_rate, limit), -limit)
    market = replace(market, funding_rate=rate, funding_drift=draw.signed(40))
    return market, draw.unsigned(64), draw.boolean(), draw.unsigned(56)


def loss(draw: Draw) -> Given:
    """A cushion that funding takes in a time, or all but: to the end, or where the rate turns."""
    market, price, is_long, size = funding(draw)
    turn = abs(market.funding_rate) * 86_400 // (abs(market.funding_drift) or 1)
    second = draw.integer(0, funding_bounds.HORIZON, turn, funding_bounds.HORIZON)
    lost = funding_bounds.lost_after(market, price, is_long, size, second)
    cushion = lost + draw.integer(-1, 1) if draw.boolean() else draw.signed(110, lost)
    return market, price, is_long, size, cushion


def skewed_trade(draw: Draw) -> tuple[int, int]:
    size_delta = draw.signed(58)
    return size_delta, draw.signed(64, size_delta, -size_delta, -size_delta // 2)


def impact(draw: Draw) -> Given:
    return (*skewed_trade(draw), draw.integer(1, words.MAX_SIZE), draw.unsigned(64))


def fill(draw: Draw) -> Given:
    size, price = draw.unsigned(56), draw.unsigned(64)
    return size, draw.boolean(), price, draw.integer(-size * price, size * price)


def costly_fill(draw: Draw) -> Given:
    """As a fill, and short ones that cost more than they bring."""
    size, is_long, price, cost = fill(draw)
    return (
        size,
        is_long,
        price,
        cost if is_long or draw.boolean() else draw.integer(0, 3 * abs(cost)),
    )


def increase(draw: Draw) -> Given:
    position = draw.struct(words.Position)
    size = draw.integer(0 if position.size else 1, words.MAX_SIZE, position.size)
    return position, draw.boolean(), size, draw.unsigned(56), draw.signed(64)


def decrease(draw: Draw) -> Given:
    position = draw.struct(words.Position, size=draw.integer(1, words.MAX_SIZE))
    return position, draw.boolean(), draw.integer(0, position.size, position.size)


def fee(draw: Draw) -> Given:
    insurance = draw.integer(0, 10**6)
    treasury = draw.integer(0, 10**6 - insurance)
    terms = draw.struct(words.TradeTerms, insurance_share=insurance, treasury_share=treasury)
    return draw.struct(words.House), draw.unsigned(64), terms


def notional(draw: Draw, tiers: margin_math.Tiers) -> int:
    tail = [tiers.first >> 64 * i for i in range(4)] + [tiers.second >> 64 * i for i in range(4)]
    return draw.unsigned(120, *[(tier >> 40) % 2**24 * 10**18 for tier in tail])


def requirement(draw: Draw) -> Given:
    tiers = draw.tiers()
    return notional(draw, tiers), tiers


def leveraged_requirement(draw: Draw) -> Given:
    tiers = draw.tiers()
    return notional(draw, tiers), draw.unsigned(28, 10**6, 10**7), tiers


def partial(draw: Draw) -> Given:
    """Equity around the requirement of the notional, or of a part of it."""
    tiers = draw.tiers()
    price = draw.integer(1, 2**64 - 1)
    size = draw.integer(1, words.MAX_SIZE, notional(draw, tiers) // price)
    due = margin_math.maintenance_margin(size * price, tiers)
    terms = draw.struct(
        words.LiquidationTerms,
        penalty=draw.integer(0, 2**20 - 1, tiers.maintenance_rate // 2),
        buffer=draw.integer(0, 10**6),
    )
    return draw.signed(150, due, due // 2, due * 3 // 2, 0), size, price, tiers, terms


def closing(draw: Draw) -> Given:
    """A part, and the least to be kept: what is left of the position, or next to it."""
    given = partial(draw)
    left = given[1] - liquidation_math.partial_size(*given)
    return *given, draw.unsigned(56, left, left)


def exposed(draw: Draw) -> Given:
    """A position and its tiers; or a few lots at the least rates, where bounds are whole prices."""
    if draw.random.random() < 0.9:
        return draw.exposure(), draw.tiers()
    exposure = price_bounds.Exposure(
        long_size=draw.integer(0, 2),
        short_size=draw.integer(0, 2),
        equity=draw.integer(-3, 3),
        funding_index=draw.integer(-3, 3),
        area=draw.integer(-2, 2, 0) * market_math.INDEX_DENOMINATOR,
    )
    rate = draw.integer(1, 3)
    return exposure, margin_math.Tiers(rate, 2 * rate, 0, 0)


def deleveraged(draw: Draw) -> Given:
    size = draw.integer(1, words.MAX_SIZE)
    owed = draw.integer(1, 2**140)
    excess = draw.integer(0, owed, owed)
    return (
        size,
        draw.integer(0, size, size),
        draw.integer(1, 2**121),
        excess,
        owed,
        draw.integer(0, excess, excess),
        draw.unsigned(56),
    )


DOMAINS: dict[str, dict[str, Callable[[Draw], Given]]] = {
    "fixed_point": {
        "div_up": lambda draw: (draw.unsigned(255), draw.integer(1, 2**255)),
        "signed_div_down": lambda draw: (draw.signed(255), draw.integer(1, 2**254)),
        "signed_div_up": lambda draw: (draw.signed(255), draw.integer(1, 2**254)),
        "magnitude": lambda draw: (draw.signed(255),),
        "quote_down": lambda draw: (draw.signed(255),),
        "quote_ceiling": lambda draw: (draw.signed(255),),
        "quote_up": lambda draw: (draw.unsigned(255),),
        "femto_per_lot": lambda draw: (draw.unsigned(128), draw.unsigned(80)),
    },
    "words": {
        "position_id": lambda draw: (draw.unsigned(160), draw.unsigned(256), draw.unsigned(256)),
        "split_position_id": lambda draw: (draw.unsigned(256, 2**192),),
        "leg_bit": lambda draw: (draw.unsigned(6), draw.unsigned(1)),
        "lowest_bit_index": lambda draw: (
            draw.unsigned(128) << draw.random.randrange(128) & 2**128 - 1,
        ),
        "cash_of": lambda draw: (draw.unsigned(256),),
        "flags_of": lambda draw: (draw.unsigned(256),),
        "epoch_of": lambda draw: (draw.unsigned(256),),
        "published_at_of": lambda draw: (draw.unsigned(256),),
        "status_of": lambda draw: (draw.unsigned(256),),
        "with_cash": lambda draw: (draw.unsigned(256), draw.unsigned(66)),
        "with_escrow": lambda draw: (draw.unsigned(256), draw.unsigned(41)),
        "pack_placed_order": lambda draw: (
            draw.integer(0, 2**37, 2**36),
            draw.integer(0, 2**4, 2**4 - 1),
            draw.integer(0, 2**41, 2**40),
            draw.boolean(),
            draw.integer(0, 2**13, 2**12),
            draw.boolean(),
            draw.boolean(),
            draw.integer(0, 2**24, 2**23),
        ),
        "with_status": lambda draw: (draw.unsigned(256), draw.unsigned(5)),
        "with_fill": lambda draw: (
            draw.unsigned(256),
            draw.integer(0, 2**4, 2**4 - 1),
            draw.integer(0, 2**37, 2**36),
            draw.integer(0, 2**57, 2**56),
            draw.integer(0, 2**24, 2**23),
        ),
        "count_bits": lambda draw: (draw.unsigned(128),),
    }
    | {f"pack_{name}": packable(struct) for name, struct in STRUCTS.items()}
    | {f"unpack_{name}": lambda draw: (draw.unsigned(256),) for name in STRUCTS},
    "market_math": {
        "accrue_funding": accrual,
        "live_time": clock,
        "funding_drift": lambda draw: (
            draw.unsigned(28),
            draw.signed(65),
            draw.integer(1, words.MAX_SIZE),
        ),
        "skew_of": lambda draw: (draw.unsigned(64), draw.unsigned(64)),
        "impact_cost": impact,
        "trade_fee": lambda draw: (
            *skewed_trade(draw),
            draw.unsigned(64),
            draw.unsigned(16),
            draw.unsigned(16),
        ),
        "builder_fee": lambda draw: (draw.unsigned(56), draw.unsigned(64), draw.unsigned(16)),
        "side_value": lambda draw: (
            draw.struct(words.Side),
            draw.boolean(),
            draw.unsigned(64),
            draw.signed(64),
        ),
    },
    "settlement_math": {
        "count": counting,
        "average": lambda draw: (draw.struct(words.Settlement),),
        "silence_until": settling_price,
    },
    "position_math": {
        "value_of": lambda draw: (
            draw.struct(words.Position),
            draw.boolean(),
            draw.unsigned(64),
            draw.signed(64),
        ),
        "basis_of": lambda draw: (draw.struct(words.Position),),
        "entry_notional_of": costly_fill,
        "increase": increase,
        "decrease": decrease,
        "next_generation": lambda draw: (draw.struct(words.Position),),
    },
    "house_math": {
        "collect_fee": fee,
        "cover_deficit": lambda draw: (draw.struct(words.House), draw.unsigned(82)),
        "insurance_need": lambda draw: (draw.unsigned(64), draw.unsigned(64), draw.unsigned(20)),
    },
    "margin_math": {
        "tier_at": lambda draw: (draw.tiers(), draw.integer(0, 7)),
        "maintenance_margin": requirement,
        "initial_margin": leveraged_requirement,
        "ramped_tiers": ramp,
        "unwinding_cost": lambda draw: (draw.unsigned(120), draw.unsigned(16)),
        "band_of": lambda draw: (draw.unsigned(120), draw.unsigned(20)),
        "isolated_leverage": lambda draw: (draw.struct(words.Settings), draw.boolean()),
        "order_margin": lambda draw: (
            draw.unsigned(120),
            draw.unsigned(28, 10**6),
            draw.unsigned(20),
        ),
    },
    "liquidation_math": {
        "is_liquidatable": lambda draw: (draw.signed(256), draw.unsigned(255)),
        "may_liquidate": lambda draw: (
            draw.signed(200),
            draw.unsigned(200),
            draw.unsigned(140),
            draw.integer(0, 2),
        ),
        "keeps_part": lambda draw: (draw.signed(200), draw.unsigned(200)),
        "is_large": lambda draw: (
            draw.unsigned(56),
            draw.unsigned(64),
            draw.struct(words.LiquidationTerms),
        ),
        "buffered": lambda draw: (draw.unsigned(150), draw.unsigned(20)),
        "partial_size": partial,
        "closing_size": closing,
        "excess_owed": lambda draw: (draw.signed(162), draw.signed(96), draw.unsigned(20)),
        "deleveraging_rank": lambda draw: (
            draw.signed(122),
            draw.integer(1, words.MAX_SIZE),
            draw.signed(161),
            draw.unsigned(64),
        ),
        "deleveraged_size": deleveraged,
        "split_penalty": lambda draw: (
            draw.signed(128),
            draw.unsigned(120),
            draw.struct(words.LiquidationTerms),
        ),
        "shrink_charges": lambda draw: tuple(draw.unsigned(64) for _ in range(4)),
    },
    "reasons": {
        "must_wait": lambda draw: (draw.integer(0, max(Reason), *Reason),),
        "text_of": lambda draw: (draw.integer(0, max(Reason), *Reason),),
    },
    "price_validity": {
        "is_settled": lambda draw: (draw.struct(words.Price, kind=draw.integer(0, 15, 15)),),
        "is_live": validity,
        "is_fresh": validity,
        "is_firm": validity,
        "is_settling": validity,
        "may_trade": validity,
        "may_move_liquidity": validity,
        "profit_counts": validity,
    },
    "funding_bounds": {
        "time_to_lose": loss,
        "lost_after": lambda draw: (*funding(draw), draw.unsigned(29)),
    },
    "price_bounds": {
        "liquidation_prices": exposed,
        "bankruptcy_price": lambda draw: (draw.exposure(),),
        "is_liquidatable_at": lambda draw: (draw.exposure(), draw.tiers(), draw.unsigned(64)),
    },
}
