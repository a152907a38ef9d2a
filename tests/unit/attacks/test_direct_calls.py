"""A logic contract called directly takes nothing that it could not give back."""

import pytest

from tests.helpers.chain import refused
from tests.helpers.protocol import USD, Protocol


@pytest.mark.parametrize("amount", [0, 1, 1_000 * USD, 2**256 - 1])
def test_insurance_given_to_the_logic_itself_is_refused(
    protocol: Protocol, attacker: str, amount: int
) -> None:
    logic = protocol.house_logic
    protocol.token.send(attacker, "approve", logic.address, 2**256 - 1)
    before = protocol.balance(attacker)
    with refused("logic: called directly"):
        logic.send(attacker, "fund_insurance", amount)
    assert protocol.balance(attacker) == before
    assert protocol.balance(logic.address) == 0


def test_insurance_given_to_the_clearinghouse_arrives(protocol: Protocol, attacker: str) -> None:
    insurance, held = protocol.house().insurance, protocol.balance(protocol.clearinghouse.address)
    protocol.clearinghouse.send(attacker, "fund_insurance", 1_000 * USD)
    assert protocol.house().insurance == insurance + 1_000 * USD
    assert protocol.balance(protocol.clearinghouse.address) == held + 1_000 * USD
    assert protocol.balance(protocol.house_logic.address) == 0
