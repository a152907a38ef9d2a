"""How others lost money, tried here."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bulkhead.protocol import words
from bulkhead.protocol.words import ISOLATED_LONG, ISOLATED_SHORT
from tests.helpers.chain import advance, refused
from tests.helpers.protocol import (
    BTC,
    COOLDOWN,
    EXECUTED,
    FRICTIONLESS,
    ISOLATED,
    LIMIT,
    PPM,
    USD,
    Protocol,
    Terms,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
CAP = 10**9  # lots, the largest skew of the thin market: 500,000 USD
DAY = 86_400


@pytest.fixture(scope="module")
def worlds() -> Protocol:
    """A thin market, where a trade moves its own price, and one without fees."""
    free = replace(FRICTIONLESS, funding_velocity=9 * 10**6, max_funding_rate=10_000)
    return Protocol(
        replace(BTC, terms=Terms(skew_scale=10**12)),
        replace(BTC, symbol="FREE-PERP", terms=free, keeper_fee=0),
    )


@pytest.fixture
def protocol(worlds: Protocol) -> Iterator[Protocol]:
    with worlds.anchored():
        for account in (worlds.trader, worlds.attacker):
            worlds.deposit(account, 100_000 * USD)
        yield worlds
        worlds.check_invariants()


def test_gmx_2022_size_is_not_free_and_ends_at_a_cap(protocol: Protocol, attacker: str) -> None:
    """In September 2022 somebody opened millions of AVAX on GMX at the oracle's price, however
    large, and moved the price on the venues that the oracle read: about 565,000 USD. Here a
    trade pays for the skew it makes, and the skew has a cap that the pool's share backs.
    """
    protocol.trade(attacker, 0, CAP)
    before = protocol.position(attacker, 0, 0)
    premium = before.entry_notional - 500_000 * USD
    assert premium == 250 * USD  # half of the largest premium, 0.1 %
    more = protocol.fill(protocol.place(attacker, 0, CAP // 10))
    assert more.event("OrderCancelled").reason in ("cap: skew", "cap: open interest")
    # Moving the price by less than what the trade there and back costs wins nothing.
    protocol.trade(attacker, 0, 0, "50030", is_buy=False, reduce_only=True)
    assert protocol.cash(attacker) < 100_000 * USD


def test_gmx_2025_no_position_changes_without_its_side(protocol: Protocol, attacker: str) -> None:
    """In July 2025 a contract that GMX v1 paid a refund to came back into its vault, past the
    contract that kept the average price of all shorts. What the pool was worth was reckoned from
    that price: 42 million USD left with shares sold too dear. Here a position and its side are
    stored by the same call, only the order book trades, and no order pays anybody ETH. (What
    calls inside calls can do: tests/unit/attacks/test_reentrancy.py.)
    """
    shares = protocol.pool.send(attacker, "deposit", 10_000 * USD, attacker).result
    worth = protocol.pool.read("convertToAssets", shares)
    for _ in range(5):
        protocol.trade(attacker, 1, LOTS, is_buy=False)
        side, position = protocol.side(1, False), protocol.position(attacker, 1, 1)
        assert (side.size, side.basis) == (
            position.size,
            position.entry_notional * 10**9 - position.size * position.funding_index,
        )
        assert abs(protocol.pool.read("convertToAssets", shares) - worth) <= 1
        protocol.trade(attacker, 1, 0, reduce_only=True)
    with pytest.raises(AssertionError, match="caller: not allowed"):
        protocol.clearinghouse.send(attacker, "release_escrow", attacker, attacker, USD)


def test_mango_2022_profit_that_is_not_realised_leaves_nowhere(
    protocol: Protocol, attacker: str, trader: str
) -> None:
    """In October 2022 one person was both sides of a MNGO perpetual, drove the price up some
    tenfold, and borrowed 110 million USD against the long's unrealised profit. Here profit
    backs positions, and neither leaves the ledger nor becomes a vault's margin.
    """
    protocol.withdraw(attacker, protocol.cash(attacker) - 10_000 * USD)
    protocol.trade(attacker, 1, 10 * LOTS)
    protocol.trade(trader, 1, 10 * LOTS, is_buy=False)
    protocol.push_price(1, 140_000)
    protocol.publish(0, 50_000)
    assert protocol.value(attacker, 1, 0) > 80_000 * USD * 10**9
    with refused("balance: not withdrawable"):
        protocol.withdraw(attacker, 10_000 * USD)
    with refused("balance: not withdrawable"):
        protocol.clearinghouse.send(attacker, "convert_position", 1, True, True, 15_000 * USD)
    order = protocol.place(attacker, 0, 5 * LOTS, margin_mode=ISOLATED, margin=20_000 * USD)
    receipt = protocol.fill(order)
    assert receipt.event("OrderCancelled").reason == "balance: not withdrawable"


def test_hyperliquid_2025_nobody_leaves_the_pool_his_short(
    protocol: Protocol, attacker: str, trader: str
) -> None:
    """In March 2025 somebody was long and short JELLY, took the margin from under his short so
    that the liquidity pool had to take it over, and drove the price up fourfold: the pool's
    open loss reached some 12 million USD. Here margin stays at initial margin, a liquidation
    closes at the mark and leaves nobody a position, and what the long may win of the pool ends at
    the market's share of it.
    """
    protocol.trade(attacker, 0, CAP // 2, is_buy=False, margin_mode=ISOLATED)
    protocol.trade(trader, 0, CAP // 2, margin_mode=ISOLATED)
    with refused("margin: below initial"):
        protocol.clearinghouse.send(attacker, "remove_margin", 0, False, 25_000 * USD)
    protocol.push_price(0, 200_000)
    protocol.publish(1, 50_000)
    protocol.liquidate_isolated(position_id(attacker, 0, ISOLATED_SHORT))
    assert protocol.side(0, False).size == 0
    share = protocol.house().pool_cash * protocol.trade_terms(0).pool_share // PPM
    vault = position_id(trader, 0, ISOLATED_LONG)
    while protocol.clearinghouse.attempt(trader, "auto_deleverage", 0, [vault]).result:
        pass
    assert protocol.value(trader, 0, ISOLATED_LONG) <= share * 10**9


def test_october_2025_a_liquidation_causes_no_other(protocol: Protocol) -> None:
    """On 10 October 2025 some 19 billion USD of positions were liquidated within a day: forced
    sales moved the prices that the next accounts were judged by, and collateral was priced on the
    venue that was selling it. Here liquidations fill at the oracle's price and cannot move it, and
    the only collateral is the token that everything is counted in.
    """
    accounts = [protocol.actor(f"levered {i}") for i in range(8)]
    for step, account in enumerate(accounts):
        protocol.deposit(account, 10_000 * USD)
        margin = (200 + 20 * step) * USD
        protocol.trade(account, 1, LOTS, margin_mode=ISOLATED, margin=margin)
    ids = [position_id(account, 1, ISOLATED_LONG) for account in accounts]
    protocol.push_price(1, 47_700)
    price = protocol.price(1)
    due = 0
    for vault in ids:
        with protocol.anchored():
            due += protocol.liquidate_isolated(vault).result
    assert 0 < due < len(ids)
    assert protocol.liquidate_isolated(*ids).result == due
    assert protocol.liquidate_isolated(*ids).result == 0
    assert protocol.price(1) == price


def test_velar_small_rates_are_not_rounded_away(protocol: Protocol, trader: str) -> None:
    """An audit of Velar in 2024 (its H-1) found rates counted in so few digits, per block, that
    small ones came to nothing: the more often fees were brought up to date, the less was paid.
    Here a rate has twelve digits, the index is undivided, and who touches a market changes nothing.
    """
    protocol.trade(trader, 1, LOTS // 10)

    def owed(touches: int) -> int:
        with protocol.anchored():
            for _ in range(touches):
                advance(DAY // touches)
                protocol.publish(1, 50_000)
                protocol.set_terms(1)
            return -protocol.value(trader, 1, 0)

    once, often = owed(24), owed(720)
    assert once > 0
    assert abs(once - often) <= 720 * LOTS


def test_velar_nobody_gets_his_own_fees_back_as_a_provider(
    protocol: Protocol, attacker: str
) -> None:
    """The same audit's H-2: what a position owed reached the share price only as it was closed, so
    its owner bought shares before, sold them after, and had his fees and losses back. Here what
    traders owe is in the share price from the first second, and shares leave by request.
    """
    protocol.trade(attacker, 1, 10 * LOTS)
    advance(DAY // 24)
    protocol.push_price(1, 48_000)
    protocol.publish(0, 50_000)
    paid = 10**6 * USD
    shares = protocol.pool.send(attacker, "deposit", paid, attacker).result
    receipt = protocol.trade(attacker, 1, 0, is_buy=False, reduce_only=True)
    assert receipt.event("PositionDecreased").realised < -2_000 * USD
    assert protocol.pool.read("convertToAssets", shares) <= paid


def test_velar_what_one_side_pays_the_other_gets(
    protocol: Protocol, trader: str, attacker: str
) -> None:
    """It kept four sums, of what either side had paid and had received. Here both sides have one
    index, and the pool takes what they do not match.
    """
    protocol.trade(trader, 1, 3 * LOTS)
    protocol.trade(attacker, 1, LOTS, is_buy=False)
    held = {one: protocol.cash(one) for one in (trader, attacker)}
    pool_cash = protocol.house().pool_cash
    for _ in range(48):
        advance(1_800)
        protocol.publish(1, 50_000)
        protocol.publish(0, 50_000)
    protocol.trade(attacker, 1, 0, reduce_only=True)
    protocol.trade(trader, 1, 0, is_buy=False, reduce_only=True)
    paid = held[trader] - protocol.cash(trader)
    received = protocol.cash(attacker) - held[attacker]
    assert paid > received > 0
    assert paid == received + protocol.house().pool_cash - pool_cash


@pytest.mark.parametrize("first", [0, 1])
def test_elfi_a_ledger_is_one_sum_whatever_is_closed_first(
    protocol: Protocol, trader: str, first: int
) -> None:
    """An audit of ELFI in 2024 found several ways in which what a cross account held, had borrowed
    and had lent to each position drifted apart as positions were closed. Here an account has one
    number for its cash, no leg has a part of it, and realising a leg adds what it was worth.
    """
    protocol.trade(trader, 1, 4 * LOTS)
    protocol.trade(trader, 0, LOTS, is_buy=False)
    protocol.push_price(1, 48_000)
    protocol.publish(0, 45_000)
    cash = protocol.cash(trader)
    for market in (first, 1 - first):
        receipt = protocol.trade(
            trader, market, 0, is_buy=market == 0, reduce_only=True, dollars=None
        )
        event = receipt.event("PositionDecreased")
        fee = protocol.markets[market].keeper_fee
        cash += event.realised - event.fee - fee
        assert protocol.cash(trader) == cash
    state = protocol.account(trader)
    assert (state.legs, state.escrow) == (0, 0)
    protocol.withdraw(trader, cash)


def test_drift_an_account_that_recovers_is_as_it_was(protocol: Protocol, trader: str) -> None:
    """Exchanges that mark an account as being liquidated, Drift among them, had accounts that kept
    the mark once they were healthy or flat, and could not trade or withdraw. Here nothing is
    stored: whether an account is liquidatable is asked of its words and the price.
    """
    protocol.withdraw(trader, protocol.cash(trader) - 1_000 * USD)
    protocol.trade(trader, 1, 4 * LOTS)
    before = protocol.account(trader)
    protocol.push_price(1, 47_700)
    with protocol.anchored():
        assert protocol.liquidate_cross(trader).result == 1
    protocol.push_price(1, 50_000)
    assert protocol.liquidate_cross(trader).result == 0
    assert protocol.account(trader) == before
    protocol.trade(trader, 1, 0, is_buy=False, reduce_only=True)
    protocol.withdraw(trader, protocol.cash(trader))

    # Nor after a liquidation.
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 1, 4 * LOTS)
    protocol.push_price(1, 47_700)
    assert protocol.liquidate_cross(trader).result == 1
    assert 0 < protocol.position(trader, 1, 0).size < 4 * LOTS
    protocol.deposit(trader, 1_000 * USD)
    protocol.trade(trader, 1, LOTS)
    protocol.trade(trader, 1, 0, is_buy=False, reduce_only=True)
    protocol.withdraw(trader, protocol.cash(trader))
    assert protocol.account(trader) == words.unpack_account(0)


def test_synthetix_nobody_fills_at_a_price_he_has_seen(protocol: Protocol, attacker: str) -> None:
    """From 2019 on, traders of Synthetix saw a price on its way to the oracle and traded at the
    one before it; fees, locks and waiting periods followed one another. Here an order is
    committed first and fills at a price published after that and the market's delay.
    """
    fields = {"kind": LIMIT, "acceptable_price": protocol.femto(1, 60_000)}
    order = protocol.place(attacker, 1, LOTS, **fields)
    with refused("price: too early"):
        protocol.execute(order)
    advance(1)
    protocol.publish(1, 51_000)  # seen before its delay was over
    with refused("price: too early"):
        protocol.execute(order)
    receipt = protocol.fill(order, 52_000)
    assert receipt.result == EXECUTED
    assert receipt.event("PositionIncreased").price == protocol.femto(1, 52_000)


def test_a_provider_cannot_choose_when_he_leaves(
    protocol: Protocol, liquidity_provider: str
) -> None:
    """The same, of shares: a request is fixed at the first price after its maturity, by anyone."""
    shares = 10**12
    number = protocol.pool.send(
        liquidity_provider, "requestRedeem", shares, liquidity_provider, liquidity_provider
    ).result
    with refused("request: not mature"):
        protocol.pool.send(liquidity_provider, "fix", number)
    advance(COOLDOWN)
    protocol.pool.send(protocol.attacker, "fix", number)
    with refused("request: unknown"):
        protocol.pool.send(liquidity_provider, "fix", number)
