"""Whatever is sent to an external function, a refusal has a name and nothing is lost."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from tests.helpers.chain import Contract, advance, compiled, now
from tests.helpers.draw import Draw
from tests.helpers.protocol import (
    ISOLATED,
    LIMIT,
    TIERS,
    USD,
    Order,
    Protocol,
    position_id,
    terms_named,
)

LOTS = 10**7  # 0.1 BTC, 5,000 USD
ROUNDS = 40  # calls of each function
LONGEST_REASON = 32
CONTRACTS = [
    "Clearinghouse",
    "OrderBook",
    "PriceOracle",
    "LiquidityPool",
    "AccountLogic",
    "HouseLogic",
    "LiquidationLogic",
    "MarketLogic",
    "OrderLogic",
]
# Calls that a contract does not know itself and hands on.
HANDED_ON = {"Clearinghouse": ("MarketLogic",), "OrderBook": ("OrderLogic",)}
# snekmate's own reasons, which the project does not word.
IMPORTED = ("ownable: ", "ownable_2step: ", "erc20: ", "ecdsa: ")


class Arguments:
    """Random values of ABI types, half of them likely to mean something."""

    def __init__(self, protocol: Protocol, seed: str) -> None:
        self.protocol = protocol
        self.draw = Draw(seed)
        self.random: Random = self.draw.random
        self.orders = list(protocol.orders.values())
        self.aggregator = Contract("mocks/MockAggregator", 8)
        self.addresses = [
            *protocol.actors,
            *[contract.address for contract in protocol.contracts],
            protocol.token.address,
            "0x" + "00" * 20,
            "0x" + "00" * 19 + "04",
        ]
        self.landmarks = [
            *(now() + shift for shift in (-1, 0, 1, 60)),
            *(2**bits for bits in (16, 20, 28, 40, 48, 56, 62, 63, 64, 80, 96, 128, 255)),
            *(USD, 1_000 * USD, LOTS, 5 * 10**11),
            *(position_id(protocol.trader, 0, slot) for slot in range(4)),
        ]

    def of(self, contract: Contract, name: str) -> list[Any]:
        return [
            self.value(argument, contract.name, name)
            for argument in contract.functions[name].inputs
        ]

    def value(self, argument: dict[str, Any], contract: str, function: str) -> Any:
        kind = argument["type"]
        if kind.endswith("]"):
            base, bound = kind[:-1].rsplit("[", 1)
            most = int(bound) if bound else BOUNDS[contract, function, argument["name"]]
            count = most if bound else min(self.random.choice((0, 1, 1, 2, 3, most)), most)
            item = {**argument, "type": base}
            return [self.value(item, contract, function) for _ in range(count)]
        if kind == "tuple":
            return self.struct(argument, contract, function)
        if argument["name"] == "aggregator":
            return self.random.choice((self.aggregator.address, self.protocol.attacker))
        if kind == "address":
            return self.random.choice(self.addresses)
        if kind == "bool":
            return self.draw.boolean()
        if kind == "string":
            return self.random.choice(("", "BTC-PERP", "X", "A" * 16))
        if kind == "bytes":
            return self.random.randbytes(self.random.choice((0, 32, 64, 65, 96, 1_024)))
        if kind.startswith("bytes"):
            return self.random.randbytes(int(kind[5:]))
        if kind.startswith("uint"):
            if self.random.random() < 0.4:
                return self.random.choice((0, 1, 2, 3, 2**256 - 1)) % 2 ** int(kind[4:])
            return self.draw.unsigned(int(kind[4:]), *self.landmarks)
        raise NotImplementedError(kind)

    def struct(self, argument: dict[str, Any], contract: str, function: str) -> Any:
        """All at random, or something good of which one field is random."""
        members = argument["components"]
        names = [member["name"] for member in members]
        values = [self.value(member, contract, function) for member in members]
        good: Any = None
        if names == list(Order._fields):
            good = self.random.choice(self.orders)
            if function == "place" and self.random.random() < 0.5:
                trader = self.protocol.trader
                good = self.protocol.order(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
        elif "skew_scale" in names:
            good = terms_named()
        elif "initial_rate" in names:
            good = self.random.choice(TIERS)
        if good is None or self.random.random() < 0.2:
            return tuple(values)
        changed = list(good)
        if self.random.random() < 0.85:
            at = self.random.randrange(len(changed))
            changed[at] = values[at]
        return tuple(changed)


# The bounds of dynamic arrays, which the ABI does not say: a longer one never reaches the contract.
BOUNDS = {
    (contract, function, argument): most
    for contracts, function, argument, most in (
        (("Clearinghouse", "LiquidationLogic"), "liquidate_isolated", "ids", 64),
        (("Clearinghouse", "LiquidationLogic"), "liquidate_cross", "accounts", 32),
        (("Clearinghouse", "LiquidationLogic"), "auto_deleverage", "ids", 64),
        (("Clearinghouse", "LiquidationLogic"), "settle_positions", "ids", 64),
        (("Clearinghouse", "MarketLogic"), "list_market", "tiers", 8),
        (("Clearinghouse", "MarketLogic"), "ramp_tiers", "tiers", 8),
        (("Clearinghouse", "MarketLogic"), "replace_tiers", "tiers", 8),
        (("OrderBook",), "execute_orders", "orders", 32),
        (("OrderBook",), "cancel_orders", "orders", 32),
        (("OrderBook", "OrderLogic"), "ratchet", "orders", 32),
        (("OrderBook", "OrderLogic"), "place_bracket", "children", 2),
        (("OrderBook", "OrderLogic"), "place_bracket_with_signature", "children", 2),
        (("PriceOracle",), "set_signers", "signers", 16),
    )
    for contract in contracts
}


@pytest.fixture(scope="module")
def busy(world: Protocol) -> Iterator[Protocol]:
    """A world where every kind of thing exists: positions, orders, a feed without a market."""
    with world.anchored() as protocol:
        trader, attacker = protocol.trader, protocol.attacker
        for account in (trader, attacker):
            protocol.deposit(account, 5_000 * USD)
            protocol.trade(account, 0, LOTS)
            protocol.trade(account, 0, LOTS, margin_mode=ISOLATED)
        protocol.trade(trader, 1, LOTS, is_buy=False)
        protocol.trade(trader, 1, LOTS, is_buy=False, margin_mode=ISOLATED)
        protocol.set_operator(trader, attacker)
        protocol.oracle.send(protocol.owner, "set_published_feed", 3, 10**10, 60, 3_600)
        advance(1)
        protocol.publish(3, 50_000)
        ended = protocol.place(trader, 0, LOTS, kind=LIMIT, acceptable_price=1)
        protocol.cancel(ended)
        for market in range(3):
            protocol.place(trader, market, LOTS)
            protocol.place(trader, market, LOTS, kind=LIMIT, acceptable_price=2**63)
            protocol.place(trader, market, 0, is_buy=False, reduce_only=True)
        shares = protocol.pool.read("balanceOf", protocol.liquidity_provider) // 100
        provider = protocol.liquidity_provider
        protocol.pool.send(provider, "requestRedeem", shares, provider, provider)
        advance(3_600)
        protocol.refresh()
        yield protocol


def externals() -> list[tuple[str, str]]:
    return [
        (name, function)
        for name in CONTRACTS
        for code in (name, *HANDED_ON.get(name, ()))
        for function in compiled(code).functions
    ]


@pytest.mark.parametrize(("contract_name", "function"), externals())
def test_no_input_is_refused_without_a_name(
    busy: Protocol, contract_name: str, function: str
) -> None:
    contract = next(c for c in busy.contracts if c.name == contract_name)
    arguments = Arguments(busy, f"{contract_name}.{function}")
    # Not the order book or the pool: what they pass on is theirs to check.
    senders = [
        *(busy.owner, busy.owner, busy.trader, busy.trader, busy.attacker, busy.guardian),
        busy.liquidity_provider,
    ]
    for _ in range(ROUNDS):
        given = arguments.of(contract, function)
        sender = arguments.random.choice(senders)
        with busy.anchored():
            receipt = contract.attempt(sender, function, *given)
            called = f"{contract_name}.{function}{tuple(given)} by {sender}"
            if receipt.refusal is not None:
                assert receipt.refusal != "", f"empty revert: {called}"
                is_imported = receipt.refusal.startswith(IMPORTED)
                assert is_imported or len(receipt.refusal) <= LONGEST_REASON
            elif not contract.functions[function].is_view:
                for event in receipt.events:
                    busy.accounts |= {
                        value
                        for name, value in event.values.items()
                        if name in ("account", "keeper", "receiver", "liquidator", "placer")
                    }
                busy.check_invariants()
