"""The share token: entering at once, leaving by request, and what a share is worth meanwhile."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from bulkhead.protocol import words
from tests.helpers.chain import Contract, Receipt, advance, now, refused
from tests.helpers.doctored import doctor_house
from tests.helpers.pool import (
    VIRTUAL,
    is_no_lower,
    is_rounded_from,
    price_at_exit,
    price_of_share,
)
from tests.helpers.protocol import BTC, COOLDOWN, PLENTY, PPM, USD, Protocol

DAY = 86_400
REWARD = USD // 10
LOTS = 10**7  # 0.1 BTC, 5,000 USD
NOBODY = "0x" + "00" * 20


@pytest.fixture(scope="module")
def bare() -> Protocol:
    """One market, nothing in the pool."""
    return Protocol(BTC, pool_cash=0, insurance=0)


@pytest.fixture
def empty(bare: Protocol) -> Iterator[Protocol]:
    with bare.anchored() as protocol:
        yield protocol
        protocol.check_invariants()


def shares_of(protocol: Protocol, account: str) -> int:
    return int(protocol.pool.read("balanceOf", account))


def enter(protocol: Protocol, account: str, amount: int) -> int:
    return int(protocol.pool.send(account, "deposit", protocol.tokens(amount), account).result)


def request(protocol: Protocol, account: str, shares: int, controller: str | None = None) -> int:
    return int(
        protocol.pool.send(account, "requestRedeem", shares, controller or account, account).result
    )


def fix(protocol: Protocol, number: int, fixer: str | None = None) -> Receipt:
    return protocol.pool.send(fixer or protocol.keeper, "fix", number)


def leave(protocol: Protocol, account: str, shares: int) -> int:
    """Request, wait, fix. Returns what may be claimed, in token units."""
    number = request(protocol, account, shares)
    advance(COOLDOWN)
    protocol.refresh()
    return int(fix(protocol, number).result)


@pytest.mark.parametrize("cooldown", [0, 30 * DAY + 1, 2**256 - 1])
def test_a_cooldown_is_a_second_to_thirty_days(bare: Protocol, cooldown: int) -> None:
    core = (bare.clearinghouse.address, bare.token.address, bare.oracle.address)
    with refused("pool: bad cooldown"):
        Contract("LiquidityPool", *core, cooldown)
    for bound in (1, 30 * DAY):
        assert Contract("LiquidityPool", *core, bound).read("COOLDOWN") == bound


# Entering


def test_the_first_deposit_gets_a_million_shares_a_quote_unit(empty: Protocol, trader: str) -> None:
    before = empty.balance(trader)
    assert empty.pool.read("maxDeposit", trader) == words.MAX_CASH
    receipt = empty.pool.send(empty.trader, "deposit", 1_000 * USD, empty.attacker)
    assert receipt.result == 1_000 * USD * VIRTUAL == shares_of(empty, empty.attacker)
    event = receipt.event("Deposit")
    assert (event.sender, event.owner) == (empty.trader, empty.attacker)
    assert (event.assets, event.shares) == (1_000 * USD, receipt.result)
    assert empty.balance(trader) == before - 1_000 * USD
    assert empty.house().pool_cash == 1_000 * USD
    assert empty.pool.read("totalAssets") == 1_000 * USD


@pytest.fixture
def earning(protocol: Protocol, trader: str) -> Protocol:
    """A pool that has earned fees, and owes a trader: its shares are worth an odd amount."""
    protocol.deposit(trader, 10_000 * USD)
    protocol.trade(trader, 0, 3 * LOTS + 7)
    protocol.push_price(0, "50_123.45678")
    return protocol


@pytest.mark.parametrize("amount", [1, 3, 999_999, 1_234_567_891])
def test_shares_are_minted_down_and_assets_taken_up(
    earning: Protocol, attacker: str, amount: int
) -> None:
    value, shares = price_of_share(earning)
    upper = -(-(value - 10**9) // 10**9)
    preview = earning.pool.read("previewDeposit", amount)
    with earning.anchored():
        minted = enter(earning, attacker, amount)
        assert minted == preview == amount * shares // (upper + 1)
        assert is_no_lower(price_of_share(earning), (value, shares))
    wanted = minted + 1
    cost = earning.pool.read("previewMint", wanted)
    before = earning.balance(attacker)
    assert earning.pool.send(attacker, "mint", wanted, attacker).result == cost
    assert cost == -(-wanted * (upper + 1) // shares) == before - earning.balance(attacker)
    assert cost * shares >= wanted * (upper + 1)
    assert shares_of(earning, attacker) == wanted
    assert is_no_lower(price_of_share(earning), (value, shares))


@pytest.mark.parametrize(
    ("verb", "amount", "reason"),
    [
        ("deposit", 0, "amount: zero"),
        ("deposit", 2**62 + 1, "amount: too large"),
        ("deposit", 2**256 - 1, "amount: too large"),
        ("mint", 0, "amount: zero"),
        ("mint", 2**128, "shares: too many"),
        ("mint", 2**256 - 1, "shares: too many"),
    ],
)
def test_a_bad_amount_is_refused(
    protocol: Protocol, trader: str, verb: str, amount: int, reason: str
) -> None:
    with refused(reason):
        protocol.pool.send(trader, verb, amount, trader)


def test_what_is_worth_no_share_is_refused() -> None:
    """A pool that earned after all had left: ten units are less than a share."""
    protocol = Protocol(BTC, pool_cash=0, insurance=10 * USD)
    doctor_house(protocol, pool_cash=10 * USD, insurance=0)
    with refused("shares: zero"):
        enter(protocol, protocol.trader, 10)
    assert enter(protocol, protocol.trader, 11) == 1
    protocol.check_invariants()


def test_a_donation_changes_no_share_price(empty: Protocol, attacker: str) -> None:
    enter(empty, empty.trader, 1_000 * USD)
    before = price_of_share(empty)
    for target in (empty.pool.address, empty.clearinghouse.address):
        with empty.anchored():
            empty.token.send(attacker, "transfer", target, PLENTY)
            assert price_of_share(empty) == before
            assert empty.pool.read("totalAssets") == 1_000 * USD


def test_the_first_depositor_can_not_inflate_a_share(empty: Protocol, attacker: str) -> None:
    """One unit, then a large gift by way of a payment to the pool's account: still no theft."""
    enter(empty, attacker, 1)
    empty.token.send(attacker, "transfer", empty.pool.address, PLENTY)
    empty.deposit(empty.pool.address, PLENTY, payer=attacker)
    shares = enter(empty, empty.trader, 1_000 * USD)
    assert shares == 1_000 * USD * VIRTUAL
    assert empty.pool.read("convertToAssets", shares) == 1_000 * USD
    assert empty.pool.read("convertToAssets", shares_of(empty, attacker)) == 1


# Requests


def test_a_request_takes_the_shares_and_tells_when_it_matures(
    protocol: Protocol, liquidity_provider: str, trader: str
) -> None:
    before = shares_of(protocol, liquidity_provider)
    receipt = protocol.pool.send(
        liquidity_provider, "requestRedeem", 10**12, trader, liquidity_provider
    )
    number = receipt.result
    event = receipt.event("RedeemRequest")
    assert (event.controller, event.owner) == (trader, liquidity_provider)
    assert (event.request_id, event.sender, event.shares) == (number, liquidity_provider, 10**12)
    assert protocol.pool.read("request", number) == (trader, 10**12, now() + COOLDOWN)
    assert protocol.pool.read("pendingRedeemRequest", number, trader) == 10**12
    assert protocol.pool.read("pendingRedeemRequest", number, liquidity_provider) == 0
    assert shares_of(protocol, liquidity_provider) == before - 10**12
    assert shares_of(protocol, protocol.pool.address) == 10**12


def test_an_exit_that_is_worth_nothing_needs_no_cash(
    protocol: Protocol, liquidity_provider: str, trader: str, attacker: str
) -> None:
    for account in (trader, attacker):
        protocol.deposit(account, 5_000 * USD)
    protocol.trade(trader, 0, LOTS)
    protocol.trade(attacker, 0, LOTS, 45_000, is_buy=False)  # no skew, and 500 that traders owe
    number = request(protocol, liquidity_provider, 1)
    advance(COOLDOWN)
    protocol.push_price(0, 45_000)
    house = protocol.house()
    doctor_house(protocol, pool_cash=0, insurance=house.insurance + house.pool_cash)
    assert fix(protocol, number).result == 0
    assert protocol.pool.read("claimableRedeemRequest", number, liquidity_provider) == 1


def test_only_owner_operator_and_allowance_request(
    protocol: Protocol, liquidity_provider: str, trader: str, attacker: str
) -> None:
    pool = protocol.pool
    arguments = (10**12, attacker, liquidity_provider)
    with refused("erc20: insufficient allowance"):
        pool.send(attacker, "requestRedeem", *arguments)
    pool.send(liquidity_provider, "approve", attacker, 10**12)
    pool.send(attacker, "requestRedeem", *arguments)
    assert pool.read("allowance", liquidity_provider, attacker) == 0
    with refused("erc20: insufficient allowance"):
        pool.send(attacker, "requestRedeem", *arguments)
    receipt = pool.send(liquidity_provider, "setOperator", trader, True)
    assert receipt.result is True
    event = receipt.event("OperatorSet")
    assert (event.controller, event.operator, event.approved) == (liquidity_provider, trader, True)
    assert pool.read("isOperator", liquidity_provider, trader) is True
    pool.send(trader, "requestRedeem", *arguments)
    pool.send(liquidity_provider, "setOperator", trader, False)
    with refused("erc20: insufficient allowance"):
        pool.send(trader, "requestRedeem", *arguments)
    with refused("operator: bad address"):
        pool.send(trader, "setOperator", trader, True)


@pytest.mark.parametrize(
    ("shares", "controller", "reason"),
    [
        (0, None, "shares: zero"),
        (1, NOBODY, "controller: zero"),
        (2**256 - 1, None, "erc20: transfer amount exceeds balance"),
    ],
)
def test_a_bad_request_is_refused(
    protocol: Protocol, liquidity_provider: str, shares: int, controller: str | None, reason: str
) -> None:
    with refused(reason):
        request(protocol, liquidity_provider, shares, controller)


# Fixing


def test_a_request_is_fixed_from_its_maturity_on(
    protocol: Protocol, liquidity_provider: str
) -> None:
    with refused("request: unknown"):
        fix(protocol, 1)
    number = request(protocol, liquidity_provider, 10**12)
    advance(COOLDOWN - 1)
    with refused("request: not mature"):
        fix(protocol, number)
    advance(1)
    fix(protocol, number)
    with refused("request: unknown"):
        fix(protocol, number)


def test_a_request_is_fixed_at_a_price_published_at_maturity_or_later(
    earning: Protocol, liquidity_provider: str
) -> None:
    number = request(earning, liquidity_provider, 10**15)
    advance(COOLDOWN - 1)
    earning.publish(0, 50_000)
    advance(1)
    with refused("price: before maturity"):
        fix(earning, number)
    earning.publish(0, 50_000)
    assert earning.price(0).published_at == now()
    fix(earning, number)


def test_fixing_pays_at_the_lower_edge_down_and_its_caller(
    earning: Protocol, liquidity_provider: str, attacker: str
) -> None:
    shares = 123_456_789_012_345_678
    number = request(earning, liquidity_provider, shares)
    advance(COOLDOWN)
    earning.push_price(0, "50_050.5")
    value, supply = price_at_exit(earning)
    quote = shares * ((value - 10**9) // 10**9 + 1) // supply
    cash, before = earning.house().pool_cash, earning.balance(attacker)

    receipt = fix(earning, number, attacker)

    assert receipt.result == quote - REWARD
    event = receipt.event("RedeemFixed")
    assert (event.controller, event.request_id, event.fixer) == (
        liquidity_provider,
        number,
        attacker,
    )
    assert (event.assets, event.reward) == (quote - REWARD, REWARD)
    assert earning.house().pool_cash == cash - quote
    assert earning.balance(attacker) == before + REWARD
    assert earning.cash(earning.pool.address) == quote - REWARD
    assert earning.pool.read("claimableRedeemRequest", number, liquidity_provider) == shares
    assert earning.pool.read("pendingRedeemRequest", number, liquidity_provider) == 0
    assert earning.pool.read("totalSupply") + VIRTUAL == supply - shares
    assert is_no_lower(price_of_share(earning), (value, supply))


@pytest.mark.parametrize(("quote", "reward"), [(0, 0), (1, 0), (3, 1), (200_001, REWARD)])
def test_the_reward_is_at_most_half_of_a_small_claim(
    empty: Protocol, quote: int, reward: int
) -> None:
    enter(empty, empty.trader, 1_000 * USD)
    number = request(empty, empty.trader, max(quote * VIRTUAL, 1))
    advance(COOLDOWN)
    assert fix(empty, number).result == quote - reward


def test_the_reserve_stays_in_the_pool(
    protocol: Protocol, trader: str, liquidity_provider: str
) -> None:
    protocol.deposit(trader, PLENTY)
    protocol.trade(trader, 0, 6 * 10**9, leverage=5 * PPM)  # 3,000,000 USD of skew
    reserve = 4_500_000 * USD  # 3,000,000 * reserve rate / pool share
    number = request(protocol, liquidity_provider, PLENTY // 2 * VIRTUAL)
    advance(COOLDOWN)
    protocol.push_price(0, 50_000)
    with protocol.anchored():
        fix(protocol, number)
        assert protocol.house().pool_cash >= reserve
    more = request(protocol, liquidity_provider, PLENTY // 100 * VIRTUAL)
    advance(COOLDOWN)
    protocol.push_price(0, 50_000)
    fix(protocol, number)
    with refused("pool: reserve"):
        fix(protocol, more)
    protocol.trade(trader, 0, 0, is_buy=False, reduce_only=True)
    fix(protocol, more)


# Lapsing


def test_a_request_unfixed_for_a_day_lapses_to_its_controller(
    protocol: Protocol, liquidity_provider: str, trader: str, attacker: str
) -> None:
    number = request(protocol, liquidity_provider, 10**12, trader)
    advance(COOLDOWN + DAY)
    with refused("request: not lapsed"):
        protocol.pool.send(attacker, "lapse", number)
    with protocol.anchored():
        fix(protocol, number)
    advance(1)
    with refused("request: lapsed"):
        fix(protocol, number)
    event = protocol.pool.send(attacker, "lapse", number).event("RedeemLapsed")
    assert (event.controller, event.request_id, event.shares) == (trader, number, 10**12)
    assert shares_of(protocol, trader) == 10**12
    assert shares_of(protocol, protocol.pool.address) == 0
    with refused("request: unknown"):
        protocol.pool.send(attacker, "lapse", number)


# Claiming


def test_claims_are_exact_to_the_last_unit(
    protocol: Protocol, liquidity_provider: str, trader: str
) -> None:
    pool, random = protocol.pool, Random(5)
    assets = leave(protocol, liquidity_provider, 987_654_321_987)
    shares = pool.read("maxRedeem", liquidity_provider)
    assert (shares, pool.read("maxWithdraw", liquidity_provider)) == (987_654_321_987, assets)
    before, taken = protocol.balance(trader), 0
    for _ in range(5):
        left = pool.read("maxRedeem", liquidity_provider)
        arguments = (random.randint(1, left // 2), trader, liquidity_provider)
        receipt = pool.send(liquidity_provider, "redeem", *arguments)
        event = receipt.event("Withdraw")
        assert (event.receiver, event.owner, event.assets) == (
            trader,
            liquidity_provider,
            receipt.result,
        )
        taken += receipt.result
        some = random.randint(1, pool.read("maxWithdraw", liquidity_provider) // 2)
        pool.send(liquidity_provider, "withdraw", some, trader, liquidity_provider)
        taken += some
    left = pool.read("maxRedeem", liquidity_provider)
    taken += pool.send(liquidity_provider, "redeem", left, trader, liquidity_provider).result
    assert taken == assets == protocol.balance(trader) - before
    assert pool.read("maxRedeem", liquidity_provider) == 0
    assert pool.read("maxWithdraw", liquidity_provider) == 0
    assert protocol.cash(pool.address) == 0


def test_only_the_controller_and_its_operator_claim(
    protocol: Protocol, liquidity_provider: str, trader: str, attacker: str
) -> None:
    pool = protocol.pool
    assets = leave(protocol, liquidity_provider, 10**12)
    for verb, amount in (("redeem", 1), ("withdraw", 1)):
        with refused("caller: not allowed"):
            pool.send(attacker, verb, amount, attacker, liquidity_provider)
    for verb, most in (("redeem", 10**12), ("withdraw", assets)):
        for amount in (0, most + 1, 2**256 - 1):
            with refused("claim: too large"):
                pool.send(liquidity_provider, verb, amount, trader, liquidity_provider)
    pool.send(liquidity_provider, "setOperator", trader, True)
    assert pool.send(trader, "withdraw", assets, trader, liquidity_provider).result == 10**12


def test_a_redemption_is_never_previewed(protocol: Protocol) -> None:
    for preview in ("previewRedeem", "previewWithdraw"):
        with refused("pool: redemption is requested"):
            protocol.pool.read(preview, 1)


# Share price


@pytest.mark.parametrize("seed", range(3))
def test_deposits_and_exits_never_lower_the_share_price(earning: Protocol, seed: int) -> None:
    random = Random(seed)
    accounts = [earning.attacker, earning.guardian, earning.liquidity_provider]
    paid = dict.fromkeys(accounts, 0)
    waiting: list[int] = []
    for _ in range(10):
        account = random.choice(accounts)
        before = price_of_share(earning)
        held = shares_of(earning, account)
        if random.random() < 0.5:
            amount = random.choice((1, random.randint(1, 10**9), random.randint(1, 10**12)))
            enter(earning, account, amount)
            paid[account] += amount
        elif held > 10**12:
            waiting.append(request(earning, account, random.randint(1, held // 4)))
        assert is_rounded_from(price_of_share(earning), before)
    advance(COOLDOWN)
    earning.refresh()
    for number in waiting:
        before, at_exit = price_of_share(earning), price_at_exit(earning)
        fix(earning, number)
        assert is_rounded_from(price_at_exit(earning), at_exit)
        assert is_no_lower(price_of_share(earning), before)


def test_a_round_trip_wins_nothing(earning: Protocol, attacker: str) -> None:
    for amount in (1, 999, 10**6 + 1, 10**12 + 1):
        with earning.anchored():
            before = earning.balance(attacker)
            shares = enter(earning, attacker, amount)
            assets = leave(earning, attacker, shares)
            if assets:
                earning.pool.send(attacker, "redeem", shares, attacker, attacker)
            assert earning.balance(attacker) <= before


# Tokens and interfaces


@pytest.mark.parametrize(("decimals", "unit"), [(2, 1), (6, 1), (18, 10**12)])
def test_a_token_of_any_decimals_is_scaled_exactly(decimals: int, unit: int) -> None:
    protocol = Protocol(BTC, token_decimals=decimals, pool_cash=0, insurance=0)
    pool, trader = protocol.pool, protocol.trader
    quote_per_unit = 10 ** (6 - decimals) if decimals < 6 else 1
    assets = 123_457 * unit
    shares = pool.send(trader, "deposit", assets, trader).result
    assert shares == 123_457 * quote_per_unit * VIRTUAL
    assert pool.read("totalAssets") == assets == pool.read("convertToAssets", shares)
    assert pool.read("convertToShares", assets) == shares
    if unit > 1:
        with refused("amount: not whole units"):
            pool.send(trader, "deposit", unit + 1, trader)
    # Up to a whole token unit, against the entrant.
    cost = pool.send(trader, "mint", 1, trader).result
    assert cost == unit

    number = request(protocol, trader, shares)
    advance(COOLDOWN)
    before = protocol.balance(protocol.keeper)
    claim = fix(protocol, number).result
    reward = protocol.balance(protocol.keeper) - before
    assert reward == min(REWARD, 123_457 * quote_per_unit // 2) // quote_per_unit * unit
    assert claim == assets - reward
    held = protocol.balance(trader)
    pool.send(trader, "redeem", shares, trader, trader)
    assert protocol.balance(trader) == held + claim
    state = [protocol.cash(pool.address), protocol.house().pool_cash]
    assert state == [0, quote_per_unit if decimals < 6 else 1]
    if decimals >= 6:
        protocol.check_invariants()


def test_the_pool_says_what_it_is(protocol: Protocol) -> None:
    pool = protocol.pool
    known: dict[str, Any] = {
        "asset": protocol.token.address,
        "share": pool.address,
        "CLEARINGHOUSE": protocol.clearinghouse.address,
        "COOLDOWN": COOLDOWN,
        "name": "Bulkhead Liquidity",
        "symbol": "BLP",
        "decimals": 12,
    }
    assert {name: pool.read(name) for name in known} == known
    supported = ("01ffc9a7", "e3bc4e65", "620ee8e4", "2f0a18c5")
    for interface in supported:
        assert pool.read("supportsInterface", bytes.fromhex(interface)) is True
    for interface in ("ffffffff", "00000000", "36372b07"):
        assert pool.read("supportsInterface", bytes.fromhex(interface)) is False
