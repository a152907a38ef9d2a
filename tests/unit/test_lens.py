"""The lens says what the clearinghouse does: its figures, and its prices to the unit."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from bulkhead.protocol import fixed_point, margin_math, market_math, position_math, words
from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.pool import premium
from tests.helpers.protocol import (
    BTC,
    CROSS,
    ETH,
    FRICTIONLESS,
    ISOLATED,
    LONG,
    PPM,
    SHORT,
    SOL,
    USD,
    Protocol,
    Terms,
    position_id,
)

FEMTO = 10**9
NO_PRICE = 2**256 - 1
BIT = 10**8  # lots in a bitcoin
ETHER = 10**7
SUN = 10**5
DEEP = ((0, 5_000, 10_000), (100, 10_000, 20_000), (300, 25_000, 50_000), (900, 50_000, 100_000))
FUNDED = Terms(max_funding_rate=400_000, funding_velocity=2**28 - 1, skew_scale=2 * 10**12)


class Lens:
    """The lens with its answers named."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.contract = Contract(
            "Lens",
            protocol.clearinghouse.address,
            protocol.oracle.address,
            protocol.book.address,
            protocol.pool.address,
        )

    def __getattr__(self, function: str) -> Any:
        outputs = next(e for e in self.contract.abi if e.get("name") == function)["outputs"]

        def ask(*arguments: Any) -> Any:
            answer = self.contract.read(function, *arguments)
            if len(outputs) == 1:
                return named(outputs[0], answer)
            return tuple(map(named, outputs, answer))

        return ask


def named(output: dict[str, Any], value: Any) -> Any:
    kind = output["type"]
    if not kind.startswith("tuple"):
        return value
    if kind != "tuple":
        return [named({**output, "type": "tuple"}, member) for member in value]
    members = output["components"]
    return SimpleNamespace(**{m["name"]: named(m, v) for m, v in zip(members, value, strict=True)})


@pytest.fixture(scope="module")
def world() -> Protocol:
    protocol = Protocol(
        replace(BTC, tiers=DEEP), replace(ETH, terms=FUNDED), replace(SOL, tiers=DEEP)
    )
    for actor in (protocol.trader, protocol.attacker):
        protocol.deposit(actor, 500_000 * USD)
    return protocol


@pytest.fixture(scope="module")
def lenses(world: Protocol) -> Lens:
    return Lens(world)


@pytest.fixture
def protocol(world: Protocol) -> Iterator[Protocol]:
    with world.anchored():
        yield world


@pytest.fixture
def lens(lenses: Lens, protocol: Protocol) -> Lens:
    return lenses


def publish_femto(protocol: Protocol, market: int, price: int) -> None:
    protocol.publish(market, Decimal(price) * protocol.markets[market].lots / 10**15)
    assert protocol.price(market).price == price


def liquidates_at(protocol: Protocol, account: str, market: int, slot: int, price: int) -> bool:
    """Whether a liquidation succeeds if the price becomes this one now."""
    with protocol.anchored():
        publish_femto(protocol, market, price)
        if slot < words.ISOLATED_LONG:
            return bool(protocol.liquidate_cross(account).result)
        return bool(protocol.liquidate_isolated(position_id(account, market, slot)).result)


def check_prices(protocol: Protocol, lens: Lens, account: str, market: int, slot: int) -> Any:
    """The lens's liquidation prices are where liquidations begin, to the unit."""
    advance(1)
    position = lens.position(account, market, slot)
    if position.lower_liquidation_price:
        lower = position.lower_liquidation_price
        assert liquidates_at(protocol, account, market, slot, lower)
        assert not liquidates_at(protocol, account, market, slot, lower + 1)
    if position.upper_liquidation_price != NO_PRICE:
        upper = position.upper_liquidation_price
        assert liquidates_at(protocol, account, market, slot, upper)
        assert not liquidates_at(protocol, account, market, slot, upper - 1)
    return position


def let_funding_run(protocol: Protocol, hours: int) -> None:
    """Time passes under live prices, and nothing touches a market."""
    for _ in range(2 * hours):
        advance(1_800)
        protocol.refresh()


# Liquidation prices


@pytest.mark.parametrize("is_buy", [True, False])
@pytest.mark.parametrize("size", [BIT // 10, 5 * BIT, 30 * BIT])
def test_vault_is_liquidated_from_its_price_on(
    protocol: Protocol, lens: Lens, is_buy: bool, size: int
) -> None:
    protocol.trade(protocol.trader, 0, size, margin_mode=ISOLATED, is_buy=is_buy, leverage=10 * PPM)
    slot = words.ISOLATED_LONG if is_buy else words.ISOLATED_SHORT
    position = check_prices(protocol, lens, protocol.trader, 0, slot)
    assert (position.lower_liquidation_price != 0) == is_buy
    assert (position.upper_liquidation_price != NO_PRICE) != is_buy


@pytest.mark.parametrize("is_buy", [True, False])
def test_funding_that_is_still_to_accrue_moves_the_price(
    protocol: Protocol, lens: Lens, is_buy: bool
) -> None:
    # At a rate that the market has not accrued, the index is a share of the price asked for.
    for mode in (ISOLATED, CROSS):
        protocol.trade(
            protocol.trader, 1, 10 * ETHER, margin_mode=mode, is_buy=is_buy, leverage=5 * PPM
        )
    let_funding_run(protocol, 12)
    assert protocol.accrued(1).funding_index != protocol.market(1).funding_index
    check_prices(protocol, lens, protocol.trader, 1, words.ISOLATED_LONG + (not is_buy))
    check_prices(protocol, lens, protocol.trader, 1, words.CROSS_LONG + (not is_buy))


@pytest.mark.parametrize("is_buy", [True, False])
def test_cross_leg_alone_is_liquidated_from_its_price_on(
    protocol: Protocol, lens: Lens, is_buy: bool
) -> None:
    protocol.trade(protocol.trader, 0, 30 * BIT, is_buy=is_buy)
    check_prices(protocol, lens, protocol.trader, 0, words.CROSS_LONG + (not is_buy))


def test_cross_prices_count_the_other_markets_and_the_escrow(
    protocol: Protocol, lens: Lens
) -> None:
    protocol.trade(protocol.trader, 0, 10 * BIT)
    protocol.trade(protocol.trader, 1, 100 * ETHER, is_buy=False)
    protocol.trade(protocol.trader, 2, 2_000 * SUN)
    protocol.place(protocol.trader, 2, SUN)
    protocol.push_price(1, 2_600)
    protocol.push_price(2, 97)
    for market, slot in ((0, 0), (1, 1), (2, 0)):
        check_prices(protocol, lens, protocol.trader, market, slot)


@pytest.mark.parametrize(
    ("long", "short", "has_lower", "has_upper"),
    [
        (200, 200, False, True),  # what needs margin is dearer where the price is higher
        (300, 100, True, False),
        (100, 300, False, True),
        (100, 97, True, True),
    ],
)
def test_pair_is_liquidated_on_either_side(
    protocol: Protocol, lens: Lens, long: int, short: int, has_lower: bool, has_upper: bool
) -> None:
    hedger = protocol.actor("hedger")
    protocol.clearinghouse.send(hedger, "set_hedge_mode", True)
    protocol.deposit(hedger, 300_000 * USD)
    protocol.trade(hedger, 0, long * BIT // 100, position_side=LONG)
    protocol.trade(hedger, 0, short * BIT // 100, position_side=SHORT, is_buy=False)
    account = lens.accounts([hedger])[0]
    protocol.withdraw(hedger, account.withdrawable)
    position = check_prices(protocol, lens, hedger, 0, words.CROSS_LONG)
    assert (position.lower_liquidation_price != 0) == has_lower
    assert (position.upper_liquidation_price != NO_PRICE) == has_upper
    assert (position.bankruptcy_price == NO_PRICE) == (long == short)


def test_hedged_pair_with_funding_to_accrue(protocol: Protocol, lens: Lens) -> None:
    hedger = protocol.actor("hedger")
    protocol.clearinghouse.send(hedger, "set_hedge_mode", True)
    protocol.deposit(hedger, 30_000 * USD)
    protocol.trade(hedger, 1, 31 * ETHER, position_side=LONG)
    protocol.trade(hedger, 1, 30 * ETHER, position_side=SHORT, is_buy=False)
    let_funding_run(protocol, 12)
    protocol.withdraw(hedger, lens.accounts([hedger])[0].withdrawable * 9 // 10)
    check_prices(protocol, lens, hedger, 1, words.CROSS_SHORT)


# Every figure against the mirror


def mark_of(protocol: Protocol, market: int, price: int | None = None) -> SimpleNamespace:
    """A market as the mirror sees it, at its own or another price."""
    quoted = protocol.price(market)
    at = quoted.price if price is None else price
    return SimpleNamespace(
        price=at,
        index=market_math.accrue_funding(
            protocol.market(market),
            at,
            market_math.live_time(quoted, now()),
        ).funding_index,
        tiers=protocol.tiers(market),
        is_live=quoted.published_at + quoted.max_age >= now(),
        is_fresh=quoted.published_at + quoted.trade_age >= now(),
        taker_fee=protocol.trade_terms(market).taker_fee,
        is_silent=quoted.published_at + quoted.max_age + 3_600 < now(),
    )


def ledger_of(protocol: Protocol, account: str, moved: int = -1, price: int = 0) -> SimpleNamespace:
    """An account's cross ledger, one market perhaps at another price; femto."""
    state = protocol.account(account)
    total = SimpleNamespace(state=state, worth=0, notional=0, initial=0, maintenance=0)
    total.is_firm = total.is_current = True
    for market in range(len(protocol.markets)):
        legs = [protocol.position(account, market, slot) for slot in (0, 1)]
        if not any(leg.size for leg in legs):
            continue
        mark = mark_of(protocol, market, price if market == moved else None)
        worth = sum(
            position_math.value_of(leg, slot == 0, mark.price, mark.index)
            for slot, leg in enumerate(legs)
        )
        if mark.is_silent and market != moved:
            worth = min(worth, 0)
        notional = max(leg.size for leg in legs) * mark.price
        leverage = legs[0].margin if legs[0].size else legs[1].margin
        total.worth += worth
        total.notional += notional
        total.initial += margin_math.initial_margin(notional, leverage, mark.tiers)
        total.initial += unwinding(mark, legs)
        total.maintenance += margin_math.maintenance_margin(notional, mark.tiers)
        total.is_firm &= mark.is_fresh
        total.is_current &= mark.is_fresh or not mark.is_live
    total.equity = (state.cash + state.escrow) * FEMTO + total.worth
    return total


def unwinding(mark: SimpleNamespace, legs: list[words.Position]) -> int:
    """A taker's fee on both legs of the matched part, femto, up."""
    matched = min(leg.size for leg in legs)
    return fixed_point.div_up(2 * matched * mark.price * mark.taker_fee, PPM)


def ratio(part: int, equity: int) -> int:
    if part == 0:
        return 0
    return fixed_point.div_up(part * PPM, equity) if equity > 0 else NO_PRICE


def check_account(protocol: Protocol, seen: Any, account: str) -> None:
    ledger = ledger_of(protocol, account)
    state, cash = ledger.state, ledger.state.cash * FEMTO
    withdrawable = state.cash
    if state.legs:
        withdrawable += fixed_point.quote_down(min(ledger.worth, 0) - ledger.initial)
    assert vars(seen) == {
        "account": account,
        "cash": state.cash,
        "escrow": state.escrow,
        "legs": state.legs.bit_count(),
        "vaults": state.vaults,
        "is_hedge": bool(state.flags & words.FLAG_HEDGE),
        "value": fixed_point.quote_down(ledger.worth),
        "equity": fixed_point.quote_down(ledger.equity),
        "notional": fixed_point.quote_up(ledger.notional),
        "initial_margin": fixed_point.quote_up(ledger.initial),
        "maintenance_margin": fixed_point.quote_up(ledger.maintenance),
        "margin_ratio": ratio(ledger.maintenance, ledger.equity),
        "leverage": ratio(ledger.notional, ledger.equity),
        "free_collateral": fixed_point.quote_down(cash + ledger.worth - ledger.initial),
        "withdrawable": max(withdrawable, 0) if ledger.is_firm else 0,
        "is_firm": ledger.is_firm,
        "is_current": ledger.is_current,
        "is_liquidatable": 0 < ledger.maintenance >= ledger.equity,
    }


def check_position(protocol: Protocol, seen: Any, account: str, market: int, slot: int) -> None:
    position = protocol.position(account, market, slot)
    is_long = slot & 1 == 0
    mark = mark_of(protocol, market)
    notional = position.size * mark.price
    value = position_math.value_of(position, is_long, mark.price, mark.index)
    pnl = position_math.value_of(position, is_long, mark.price, position.funding_index)
    entry = position.entry_notional * FEMTO
    settings = protocol.settings(account, market)

    if slot >= words.ISOLATED_LONG:
        limit = settings.isolated_long_leverage if is_long else settings.isolated_short_leverage
        limit = limit or 10 * PPM  # of who never set one
        initial = margin_math.initial_margin(notional, limit, mark.tiers)
        maintenance = total = margin_math.maintenance_margin(notional, mark.tiers)
        equity, margin, loss = position.margin * FEMTO + value, position.margin, position.margin
        removable = fixed_point.quote_down(margin * FEMTO + min(value, 0) - initial)
    else:
        ledger = ledger_of(protocol, account)
        other = protocol.position(account, market, slot ^ 1)
        limit, margin, removable = position.margin, 0, 0
        initial = maintenance = 0
        if position.size > other.size or (position.size == other.size and is_long):
            leverage = limit if is_long or not other.size else other.margin
            initial = margin_math.initial_margin(notional, leverage, mark.tiers)
            initial += unwinding(mark, [position, other])
            maintenance = margin_math.maintenance_margin(notional, mark.tiers)
        equity, total = ledger.equity, ledger.maintenance
        loss = max(ledger.state.cash + ledger.state.escrow, 0)

    def standing(price: int) -> tuple[int, int]:
        """Equity and maintenance margin if the market's price were this."""
        if slot < words.ISOLATED_LONG:
            moved = ledger_of(protocol, account, market, price)
            return moved.equity, moved.maintenance
        there = mark_of(protocol, market, price)
        return (
            margin * FEMTO + position_math.value_of(position, is_long, price, there.index),
            margin_math.maintenance_margin(position.size * price, there.tiers),
        )

    def is_liquidatable(price: int) -> bool:
        held, due = standing(price)
        return due >= held

    lower, upper = seen.lower_liquidation_price, seen.upper_liquidation_price
    distances = []
    if lower:
        assert is_liquidatable(lower)
        distances.append(max(mark.price - lower, 0) * PPM // mark.price)
    if upper != NO_PRICE:
        assert is_liquidatable(upper)
        distances.append(max(upper - mark.price, 0) * PPM // mark.price)
    if lower + 1 < upper:
        assert lower == words.MAX_PRICE or not is_liquidatable(lower + 1)
        assert upper == NO_PRICE or not is_liquidatable(upper - 1)
    bankruptcy = seen.bankruptcy_price
    if bankruptcy != NO_PRICE and bankruptcy:
        beyond = bankruptcy - 1 if standing(2**60)[0] > standing(0)[0] else bankruptcy + 1
        assert standing(bankruptcy)[0] >= 0 > standing(beyond)[0]

    assert vars(seen) == vars(seen) | {
        "market": market,
        "slot": slot,
        "generation": position.generation,
        "size": position.size,
        "entry_notional": position.entry_notional,
        "entry_price": fixed_point.div_up(entry, position.size)
        if is_long
        else entry // position.size,
        "mark_price": mark.price,
        "notional": fixed_point.quote_up(notional),
        "value": fixed_point.quote_down(value),
        "unrealised_pnl": fixed_point.quote_down(pnl),
        "funding_owed": fixed_point.quote_down(pnl) - fixed_point.quote_down(value),
        "margin": margin,
        "equity": fixed_point.quote_down(equity),
        "leverage": ratio(notional, equity),
        "leverage_limit": limit,
        "initial_margin": fixed_point.quote_up(initial),
        "maintenance_margin": fixed_point.quote_up(maintenance),
        "margin_ratio": ratio(total, equity),
        "distance": min(distances, default=NO_PRICE),
        "max_loss": loss,
        "removable_margin": max(removable, 0) if mark.is_fresh else 0,
        "is_live": mark.is_live,
        "is_fresh": mark.is_fresh,
        "is_liquidatable": 0 < total >= equity,
    }


def wander(protocol: Protocol, random: Random, accounts: list[str]) -> None:
    """One step of a random life: a trade that may be refused, or time, or prices."""
    dice = random.random()
    if dice < 0.7:
        market = random.randrange(3)
        account = random.choice(accounts)
        state = protocol.account(account)
        is_hedge = state.flags & words.FLAG_HEDGE
        protocol.wait(
            market,
            protocol.dollars(market) * random.randint(9_700, 10_300) / 10_000,
        )
        price = protocol.price(market).price
        size = random.randint(1, 150_000) * 10**15 // price + 1
        order = protocol.order(
            account,
            market,
            size,
            is_buy=random.random() < 0.5,
            margin_mode=random.choice((CROSS, ISOLATED)),
            position_side=random.choice((LONG, SHORT)) if is_hedge else 0,
            leverage=random.choice((0, 3 * PPM, 12 * PPM, 50 * PPM)),
        )
        if state.cash < protocol.markets[market].keeper_fee:
            protocol.deposit(account, 5_000 * USD)
        placed = protocol.commit(order)
        protocol.wait(market)
        protocol.book.attempt(protocol.keeper, "execute", placed)
    elif dice < 0.8:
        advance(random.choice((5, 1_000, 2_500, 8_000)))
    else:
        market = random.randrange(3)
        protocol.push_price(
            market, protocol.dollars(market) * random.randint(9_000, 11_000) / 10_000
        )


@pytest.mark.parametrize("seed", range(3))
def test_every_figure_equals_the_mirror(protocol: Protocol, lens: Lens, seed: int) -> None:
    random = Random(f"lens {seed}")
    hedger = protocol.actor("hedger")
    protocol.clearinghouse.send(hedger, "set_hedge_mode", True)
    protocol.deposit(hedger, 20_000 * USD)
    accounts = [protocol.trader, protocol.attacker, hedger]
    for account in accounts[:2]:
        protocol.clearinghouse.send(account, "set_leverage", 0, 20 * PPM, True, True)
        protocol.clearinghouse.send(account, "set_leverage", 1, 8 * PPM, False, True)
    for step in range(30):
        wander(protocol, random, accounts)
        if step % 3:
            continue
        for account, summary in zip(accounts, lens.accounts(accounts), strict=True):
            alone, positions = lens.account(account)
            assert alone == summary
            check_account(protocol, summary, account)
            open_slots = [
                (slot < 2, market, slot)
                for market in range(3)
                for slot in range(4)
                if protocol.position(account, market, slot).size
            ]
            expected = [(m, s) for is_cross, m, s in sorted(open_slots, key=lambda k: not k[0])]
            assert [(p.market, p.slot) for p in positions] == expected
            for position in positions:
                assert position == lens.position(account, position.market, position.slot)
                check_position(protocol, position, account, position.market, position.slot)


def test_what_is_withdrawable_is_what_leaves(protocol: Protocol, lens: Lens) -> None:
    protocol.trade(protocol.trader, 0, 3 * BIT)
    protocol.push_price(0, 49_000)
    amount = lens.accounts([protocol.trader])[0].withdrawable
    with refused("balance: not withdrawable"):
        protocol.withdraw(protocol.trader, amount + 1)
    protocol.withdraw(protocol.trader, amount)
    assert lens.accounts([protocol.trader])[0].withdrawable == 0


def test_removable_margin_is_what_comes_out(protocol: Protocol, lens: Lens) -> None:
    protocol.clearinghouse.send(protocol.trader, "set_leverage", 0, 20 * PPM, True, True)
    protocol.trade(protocol.trader, 0, BIT, margin_mode=ISOLATED, leverage=5 * PPM)
    protocol.push_price(0, 49_500)
    amount = lens.position(protocol.trader, 0, words.ISOLATED_LONG).removable_margin
    remove = (protocol.trader, "remove_margin", 0, True)
    with refused("margin: below initial"):
        protocol.clearinghouse.send(*remove, amount + 1)
    protocol.clearinghouse.send(*remove, amount)
    assert lens.position(protocol.trader, 0, words.ISOLATED_LONG).removable_margin == 0


# Markets and the house


def test_market_shows_terms_tiers_and_what_is_owed(protocol: Protocol, lens: Lens) -> None:
    protocol.trade(protocol.trader, 1, 100 * ETHER)
    protocol.trade(protocol.attacker, 1, 30 * ETHER, is_buy=False)
    protocol.push_price(1, 2_700)
    advance(50)
    seen = lens.market(1)
    market, price = protocol.accrued(1), protocol.price(1)
    sides = [protocol.side(1, is_long) for is_long in (True, False)]
    owed = [
        fixed_point.signed_div_up(
            market_math.side_value(side, is_long, price.price, market.funding_index), FEMTO
        )
        for side, is_long in zip(sides, (True, False), strict=True)
    ]
    assert (seen.symbol, seen.lot_size, seen.status) == ("ETH-PERP", 10**11, 0)
    assert vars(seen.terms) == {name: getattr(FUNDED, name) for name in vars(seen.terms)}
    assert [(t.floor, t.maintenance_rate, t.initial_rate) for t in seen.tiers] == list(
        protocol.markets[1].tiers
    )
    assert (seen.price, seen.published_at, seen.age) == (price.price, price.published_at, 50)
    assert (seen.trade_age, seen.max_age, seen.silence) == (60, 3_600, price.silence)
    assert (seen.is_live, seen.is_fresh) == (True, True)
    assert (seen.funding_index, seen.funding_rate, seen.funding_drift) == (
        market.funding_index,
        market.funding_rate,
        market.funding_drift,
    )
    assert (seen.long_size, seen.short_size, seen.skew) == (
        100 * ETHER,
        30 * ETHER,
        70 * ETHER,
    )
    assert (seen.long_notional, seen.short_notional) == (270_000 * USD, 81_000 * USD)
    assert [seen.owed_to_longs, seen.owed_to_shorts] == owed
    assert (seen.keeper_fee, seen.order_delay, seen.order_window) == (USD // 5, 2, 60)
    assert not seen.is_opening_stopped
    protocol.clearinghouse.send(protocol.guardian, "stop_opening", True)
    protocol.clearinghouse.send(protocol.guardian, "set_status", 1, 1)
    assert lens.market(1).is_opening_stopped
    assert lens.market(1).status == 1


def test_price_grows_stale_then_silent(protocol: Protocol, lens: Lens) -> None:
    protocol.push_price(0, 50_000)
    advance(61)
    assert (lens.market(0).is_live, lens.market(0).is_fresh) == (True, False)
    advance(3_540)
    assert (lens.market(0).is_live, lens.market(0).is_fresh) == (False, False)


@pytest.mark.parametrize(
    "terms",
    [
        FRICTIONLESS,
        replace(FRICTIONLESS, skew_scale=10**12),  # the skew's cap binds
        replace(FRICTIONLESS, skew_scale=10**12, skew_cap=1_250),  # the side's cap binds
        replace(FRICTIONLESS, pool_share=100),  # the reserve binds
    ],
)
@pytest.mark.parametrize("skewed", [0, 3])
def test_what_is_buyable_can_be_bought(terms: Terms, skewed: int) -> None:
    protocol = Protocol(replace(BTC, terms=terms, tiers=((0, 5_000, 10_000),)))
    lens = Lens(protocol)
    for account in (protocol.trader, protocol.attacker):
        protocol.deposit(account, 10**7 * USD)
    if skewed:
        protocol.trade(protocol.attacker, 0, skewed * BIT // 1000, is_buy=False)
    for is_buy in (True, False):
        seen = lens.market(0)
        room = seen.buyable if is_buy else seen.sellable
        if room * seen.price > 10**9 * 10**15:
            continue  # more than the trader can carry
        for size, status in ((room + 1, 3), (room, 2)):
            with protocol.anchored():
                order = protocol.place(protocol.trader, 0, size, is_buy=is_buy)
                assert protocol.fill(order).result == status


def test_markets_are_paged(protocol: Protocol, lens: Lens) -> None:
    count, page = lens.markets(0)
    assert count == 3
    assert [(m.market, m.symbol) for m in page] == [
        (0, "BTC-PERP"),
        (1, "ETH-PERP"),
        (2, "SOL-PERP"),
    ]
    assert [m.market for m in lens.markets(2)[1]] == [2]
    assert lens.markets(3) == (3, [])
    assert lens.markets(2**256 - 1) == (3, [])


def test_house_shows_the_pool(protocol: Protocol, lens: Lens) -> None:
    protocol.trade(protocol.trader, 0, BIT)
    protocol.push_price(0, 51_000)
    house, seen = protocol.house(), lens.house()
    assert (seen.pool_cash, seen.insurance, seen.fees) == (
        house.pool_cash,
        house.insurance,
        house.fees,
    )
    owed = fixed_point.FEMTO * house.pool_cash - protocol.value(protocol.trader, 0, 0)
    assert seen.pool_equity == fixed_point.quote_down(owed)
    assert seen.pool_premium == fixed_point.quote_up(premium(protocol)) > 0
    assert seen.pool_shares == protocol.pool.read("totalSupply")
    assert seen.is_live


# Bad input


def test_unknown_market_is_refused(protocol: Protocol, lens: Lens) -> None:
    for market in (3, 64, 1_024, 2**256 - 1):
        with refused("market: unknown"):
            lens.market(market)
        with refused("market: unknown"):
            lens.position(protocol.trader, market, 0)


def test_unknown_slot_is_refused(protocol: Protocol, lens: Lens) -> None:
    for slot in (4, 2**256 - 1):
        with refused("slot: unknown"):
            lens.position(protocol.trader, 0, slot)


def test_account_nobody_used_is_empty(lens: Lens) -> None:
    account, positions = lens.account("0x" + "0" * 40)
    assert positions == []
    assert (account.equity, account.margin_ratio, account.is_liquidatable) == (0, 0, False)


def test_closed_slot_shows_its_generation(protocol: Protocol, lens: Lens) -> None:
    for mode, slot in ((CROSS, 0), (ISOLATED, 2)):
        protocol.trade(protocol.trader, 0, BIT, margin_mode=mode)
        protocol.trade(protocol.trader, 0, BIT, margin_mode=mode, is_buy=False)
        seen = lens.position(protocol.trader, 0, slot)
        assert (seen.size, seen.generation, seen.bankruptcy_price) == (0, 1, NO_PRICE)
        assert (seen.lower_liquidation_price, seen.upper_liquidation_price) == (0, NO_PRICE)
