"""Every state-changing function there is, and which of them are the owner's alone."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.helpers.chain import Contract, compiled, now
from tests.helpers.protocol import TIERS, USD, Protocol, terms_named

CLEARINGHOUSE = "ownable: caller is not the owner"
OTHERS = "caller: not the owner"  # they ask the clearinghouse
NEW_OWNER = "ownable_2step: caller is not the new owner"


class OwnerCall(NamedTuple):
    """A call that only the owner may make."""

    contract: str
    function: str
    arguments: tuple[Any, ...]
    refusal: str

    @property
    def entry(self) -> str:
        return f"{self.contract}.{self.function}"

    def of(self, protocol: Protocol) -> Contract:
        return contract_named(protocol, self.contract)


def owner_calls(protocol: Protocol) -> list[OwnerCall]:
    """Every call that is the owner's, with arguments that he could send."""
    someone = protocol.attacker
    aggregator = Contract("mocks/MockAggregator", 8).address
    pyth = Contract("mocks/MockPyth", 1).address
    uptime = Contract("mocks/MockAggregator", 0).address
    feed = (0, 10**10, 60, 3_600)
    return [
        OwnerCall("Clearinghouse", function, arguments, refusal)
        for function, arguments, refusal in (
            ("list_market", ("XRP-PERP", terms_named(), TIERS), CLEARINGHOUSE),
            ("set_terms", (0, terms_named()), CLEARINGHOUSE),
            ("ramp_tiers", (0, TIERS, 86_400), CLEARINGHOUSE),
            ("replace_tiers", (0, TIERS), CLEARINGHOUSE),
            ("set_status", (0, 0), CLEARINGHOUSE),
            ("set_guardian", (someone,), CLEARINGHOUSE),
            ("stop_opening", (False,), CLEARINGHOUSE),
            ("claim_fees", (someone,), CLEARINGHOUSE),
            ("request_insurance", (USD,), CLEARINGHOUSE),
            ("withdraw_insurance", (someone,), CLEARINGHOUSE),
            ("transfer_ownership", (someone,), CLEARINGHOUSE),
            ("accept_ownership", (), NEW_OWNER),
        )
    ] + [
        OwnerCall("OrderBook", "set_order_terms", (0, 0, 2, 60, 0), OTHERS),
        *[
            OwnerCall("PriceOracle", function, arguments, OTHERS)
            for function, arguments in (
                ("set_published_feed", feed),
                ("set_chainlink_feed", (*feed, aggregator)),
                ("set_pyth_feed", (*feed, pyth, bytes(31) + b"\x07")),
                ("set_signed_feed", feed),
                ("set_publisher", (someone, True)),
                ("set_signers", ([someone], 1)),
                ("set_check", (0, aggregator, 10_000, 10_000)),
                ("set_sequencer", (uptime, 3_600)),
                ("announce_settlement", (0, now() // 3_600 + 48)),
                ("cancel_settlement", (0,)),
            )
        ],
    ]


def contract_named(protocol: Protocol, name: str) -> Contract:
    return {
        "Clearinghouse": protocol.clearinghouse,
        "OrderBook": protocol.book,
        "LiquidityPool": protocol.pool,
        "PriceOracle": protocol.oracle,
    }[name]


def entry_points() -> set[str]:
    """`Contract.function` of all that changes state, what is forwarded included."""
    return set(_entry_points())


def _entry_points() -> Iterator[str]:
    for contract in ("Clearinghouse", "OrderBook", "LiquidityPool", "PriceOracle"):
        for name in _changing(contract):
            yield f"{contract}.{name}"
    for logic, contract in (("MarketLogic", "Clearinghouse"), ("OrderLogic", "OrderBook")):
        for name in _changing(logic):
            yield f"{contract}.{name}"


def _changing(contract: str) -> Iterator[str]:
    for entry in compiled(contract).abi:
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable"):
            yield entry["name"]
