from dataclasses import replace

import pytest

from bulkhead import decisions
from bulkhead.decisions import CrossLedger, Readiness, Vault
from bulkhead.deleveraging import Holding
from bulkhead.listings import BTC
from bulkhead.markets import Market, MarketState
from bulkhead.orders import NO_GROUP, NOBODY, Order, OrderKind, PlacedOrder
from bulkhead.protocol import words
from bulkhead.protocol.words import (
    Account,
    LiquidationTerms,
    Position,
    Price,
    Side,
    Tier,
    TradeTerms,
)
from bulkhead.valuation import Valuation

NOW = 1_000_000
USD = 10**6  # quote
PRICE = 10**12  # femto per lot of 1e-8 BTC: 100,000 USD a BTC
LOTS = 10**7  # 0.1 BTC
ALICE = "0x" + "a1" * 20


def state(
    price: int = PRICE, *, published_at: int = NOW, skew: int = 0, is_latest: bool = True
) -> MarketState:
    market = Market(
        id=0,
        symbol="BTC-PERP",
        lot_size=BTC.lot_size_wad,
        terms=replace(
            TradeTerms(**dict.fromkeys(TradeTerms.__slots__, 0)),
            skew_scale=BTC.terms.skew_scale,
        ),
        liquidation_terms=LiquidationTerms(**dict.fromkeys(LiquidationTerms.__slots__, 0)),
        tiers=(Tier(0, 5_000, 10_000),),
    )
    funding = words.Market(0, 0, 0, NOW, 0, 5_000, 10_000, 0)
    return MarketState(
        market=market,
        price=Price(
            price=price,
            confidence=0,
            published_at=published_at,
            accepted_at=published_at,
            silence=0,
            trade_age=60,
            max_age=3_600,
            kind=words.CHAINLINK,
        ),
        funding=funding,
        stored=funding,
        long=Side(max(skew, 0), 0),
        short=Side(max(-skew, 0), 0),
        now=NOW,
        is_latest=is_latest,
    )


def placed(**fields: object) -> PlacedOrder:
    order = Order(
        account=ALICE,
        placer=ALICE,
        market=0,
        kind=OrderKind.LIMIT,
        margin_mode=1,
        position_side=0,
        is_buy=True,
        reduce_only=False,
        size=LOTS,
        trigger_price=0,
        callback_rate=0,
        acceptable_price=0,
        margin=0,
        leverage=0,
        expiry=0,
        group=NO_GROUP,
        builder=NOBODY,
        builder_fee=0,
        salt=0,
    )
    return PlacedOrder(b"\1" * 32, replace(order, **fields), 0, NOW - 1, 1)  # type: ignore[arg-type]


def test_an_order_is_ready_at_a_fresh_later_price() -> None:
    assert decisions.readiness_of(placed(), state(), NOW) is Readiness.READY


@pytest.mark.parametrize(
    ("published_at", "now", "expected"),
    [
        (NOW - 1, NOW, Readiness.READY),
        (NOW - 2, NOW, Readiness.EARLY),
        (NOW, NOW + 60, Readiness.READY),
        (NOW, NOW + 61, Readiness.STALE),
    ],
)
def test_the_price_is_of_its_time(published_at: int, now: int, expected: Readiness) -> None:
    assert decisions.readiness_of(placed(), state(published_at=published_at), now) is expected


def test_an_order_waits_while_its_feed_is_ahead_of_the_oracle() -> None:
    behind = state(is_latest=False)
    assert decisions.readiness_of(placed(), behind, NOW) is Readiness.STALE
    assert behind.is_live
    assert not behind.is_fresh


def test_an_order_fills_in_its_last_second_and_ends_after_it() -> None:
    order = placed(expiry=NOW)
    assert decisions.readiness_of(order, state(), NOW) is Readiness.READY
    assert decisions.readiness_of(order, state(), NOW + 1) is Readiness.EXPIRED


@pytest.mark.parametrize(
    ("kind", "is_buy", "waits_above"),
    [
        (OrderKind.STOP, True, False),
        (OrderKind.STOP, False, True),
        (OrderKind.TAKE_PROFIT, True, True),
        (OrderKind.TAKE_PROFIT, False, False),
    ],
)
def test_a_trigger_waits_on_one_side(kind: OrderKind, is_buy: bool, waits_above: bool) -> None:
    order = placed(kind=kind, is_buy=is_buy, trigger_price=PRICE)
    waits = Readiness.NOT_TRIGGERED
    assert decisions.readiness_of(order, state(PRICE), NOW) is Readiness.READY
    above = decisions.readiness_of(order, state(PRICE + 1), NOW)
    below = decisions.readiness_of(order, state(PRICE - 1), NOW)
    assert (above is waits, below is waits) == (waits_above, not waits_above)


def test_the_acceptable_price_counts_the_order_s_own_impact() -> None:
    order = placed(acceptable_price=PRICE)
    assert decisions.readiness_of(order, state(), NOW) is Readiness.NOT_ACCEPTABLE
    # Shorts outweigh longs: a buy shrinks the skew and is paid for it.
    assert decisions.readiness_of(order, state(skew=-LOTS), NOW) is Readiness.READY


def test_orders_are_sent_first_placed_first() -> None:
    early = replace(placed(), executable_from=NOW - 5)
    waiting = placed(kind=OrderKind.STOP, trigger_price=PRICE + 1)
    late = placed(salt=1)
    found = decisions.executable_orders([late, waiting, early], {0: state()}, NOW)
    assert found == (early, late)


def vault(margin: int) -> Vault:
    entry = LOTS * PRICE // 10**9
    return Vault(ALICE, 0, words.ISOLATED_LONG, Position(LOTS, entry, margin, 0, 0))


def test_a_vault_is_liquidatable_once_maintenance_reaches_equity() -> None:
    maintenance = LOTS * PRICE * 5_000 // 10**6 // 10**9
    assert decisions.liquidatable_isolated([vault(maintenance)], {0: state()})
    assert not decisions.liquidatable_isolated([vault(maintenance + 1)], {0: state()})


def test_nothing_is_liquidated_at_a_stale_price() -> None:
    old = state(published_at=NOW - 61)
    assert not decisions.liquidatable_isolated([vault(0)], {0: old})
    assert not decisions.liquidatable_cross([ledger(0)], {0: old})


def test_nothing_is_liquidated_while_the_feed_is_ahead_of_the_oracle() -> None:
    behind = state(is_latest=False)
    assert not decisions.liquidatable_isolated([vault(0)], {0: behind})
    assert not decisions.liquidatable_cross([ledger(0)], {0: behind})


def test_the_worst_vault_comes_first() -> None:
    assert decisions.liquidatable_isolated([vault(2), vault(1)], {0: state()}) == (
        vault(1),
        vault(2),
    )


def ledger(cash: int, escrow: int = 0) -> CrossLedger:
    entry = LOTS * PRICE // 10**9
    legs = {(0, words.CROSS_LONG): Position(LOTS, entry, 0, 0, 0)}
    return CrossLedger(ALICE, Account(cash, 1, 0, 0, 0, escrow), legs)


def test_a_cross_ledger_is_liquidatable_once_maintenance_reaches_equity() -> None:
    maintenance = 50 * USD
    assert decisions.liquidatable_cross([ledger(maintenance)], {0: state()})
    assert not decisions.liquidatable_cross([ledger(maintenance + 1)], {0: state()})


def test_escrow_backs_a_cross_ledger() -> None:
    maintenance = 50 * USD
    assert not decisions.liquidatable_cross([ledger(maintenance, escrow=1)], {0: state()})


def with_terms(base: MarketState, **terms: int) -> MarketState:
    """The same state where liquidations have these terms, and positions a minimum of 10 USD."""
    market = replace(
        base.market,
        liquidation_terms=replace(base.market.liquidation_terms, **terms),
        terms=replace(base.market.terms, min_notional=10),
    )
    return replace(base, market=market)


def test_confidence_favours_the_account_and_doubt_whoever_has_equity() -> None:
    wide = replace(state(), price=replace(state().price, confidence=1))
    doubtful = replace(state(), price=replace(state().price, caution=words.ONLY_BANKRUPT))
    for due in (vault(50 * USD), vault(1)):
        assert decisions.liquidatable_isolated([due], {0: state()})
        assert not decisions.liquidatable_isolated([due], {0: doubtful})
    assert not decisions.liquidatable_isolated([vault(50 * USD)], {0: wide})
    assert not decisions.liquidatable_cross([ledger(50 * USD)], {0: wide})
    assert decisions.liquidatable_isolated([vault(0)], {0: doubtful})
    assert not decisions.liquidatable_cross([ledger(1)], {0: doubtful})
    assert decisions.liquidatable_cross([ledger(0)], {0: doubtful})


def test_nothing_is_liquidated_in_the_settlement_window() -> None:
    ending = replace(state(), price=replace(state().price, settles_at=NOW // 3_600))
    assert not decisions.liquidatable_isolated([vault(0)], {0: ending})
    assert not decisions.liquidatable_cross([ledger(0)], {0: ending})


def test_a_large_vault_keeps_a_part_and_a_small_or_poor_one_nothing() -> None:
    terms = {"penalty": 2_500, "buffer": 200_000}
    large, small = with_terms(state(), **terms), with_terms(state(), partial_above=10**10, **terms)
    # 60 of equity asked for, 45 there: 15 of the 35 that closing all would relieve.
    lots = decisions.closing_size(vault(45 * USD), large)
    assert 0.42 < lots / LOTS < 0.43
    assert decisions.closing_size(vault(45 * USD), small) == LOTS
    assert decisions.closing_size(vault(33 * USD), large) == LOTS


def test_a_vault_is_topped_up_out_of_allowance_and_ledger_or_not_at_all() -> None:
    priced = with_terms(state(), keeper_floor=12_500)
    one = vault(40 * USD)
    one = replace(one, position=replace(one.position, auto_margin=True))
    need = 60 * USD + 12_500
    settings = words.Settings(False, 0, 0, 0, need, 0)
    owner, no_legs = Account(need, 0, 1, 0, 0, 0), Valuation()

    def top_up(**changes: object) -> decisions.TopUp | None:
        given = {"vault": one, "settings": settings, "owner": owner, "legs": no_legs} | changes
        return decisions.top_up_of(state=priced, **given)  # type: ignore[arg-type]

    assert top_up() == decisions.TopUp(60 * USD, 12_500)
    assert top_up(vault=vault(40 * USD)) is None
    assert top_up(settings=replace(settings, long_allowance=need - 1)) is None
    assert top_up(owner=replace(owner, cash=need - 1)) is None
    assert top_up(legs=replace(no_legs, is_firm=False)) is None
    bankrupt = replace(one, position=replace(one.position, margin=0))
    assert top_up(vault=bankrupt) is None


def test_what_is_open_in_a_market_that_is_over_is_settled() -> None:
    over = replace(state(), price=replace(state().price, kind=words.SETTLED))
    holdings = [Holding(ALICE, market, 2, vault(1).position) for market in (1, 0)]
    assert decisions.settleable(holdings, {0: over, 1: state()}) == (holdings[1],)
    assert decisions.settleable(holdings, {0: over, 1: over}) == (holdings[1], holdings[0])
