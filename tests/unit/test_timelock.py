"""The timelock by itself: who it is made for, and that nobody rules it but itself."""

import boa
import pytest

from tests.helpers.chain import Contract, account_named, advance, refused

DELAY = 86_400
PROPOSER = account_named("proposer")
NOBODY = "0x" + "00" * 20
NONE = bytes(32)


@pytest.fixture
def timelock() -> Contract:
    return Contract("Timelock", DELAY, [PROPOSER], deployer=account_named("deployer"))


@pytest.mark.parametrize("delay", [0, 30 * 86_400 + 1, 2**256 - 1])
def test_a_delay_is_a_second_to_thirty_days(delay: int) -> None:
    with refused("timelock: bad delay"):
        Contract("Timelock", delay, [PROPOSER])
    for bound in (1, 30 * 86_400):
        assert Contract("Timelock", bound, [PROPOSER]).read("get_minimum_delay") == bound


def test_a_timelock_has_a_proposer() -> None:
    with refused("timelock: no proposer"):
        Contract("Timelock", DELAY, [])


def test_its_proposers_may_cancel_and_everybody_executes(timelock: Contract) -> None:
    held = {
        role: [
            who
            for who in (PROPOSER, NOBODY, timelock.address, account_named("deployer"))
            if timelock.read("hasRole", timelock.read(f"{role}_ROLE"), who)
        ]
        for role in ("PROPOSER", "CANCELLER", "EXECUTOR", "DEFAULT_ADMIN")
    }
    assert held == {
        "PROPOSER": [PROPOSER],
        "CANCELLER": [PROPOSER],
        "EXECUTOR": [NOBODY],
        "DEFAULT_ADMIN": [timelock.address],
    }


@pytest.mark.parametrize("sender", ["proposer", "deployer", "attacker"])
def test_nobody_changes_its_roles_or_its_delay_directly(timelock: Contract, sender: str) -> None:
    role = timelock.read("PROPOSER_ROLE")
    with refused("access_control: account is missing role"):
        timelock.send(account_named(sender), "grantRole", role, account_named("attacker"))
    with refused("access_control: account is missing role"):
        timelock.send(account_named(sender), "revokeRole", role, PROPOSER)
    with refused("timelock_controller: caller must be timelock"):
        timelock.send(account_named(sender), "update_delay", 0)


def test_it_changes_itself_after_its_delay(timelock: Contract) -> None:
    payload = timelock.functions["update_delay"].calldata((2 * DELAY,))
    call = (timelock.address, 0, payload, NONE, NONE)
    timelock.send(PROPOSER, "schedule", *call, DELAY)
    with refused("timelock_controller: operation is not ready"):
        timelock.send(account_named("anyone"), "execute", *call)
    advance(DELAY)
    timelock.send(account_named("anyone"), "execute", *call)
    assert timelock.read("get_minimum_delay") == 2 * DELAY


def test_it_takes_no_ether(timelock: Contract) -> None:
    boa.env.set_balance(PROPOSER, 10)
    for data in (b"", b"\x01\x02\x03\x04"):
        computation = boa.env.execute_code(
            to_address=timelock.address, sender=PROPOSER, data=data, value=1
        )
        assert computation.is_error
