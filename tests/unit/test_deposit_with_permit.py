"""Tokens come in by a signed permit, whoever sends it, whoever used it before."""

from collections.abc import Iterator

import pytest
from eth_account import Account

from tests.helpers import signing
from tests.helpers.chain import account_named, now, refused
from tests.helpers.protocol import BTC, USD, Protocol

KEY = b"\x07" * 32
TRADER = Account.from_key(KEY).address
AMOUNT = 250 * USD


class PermitProtocol(Protocol):
    """A protocol whose token knows permits."""

    token_contract = "mocks/MockPermitToken"


@pytest.fixture(scope="module")
def permitted() -> Protocol:
    return PermitProtocol(BTC)


@pytest.fixture
def protocol(permitted: Protocol) -> Iterator[Protocol]:
    with permitted.anchored() as protocol:
        protocol.accounts.add(TRADER)
        protocol.token.send(TRADER, "mint", TRADER, 1_000 * USD)
        yield protocol
        protocol.check_invariants()


def permit(
    protocol: Protocol,
    amount: int = AMOUNT,
    *,
    spender: str | None = None,
    deadline: int | None = None,
) -> tuple[int, int, bytes, bytes]:
    """Deadline, v, r and s."""
    return signing.permit(
        Account.from_key(KEY),
        protocol.token,
        "USD Coin",
        protocol.clearinghouse.address if spender is None else spender,
        amount,
        now() + 100 if deadline is None else deadline,
    )


@pytest.mark.parametrize("sender", [TRADER, account_named("relayer")])
def test_anyone_may_send_a_permit(protocol: Protocol, sender: str) -> None:
    receipt = protocol.clearinghouse.send(
        sender, "deposit_with_permit", TRADER, AMOUNT, *permit(protocol)
    )
    event = receipt.event("Deposited")
    assert (event.account, event.payer, event.amount) == (TRADER, TRADER, AMOUNT)
    assert protocol.cash(TRADER) == AMOUNT
    assert protocol.balance(TRADER) == 750 * USD


def test_a_permit_used_by_somebody_else_does_not_stop_the_deposit(protocol: Protocol) -> None:
    signature = permit(protocol)
    house = protocol.clearinghouse.address
    protocol.token.send(protocol.attacker, "permit", TRADER, house, AMOUNT, *signature)
    protocol.clearinghouse.send(TRADER, "deposit_with_permit", TRADER, AMOUNT, *signature)
    assert protocol.cash(TRADER) == AMOUNT


def test_a_standing_allowance_can_not_be_spent_by_a_stranger(protocol: Protocol) -> None:
    protocol.token.send(TRADER, "approve", protocol.clearinghouse.address, 2**256 - 1)
    with refused("permit: bad allowance"):
        protocol.clearinghouse.send(
            protocol.attacker, "deposit_with_permit", TRADER, AMOUNT, 2**256 - 1, 27, b"", b""
        )


def test_a_permit_for_another_amount_is_refused(protocol: Protocol) -> None:
    signature = permit(protocol, AMOUNT)
    with refused("permit: bad allowance"):
        protocol.clearinghouse.send(TRADER, "deposit_with_permit", TRADER, USD, *signature)


def test_a_permit_for_somebody_elses_account_brings_nothing(protocol: Protocol) -> None:
    signature = permit(protocol)
    with refused("permit: bad allowance"):
        protocol.clearinghouse.send(
            protocol.attacker, "deposit_with_permit", protocol.attacker, AMOUNT, *signature
        )


def test_a_permit_past_its_deadline_is_refused(protocol: Protocol) -> None:
    signature = permit(protocol, deadline=now() - 1)
    with refused("permit: bad allowance"):
        protocol.clearinghouse.send(TRADER, "deposit_with_permit", TRADER, AMOUNT, *signature)


def test_the_logic_called_directly_takes_nothing(protocol: Protocol) -> None:
    signature = permit(protocol, spender=protocol.account_logic.address)
    with refused("logic: called directly"):
        protocol.account_logic.send(TRADER, "deposit_with_permit", TRADER, AMOUNT, *signature)
