"""Money and orders through the command line, on a chain in memory."""

from decimal import Decimal

import pytest

from bulkhead.orders import OrderState
from tests.cli.conftest import CommandLine

ALICE = ("--as", "alice")


@pytest.fixture
def alice(shell: CommandLine) -> CommandLine:
    """Alice has 5,000 USD in the exchange, and prices are fresh."""
    shell.world.traders["alice"].deposit(5_000)
    shell.world.refresh_prices()
    return shell


@pytest.fixture
def long(alice: CommandLine) -> CommandLine:
    """She has an isolated long of 0.1 BTC."""
    alice.ok("order", "BTC-PERP", "buy", "0.1", "--isolated", "--leverage", "10", *ALICE)
    alice.world.fill()
    return alice


def test_a_deposit_is_cash(shell: CommandLine) -> None:
    found = shell.ok("deposit", "1234.567891", *ALICE)
    assert (found["done"], found["cash"]) == ("deposited", "1234.567891")


def test_a_deposit_may_be_somebody_else_s(shell: CommandLine) -> None:
    shell.ok("deposit", "7", "--account", "bob", *ALICE)
    assert shell.ok("account", "bob")["cash"] == "7"


def test_a_part_of_a_unit_is_not_understood(shell: CommandLine) -> None:
    code, said = shell.error("deposit", "1.0000001", *ALICE)
    assert (code, said["retryable"]) == (2, False)
    assert "1e-6" in said["reason"]


def test_a_withdrawal_reaches_the_wallet_that_is_named(alice: CommandLine) -> None:
    stranger = "0x" + "12" * 20
    assert alice.ok("withdraw", "10.5", "--to", stranger, *ALICE)["cash"] == "4989.5"
    assert alice.world.reader.token_balance(stranger) == Decimal("10.5")


def test_a_refusal_for_good_is_told_by_its_class(alice: CommandLine) -> None:
    code, said = alice.error("withdraw", "1000000", *ALICE)
    assert (code, said["error"], said["retryable"]) == (1, "BalanceNotWithdrawable", False)


def test_a_refusal_for_now_is_told_apart(long: CommandLine) -> None:
    from bulkhead.local import advance_time

    advance_time(long.world.reader.chain.w3, 120)
    code, said = long.error("margin", "remove", "BTC-PERP", "1", "--long", *ALICE)
    assert (code, said["error"], said["retryable"]) == (3, "PriceNotFirm", True)


def test_a_preview_shows_what_would_be_and_places_nothing(alice: CommandLine) -> None:
    words = ("order", "BTC-PERP", "buy", "0.1", "--isolated", "--leverage", "10")
    found = alice.ok(*words, "--preview", *ALICE)
    assert found["would"] == "fill"
    assert found["fee"] == "5"
    assert alice.ok("account", "alice")["orders"] == []
    alice.ok(*words, *ALICE)
    alice.world.fill()
    (position,) = alice.ok("account", "alice")["positions"]
    after = found["position_after"]
    for name in ("size", "entry_price", "margin", "maintenance_margin", "liquidation_price"):
        assert after[name] == position[name]


def test_a_preview_says_why_it_would_not_fill(alice: CommandLine) -> None:
    found = alice.ok("order", "BTC-PERP", "buy", "10", "--cross", "--preview", *ALICE)
    assert found["would"] == "not fill: margin: below initial"


def test_an_order_fills_and_shows_its_fill(alice: CommandLine) -> None:
    words = ("order", "BTC-PERP", "buy", "0.1", "--cross", "--client-id", "first", *ALICE)
    placed = alice.ok(*words)
    assert placed["state"] == "pending"
    alice.world.fill()
    again = alice.ok(*words, "--wait", "1")
    assert (again["order"], again["state"]) == (placed["order"], "executed")
    (fill,) = again["fills"]
    assert (fill["did"], fill["position"], fill["size"]) == ("increased", "cross long", "0.1")


def test_an_order_that_does_not_fill_in_time_says_so(alice: CommandLine) -> None:
    words = ("order", "BTC-PERP", "buy", "0.1", "--limit", "90000", "--wait", "0.05", *ALICE)
    done = alice.run(*words, "--json")
    assert done.exit_code == 5
    assert '"state": "pending"' in done.stdout
    assert '"error": "NotFilled"' in done.stderr


@pytest.mark.parametrize(
    ("words", "kind", "names"),
    [
        (["--limit", "90000"], "limit", {"acceptable_price": "90000"}),
        (["--stop", "110000", "--worst", "111000"], "stop", {"trigger_price": "110000"}),
        (["--take-profit", "90000"], "take-profit", {"trigger_price": "90000"}),
        (
            ["--trailing", "0.05", "--starts-at", "9"],
            "trailing-stop",
            {"callback_rate": "0.05"},
        ),
    ],
)
def test_an_order_waits_for_what_it_is_told(
    alice: CommandLine, words: list[str], kind: str, names: dict[str, str]
) -> None:
    alice.ok("order", "BTC-PERP", "buy", "0.01", *words, "--expires-in", "3600", *ALICE)
    (order,) = alice.ok("account", "alice")["orders"]
    assert order["kind"] == kind
    assert order["expiry"] is not None
    assert names.items() <= order.items()


@pytest.mark.parametrize(
    "words",
    [
        ["--limit", "90000", "--stop", "80000"],
        ["--limit", "90000", "--worst", "80000"],
        ["--starts-at", "80000"],
        ["--wait", "-1"],
        ["--expires-in", "0"],
        ["--trailing", "five"],
    ],
)
def test_an_order_that_contradicts_itself_is_not_understood(
    alice: CommandLine, words: list[str]
) -> None:
    code, _ = alice.error("order", "BTC-PERP", "buy", "0.01", *words, *ALICE)
    assert code == 2
    assert alice.ok("account", "alice")["orders"] == []


def test_long_and_short_mean_positions_in_hedge_mode(alice: CommandLine) -> None:
    alice.ok("mode", "hedge", "on", *ALICE)
    alice.ok("order", "BTC-PERP", "long", "0.02", *ALICE)
    alice.ok("order", "BTC-PERP", "short", "0.01", *ALICE)
    alice.world.fill()
    words = ("order", "BTC-PERP", "sell", "0.01", "--position", "long", "--reduce-only")
    alice.ok(*words, *ALICE)
    alice.world.fill()
    positions = alice.ok("account", "alice")["positions"]
    assert [(one["side"], one["size"]) for one in positions] == [
        ("long", "0.01"),
        ("short", "0.01"),
    ]


def test_all_of_a_position_is_closed(long: CommandLine) -> None:
    words = ("order", "BTC-PERP", "sell", "all", "--isolated", "--reduce-only")
    long.ok(*words, *ALICE)
    long.world.fill()
    assert long.ok("account", "alice")["positions"] == []


def test_a_bracket_protects_its_entry(alice: CommandLine) -> None:
    words = ("bracket", "ETH-PERP", "long", "1", "--cross", "--tp", "5000", "--sl", "3500")
    placed = alice.ok(*words, *ALICE)
    assert [one["kind"] for one in placed["orders"]] == ["market", "take-profit", "stop"]
    alice.world.fill()
    alice.world.set_prices({"ETH-PERP": 3_400})
    alice.world.keeper.execute_orders()
    assert alice.ok("account", "alice")["positions"] == []


def test_a_bracket_protects_by_something(alice: CommandLine) -> None:
    code, said = alice.error("bracket", "ETH-PERP", "long", "1", *ALICE)
    assert (code, said["reason"]) == (2, "a bracket has a take-profit, a stop, or both")


def test_an_order_is_cancelled_by_its_hash(alice: CommandLine) -> None:
    order = alice.ok("order", "BTC-PERP", "buy", "0.01", "--limit", "9", *ALICE)["order"]
    assert alice.ok("cancel", order, *ALICE)["done"] == "cancelled"
    assert alice.world.reader.handle(bytes.fromhex(order[2:])).state() is OrderState.CANCELLED


def test_all_orders_are_cancelled_and_their_fees_come_back(alice: CommandLine) -> None:
    before = alice.ok("account", "alice")["cash"]
    for price in ("9", "8", "7"):
        alice.ok("order", "BTC-PERP", "buy", "1", "--limit", price, *ALICE)
    assert alice.ok("account", "alice")["cash"] != before
    alice.ok("cancel", "--all", *ALICE)
    shown = alice.ok("account", "alice")
    assert (shown["cash"], shown["escrow"], shown["orders"]) == (before, "0", [])


def test_cancel_says_what(alice: CommandLine) -> None:
    assert alice.error("cancel", *ALICE)[0] == 2
    assert alice.error("cancel", "--all", "0x" + "ab" * 32, *ALICE)[0] == 2


def test_an_unknown_order_is_refused(alice: CommandLine) -> None:
    code, said = alice.error("cancel", "0x" + "ab" * 32, *ALICE)
    assert (code, said["error"]) == (1, "UnknownOrder")


def test_orders_are_looked_for_as_far_back_as_is_said(alice: CommandLine) -> None:
    alice.ok("order", "BTC-PERP", "buy", "0.01", "--limit", "90000", *ALICE)
    block = alice.world.reader.block().number
    shown = alice.ok("account", "alice", "--since", str(block + 1))
    assert (shown["orders_since_block"], shown["orders"]) == (block + 1, [])
    assert len(alice.ok("account", "alice", "--since", str(block))["orders"]) == 1


def test_margin_is_added_from_cash_and_from_the_wallet_and_removed(long: CommandLine) -> None:
    def margin() -> Decimal:
        return Decimal(long.ok("account", "alice")["positions"][0]["margin"])

    before = margin()
    long.ok("margin", "add", "BTC-PERP", "10", "--long", *ALICE)
    long.ok("margin", "add", "BTC-PERP", "5", "--long", "--from-wallet", *ALICE)
    long.ok("margin", "remove", "BTC-PERP", "2", "--long", *ALICE)
    assert margin() == before + 13


def test_margin_says_which_side(long: CommandLine) -> None:
    code, said = long.error("margin", "add", "BTC-PERP", "10", *ALICE)
    assert code == 2
    assert "--long" in said["reason"]


def test_leverage_is_set_where_it_is_said(shell: CommandLine) -> None:
    shell.ok("leverage", "BTC-PERP", "20", *ALICE)
    found = shell.ok("leverage", "BTC-PERP", "7", "--isolated", "--short", *ALICE)
    assert found["cross_leverage"] == "20"
    assert found["isolated_long_leverage"] == "10"
    assert found["isolated_short_leverage"] == "7"


@pytest.mark.parametrize("words", [["--isolated"], ["--long"], ["--cross", "--short"]])
def test_only_isolated_leverage_has_a_side(shell: CommandLine, words: list[str]) -> None:
    assert shell.error("leverage", "BTC-PERP", "20", *words, *ALICE)[0] == 2


def test_the_default_mode_is_set_and_set_back(shell: CommandLine) -> None:
    assert shell.ok("mode", "isolated", "BTC-PERP", *ALICE)["default_mode"] == "isolated"
    assert shell.ok("mode", "cross", "BTC-PERP", *ALICE)["default_mode"] == "cross"


def test_an_operator_places_for_its_account(alice: CommandLine) -> None:
    from bulkhead.orders import Permission

    bob = alice.world.traders["bob"]
    expiry = alice.world.reader.now() + 10_000
    rights = Permission.OPEN | Permission.CANCEL | Permission.ALL_MARKETS
    alice.world.traders["alice"].set_operator(
        bob.address, rights, notional=1_000_000, expiry=expiry
    )
    words = ("order", "BTC-PERP", "buy", "0.01", "--limit", "90000", "--account", "alice")
    alice.ok(*words, "--as", "bob")
    assert len(alice.ok("account", "alice")["orders"]) == 1
    alice.ok("cancel", "--all", "--account", "alice", "--as", "bob")
    assert alice.ok("account", "alice")["orders"] == []
