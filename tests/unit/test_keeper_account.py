"""One account for all signers of a keeper: they work through it, and only its owner is paid."""

from typing import Any

import boa
import pytest

from bulkhead import prices
from bulkhead.protocol.words import ISOLATED_LONG
from tests.helpers.chain import Contract, account_named, advance, now, refused
from tests.helpers.feeds import (
    LOT,
    PYTH_ID,
    SIGNERS,
    UNLISTED,
    pyth_update,
    signed,
    use_aggregator,
    use_pyth,
)
from tests.helpers.protocol import (
    CANCELLED,
    COOLDOWN,
    EXECUTED,
    ISOLATED,
    PENDING,
    TRAILING_STOP,
    USD,
    WAD,
    Order,
    Protocol,
    position_id,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
ETHER = 10**18
FEE = 7  # wei a Pyth update
PYTH_BTC = 50_000 * 10**8
BURNS = 4  # a hostile aggregator's mode
KEEPER_FEE = USD // 5

WORK: list[tuple[str, tuple[Any, ...]]] = [
    ("update_prices", ([],)),
    ("execute", ([], [])),
    ("ratchet", ([], [])),
    ("liquidate", ([], [], [])),
    ("deleverage", ([], 0, [])),
    ("fix", ([], 1)),
]


@pytest.fixture
def boss() -> str:
    """Whose keeper it is."""
    return account_named("boss")


@pytest.fixture
def account(protocol: Protocol, keeper: str, boss: str) -> Contract:
    found = Contract(
        "KeeperAccount",
        *(boss, [keeper]),
        *(one.address for one in (protocol.clearinghouse, protocol.oracle)),
        *(one.address for one in (protocol.book, protocol.pool)),
    )
    protocol.oracle.send(protocol.owner, "set_publisher", found.address, True)
    protocol.accounts.add(found.address)
    boa.env.set_balance(keeper, ETHER)
    return found


def published(protocol: Protocol, market: int = 0, dollars: int = 50_000) -> tuple[int, bytes]:
    return market, prices.published_price(dollars * WAD, now())


def matured(protocol: Protocol, *orders: Order) -> None:
    """The orders' delay has passed; nobody has brought a price."""
    advance(protocol.markets[orders[0].market].delay + 1)


def place(protocol: Protocol, **fields: Any) -> Order:
    protocol.deposit(protocol.trader, 2_000 * USD)
    return protocol.place(protocol.trader, 0, LOTS, **fields)


# Work


def test_an_order_is_executed_at_a_price_brought_in_the_same_transaction(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    order = place(protocol)
    matured(protocol, order)
    receipt = account.send(keeper, "execute", [published(protocol)], [order])
    assert receipt.result == (1, (EXECUTED,))
    assert protocol.price(0).published_at == now()
    event = receipt.event("OrderExecuted")
    assert (event.keeper, event.keeper_fee) == (account.address, KEEPER_FEE)
    assert protocol.cash(account.address) == KEEPER_FEE
    assert protocol.cash(keeper) == 0


def test_clearing_an_expired_order_pays_the_account(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    order = place(protocol)
    advance(protocol.markets[0].delay + protocol.markets[0].window + 1)
    receipt = account.send(keeper, "execute", [], [order])
    assert receipt.result == (0, (CANCELLED,))
    assert receipt.event("OrderCancelled").receiver == account.address
    assert protocol.cash(account.address) == KEEPER_FEE


def test_positions_are_liquidated_at_a_price_brought_in_the_same_transaction(
    protocol: Protocol, account: Contract, keeper: str, trader: str, attacker: str
) -> None:
    protocol.deposit(trader, 600 * USD)
    protocol.deposit(attacker, 510 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=ISOLATED, margin=500 * USD)
    protocol.trade(attacker, 0, LOTS)
    advance(1)
    ids = [position_id(trader, 0, ISOLATED_LONG)]

    receipt = account.send(keeper, "liquidate", [published(protocol, 0, 45_100)], ids, [attacker])

    assert receipt.result == (1, 1, 1)
    paid = receipt.named("LiquidatorPaid")
    assert {one.liquidator for one in paid} == {account.address}
    assert protocol.cash(account.address) == sum(one.amount for one in paid) > 0


@pytest.mark.parametrize("kind", ["isolated", "cross"])
def test_of_two_kinds_of_liquidations_one_alone_is_done(
    protocol: Protocol, account: Contract, keeper: str, trader: str, kind: str
) -> None:
    protocol.deposit(trader, 510 * USD)
    margin = {"margin_mode": ISOLATED, "margin": 500 * USD} if kind == "isolated" else {}
    protocol.trade(trader, 0, LOTS, **margin)
    protocol.push_price(0, 45_100)
    ids = [position_id(trader, 0, ISOLATED_LONG)] if kind == "isolated" else []
    result = account.send(keeper, "liquidate", [], ids, [] if ids else [trader]).result
    assert result == (0, int(bool(ids)), int(not ids))


def test_trailing_stops_are_shown_a_price_brought_in_the_same_transaction(
    protocol: Protocol, account: Contract, keeper: str, trader: str
) -> None:
    protocol.deposit(trader, 2_000 * USD)
    protocol.trade(trader, 0, LOTS)
    order = protocol.place(
        *(trader, 0, 0),
        kind=TRAILING_STOP,
        callback_rate=50_000,
        is_buy=False,
        reduce_only=True,
    )
    matured(protocol, order)
    assert account.send(keeper, "ratchet", [published(protocol, 0, 51_000)], [order]).result == (
        1,
        1,
    )


def test_deleveraging_goes_through_the_account(
    protocol: Protocol, account: Contract, keeper: str, trader: str
) -> None:
    protocol.deposit(trader, 2_000 * USD)
    protocol.trade(trader, 0, LOTS)
    advance(1)
    ids = [position_id(trader, 0, 0)]
    direct = protocol.clearinghouse.attempt(keeper, "auto_deleverage", 0, ids)
    through = account.attempt(keeper, "deleverage", [published(protocol)], 0, ids)
    assert direct.refusal == through.refusal
    assert (
        through.refusal is None or "deleverage" in through.refusal or "market" in (through.refusal)
    )


def test_a_request_is_fixed_and_its_reward_is_in_the_account(
    protocol: Protocol, account: Contract, keeper: str, boss: str
) -> None:
    provider = protocol.liquidity_provider
    shares = protocol.pool.read("balanceOf", provider) // 10
    number = protocol.pool.send(provider, "requestRedeem", shares, provider, provider).result
    advance(COOLDOWN)
    updates = [
        published(protocol, market, int(protocol.dollars(market)))
        for market in range(len(protocol.markets))
    ]
    receipt = account.send(keeper, "fix", updates, number)
    assert receipt.result == (0b111, receipt.event("RedeemFixed").assets)
    reward = receipt.event("RedeemFixed").reward
    assert protocol.balance(account.address) == reward > 0
    with refused("ownable: caller is not the owner"):
        account.send(keeper, "withdraw_tokens", protocol.token.address, reward, keeper)
    account.send(boss, "withdraw_tokens", protocol.token.address, reward, boss)
    assert protocol.balance(boss) == reward
    protocol.accounts.add(boss)


# Prices


def test_what_a_source_does_not_cost_returns_to_the_caller(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    pyth = use_pyth(protocol, FEE)
    advance(10)
    payload = prices.pyth_updates([pyth_update(PYTH_BTC)])
    before = boa.env.get_balance(keeper)
    result = account.send(keeper, "update_prices", [(UNLISTED, payload)], value=10 * FEE).result
    assert result == 1
    assert boa.env.get_balance(keeper) == before - FEE
    assert boa.env.get_balance(pyth.address) == FEE
    assert boa.env.get_balance(account.address) == 0


def test_one_payment_serves_several_updates(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    use_pyth(protocol, FEE)
    protocol.oracle.send(
        protocol.owner,
        "set_pyth_feed",
        *(UNLISTED + 1, LOT, 60, 3_600, use_pyth(protocol, 5).address, PYTH_ID),
    )
    advance(10)
    payload = prices.pyth_updates([pyth_update(PYTH_BTC)])
    updates = [(UNLISTED, payload), (UNLISTED + 1, payload)]
    before = boa.env.get_balance(keeper)
    assert account.send(keeper, "update_prices", updates, value=100).result == 0b11
    assert boa.env.get_balance(keeper) == before - 10


def test_the_accounts_own_ether_is_not_spent_on_fees(
    protocol: Protocol, account: Contract, keeper: str, boss: str
) -> None:
    use_pyth(protocol, FEE)
    advance(10)
    boa.env.set_balance(account.address, ETHER)
    payload = prices.pyth_updates([pyth_update(PYTH_BTC)])
    before = boa.env.get_balance(keeper)
    assert account.send(keeper, "update_prices", [(UNLISTED, payload)]).result == 0
    sent = account.send(keeper, "update_prices", [(UNLISTED, payload)], value=FEE + 1)
    assert sent.result == 1
    assert boa.env.get_balance(account.address) == ETHER
    assert boa.env.get_balance(keeper) == before - FEE


def hostile(protocol: Protocol, mode: int) -> int:
    """A market whose feed does not answer any more."""
    source = Contract("mocks/HostileAggregator", mode)
    use_aggregator(protocol, UNLISTED, source)
    source.send(protocol.attacker, "turn")
    return UNLISTED


@pytest.mark.parametrize("mode", range(6))
def test_a_source_that_fails_does_not_hold_up_the_other_markets(
    protocol: Protocol, account: Contract, keeper: str, mode: int
) -> None:
    order = place(protocol)
    bad = hostile(protocol, mode)
    matured(protocol, order)
    updates = [(bad, b""), published(protocol), (999, b""), (1, b"\x01" * 2048)]
    receipt = account.send(keeper, "execute", updates, [order], gas=10_000_000)
    updated, statuses = receipt.result
    assert statuses == (EXECUTED,)
    assert updated & ~0b0001 == 0b0010  # zeros in the place of an answer are no news


def test_a_source_that_burns_gas_burns_no_more_than_its_part(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    bad = hostile(protocol, BURNS)
    advance(1)
    updates = [(bad, b""), published(protocol)]
    receipt = account.send(keeper, "update_prices", updates, gas=20_000_000)
    assert receipt.result == 0b10
    assert receipt.gas_used < 2_000_000


def test_a_signed_price_is_brought_with_all_its_signatures(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    eight = SIGNERS[:8]
    addresses = [one.address for one in eight]
    protocol.oracle.send(protocol.owner, "set_signers", addresses, 8)
    protocol.oracle.send(protocol.owner, "set_signed_feed", UNLISTED, LOT, 60, 3_600)
    advance(10)
    payload = signed(protocol, eight, 50_000 * WAD, now())
    assert account.send(keeper, "update_prices", [(UNLISTED, payload)]).result == 1
    assert protocol.price(UNLISTED).published_at == now()


def test_too_little_gas_leaves_an_order_as_it_was(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    order = place(protocol)
    matured(protocol, order)
    arguments = ([published(protocol)], [order])
    before = protocol.state()
    with protocol.anchored():
        enough = account.send(keeper, "execute", *arguments).gas_used
    seen = set()
    for gas in range(25_000, enough + 20_000, 7_000):
        with protocol.anchored():
            account.attempt(keeper, "execute", *arguments, gas=gas)
            seen.add(protocol.status(order))
            # The price is anybody's to bring; nothing else has moved.
            if protocol.status(order) == PENDING:
                after = protocol.state()
                assert {key for key in after if after[key] != before[key]} <= price_keys(after)
    assert seen == {PENDING, EXECUTED}


def price_keys(state: dict[str, int]) -> set[str]:
    return {key for key in state if "price" in key.lower()}


# Rights


@pytest.mark.parametrize(("function", "arguments"), WORK, ids=[name for name, _ in WORK])
def test_only_operators_work(
    account: Contract, attacker: str, boss: str, function: str, arguments: tuple[Any, ...]
) -> None:
    for who in (attacker, boss):
        with refused("caller: not an operator"):
            account.send(who, function, *arguments)


def test_the_owner_lets_keys_in_and_out(account: Contract, keeper: str, boss: str) -> None:
    other = account_named("other key")
    event = account.send(boss, "set_operator", other, True).event("OperatorSet")
    assert (event.operator, event.allowed) == (other, True)
    account.send(other, "update_prices", [])
    account.send(boss, "set_operator", keeper, False)
    with refused("caller: not an operator"):
        account.send(keeper, "update_prices", [])
    assert (account.read("is_operator", other), account.read("is_operator", keeper)) == (
        True,
        False,
    )


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("set_operator", ("0x" + "11" * 20, True)),
        ("withdraw", (1, "0x" + "11" * 20)),
        ("withdraw_tokens", ("0x" + "11" * 20, 1, "0x" + "11" * 20)),
        ("withdraw_ether", (1, "0x" + "11" * 20)),
        ("transfer_ownership", ("0x" + "11" * 20,)),
    ],
)
def test_a_hot_key_takes_nothing_out_and_changes_nothing(
    account: Contract, keeper: str, function: str, arguments: tuple[Any, ...]
) -> None:
    boa.env.set_balance(account.address, ETHER)
    with refused("ownable: caller is not the owner"):
        account.send(keeper, function, *arguments)


def test_the_owner_withdraws_what_was_earned(
    protocol: Protocol, account: Contract, keeper: str, boss: str
) -> None:
    order = place(protocol)
    matured(protocol, order)
    account.send(keeper, "execute", [published(protocol)], [order])
    event = account.send(boss, "withdraw", protocol.tokens(KEEPER_FEE), boss).event("Withdrawn")
    assert (event.account, event.receiver) == (account.address, boss)
    assert protocol.balance(boss) == protocol.tokens(KEEPER_FEE)
    assert protocol.cash(account.address) == 0
    protocol.accounts.add(boss)


def test_the_owner_withdraws_ether_that_came_by_force(account: Contract, boss: str) -> None:
    boa.env.set_balance(account.address, 5)
    account.send(boss, "withdraw_ether", 5, boss)
    assert boa.env.get_balance(boss) == 5
    with refused("ether: not taken"):
        account.send(boss, "withdraw_ether", 1, boss)


def test_nobody_sends_it_ether(account: Contract, keeper: str) -> None:
    computation = boa.env.execute_code(to_address=account.address, sender=keeper, value=1)
    assert computation.is_error
    assert boa.env.get_balance(account.address) == 0


def test_ownership_moves_in_two_steps(account: Contract, boss: str, attacker: str) -> None:
    account.send(boss, "transfer_ownership", attacker)
    assert account.read("owner") == boss
    account.send(attacker, "accept_ownership")
    assert account.read("owner") == attacker
    with refused("ownable: caller is not the owner"):
        account.send(boss, "withdraw_ether", 0, boss)


def test_it_needs_an_owner(protocol: Protocol) -> None:
    with refused("owner: zero"):
        Contract("KeeperAccount", "0x" + "00" * 20, [], *["0x" + "11" * 20] * 4)


def test_going_through_the_account_costs_little(
    protocol: Protocol, account: Contract, keeper: str
) -> None:
    order = place(protocol)
    protocol.wait(0)
    with protocol.anchored():
        direct = protocol.book.send(keeper, "execute_orders", [order]).gas_used
    through = account.send(keeper, "execute", [], [order]).gas_used
    assert through < direct + 30_000
