"""A market's number is shifted beside an account's into one key: none too large ever gets there."""

from typing import Any

import pytest

from tests.helpers.chain import Contract
from tests.helpers.protocol import ISOLATED, LIMIT, USD, Protocol

LOTS = 10**7  # 0.1 BTC, 5,000 USD
ALIASES = [2**bits for bits in range(6, 256)]  # 2^24 and above touch the account, 2^248 are dropped
SAMPLES = {"amount": USD, "allowance": USD, "leverage": 5 * 10**6, "margin": USD}


@pytest.fixture
def open_(protocol: Protocol, trader: str, attacker: str) -> Protocol:
    """Two accounts with both kinds of position in the first market, and cash beside them."""
    for account in (trader, attacker):
        protocol.deposit(account, 5_000 * USD)
        protocol.trade(account, 0, LOTS)
        protocol.trade(account, 0, LOTS, margin_mode=ISOLATED, margin=700 * USD)
    return protocol


def sample(argument: dict[str, Any], market: int, account: str) -> Any:
    """Something that the function may be given."""
    if argument["name"] == "market":
        return market
    if argument["type"] == "address":
        return account
    return argument["type"] == "bool" or SAMPLES.get(argument["name"], 0)


def taking_a_market(contract: Contract) -> list[str]:
    """Functions of anybody's that name a market and nothing that is hard to make up."""
    return [
        name
        for name, function in contract.functions.items()
        if "market" in [argument["name"] for argument in function.inputs]
        and not function.is_view
        and all(
            argument["type"] in ("bool", "uint256", "int256", "address")
            for argument in function.inputs
        )
    ]


def test_no_account_reaches_another_by_a_market_s_number(open_: Protocol, attacker: str) -> None:
    house = open_.clearinghouse
    names = taking_a_market(house)
    fine = {"add_margin", "remove_margin", "set_leverage", "set_auto_margin"}
    assert fine <= set(names)
    for name in fine:
        with open_.anchored():
            inputs = house.functions[name].inputs
            house.send(attacker, name, *(sample(one, 0, attacker) for one in inputs))
    before = open_.state()
    for name in names:
        for alias in ALIASES:
            arguments = [sample(one, alias, attacker) for one in house.functions[name].inputs]
            receipt = house.attempt(attacker, name, *arguments)
            assert receipt.refusal, f"{name}{tuple(arguments)}"
    assert open_.state() == before


def test_no_order_reaches_another_market_or_account(open_: Protocol, attacker: str) -> None:
    order = open_.order(attacker, 0, LOTS, kind=LIMIT, acceptable_price=1)
    before = open_.state()
    for alias in ALIASES:
        receipt = open_.book.attempt(attacker, "place", order._replace(market=alias))
        assert receipt.refusal == "market: unknown"
    assert open_.state() == before


def test_no_position_s_number_reaches_another(open_: Protocol, attacker: str) -> None:
    """Batches drop what names nothing, and do nothing for it."""
    before = open_.state()
    for verb in ("liquidate_isolated", "settle_positions"):
        for alias in ALIASES:
            open_.clearinghouse.attempt(attacker, verb, [alias, (alias << 8 | 2) % 2**256])
    assert open_.state() == before
