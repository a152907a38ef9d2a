"""Who may do what: owner, guardian, and what neither may."""

import pytest

from tests.helpers.chain import Contract, account_named, refused
from tests.helpers.entry_points import entry_points, owner_calls
from tests.helpers.protocol import USD, Protocol

NOBODY = "0x" + "00" * 20
LOTS = 10**7  # 0.1 BTC, 5,000 USD


def test_ownership_moves_in_two_steps(protocol: Protocol, owner: str, trader: str) -> None:
    house = protocol.clearinghouse
    event = house.send(owner, "transfer_ownership", trader).event("OwnershipTransferStarted")
    assert (event.previous_owner, event.new_owner) == (owner, trader)
    assert (house.read("owner"), house.read("pending_owner")) == (owner, trader)
    event = house.send(trader, "accept_ownership").event("OwnershipTransferred")
    assert (event.previous_owner, event.new_owner) == (owner, trader)
    assert (house.read("owner"), house.read("pending_owner")) == (trader, NOBODY)
    for contract, verb, arguments in (
        (protocol.oracle, "set_publisher", (trader, True)),
        (protocol.book, "set_order_terms", (0, 0, 2, 60, 0)),
    ):
        with refused("caller: not the owner"):
            contract.send(owner, verb, *arguments)
        contract.send(trader, verb, *arguments)


def test_nobody_else_takes_ownership(protocol: Protocol, owner: str, attacker: str) -> None:
    with refused("ownable: caller is not the owner"):
        protocol.clearinghouse.send(attacker, "transfer_ownership", attacker)
    protocol.clearinghouse.send(owner, "transfer_ownership", protocol.trader)
    with refused("ownable_2step: caller is not the new owner"):
        protocol.clearinghouse.send(attacker, "accept_ownership")


def test_a_pending_owner_is_replaced_by_a_later_one(
    protocol: Protocol, owner: str, trader: str, keeper: str
) -> None:
    protocol.clearinghouse.send(owner, "transfer_ownership", trader)
    protocol.clearinghouse.send(owner, "transfer_ownership", keeper)
    with refused("ownable_2step: caller is not the new owner"):
        protocol.clearinghouse.send(trader, "accept_ownership")
    protocol.clearinghouse.send(keeper, "accept_ownership")


def test_the_deployer_keeps_nothing(protocol: Protocol) -> None:
    assert protocol.clearinghouse.read("owner") == protocol.owner


def test_a_clearinghouse_has_an_owner(protocol: Protocol) -> None:
    with refused("owner: zero"):
        Contract("Clearinghouse", NOBODY, protocol.token.address, *[NOBODY] * 7)


def test_the_contracts_name_each_other(protocol: Protocol) -> None:
    house = protocol.clearinghouse
    assert house.read("ORDER_BOOK") == protocol.book.address
    assert house.read("LIQUIDITY_POOL") == protocol.pool.address
    assert house.read("PRICE_ORACLE") == protocol.oracle.address
    assert house.read("ACCOUNT_LOGIC") == protocol.account_logic.address
    assert house.read("HOUSE_LOGIC") == protocol.house_logic.address
    assert house.read("LIQUIDATION_LOGIC") == protocol.liquidation_logic.address
    assert house.read("MARKET_LOGIC") == protocol.market_logic.address
    for contract in (protocol.book, protocol.oracle, protocol.pool):
        assert contract.read("CLEARINGHOUSE") == house.address


# The guardian


def test_the_owner_names_the_guardian(
    protocol: Protocol, owner: str, guardian: str, attacker: str
) -> None:
    receipt = protocol.clearinghouse.send(owner, "set_guardian", attacker)
    assert receipt.event("GuardianSet").guardian == attacker
    assert protocol.clearinghouse.read("guardian") == attacker
    for sender in (guardian, attacker):
        with refused("ownable: caller is not the owner"):
            protocol.clearinghouse.send(sender, "set_guardian", guardian)


def test_the_guardian_stops_opening_and_only_the_owner_resumes(
    protocol: Protocol, owner: str, guardian: str, attacker: str
) -> None:
    receipt = protocol.clearinghouse.send(guardian, "stop_opening", True)
    assert receipt.event("OpeningStopped").stopped is True
    assert protocol.clearinghouse.read("opening_stopped") is True
    with refused("ownable: caller is not the owner"):
        protocol.clearinghouse.send(guardian, "stop_opening", False)
    protocol.clearinghouse.send(owner, "stop_opening", False)
    assert protocol.clearinghouse.read("opening_stopped") is False
    protocol.clearinghouse.send(owner, "stop_opening", True)
    for stopped in (True, False):
        with refused("ownable: caller is not the owner"):
            protocol.clearinghouse.send(attacker, "stop_opening", stopped)


def test_a_stop_leaves_every_way_out_open(protocol: Protocol, trader: str, guardian: str) -> None:
    protocol.deposit(trader, 5_000 * USD)
    protocol.trade(trader, 0, LOTS, margin_mode=2)
    protocol.trade(trader, 0, LOTS, margin_mode=1)
    protocol.clearinghouse.send(guardian, "stop_opening", True)
    protocol.deposit(trader, USD)
    protocol.clearinghouse.send(trader, "add_margin", 0, True, USD)
    protocol.clearinghouse.send(trader, "remove_margin", 0, True, USD)
    protocol.trade(trader, 0, 0, margin_mode=1, is_buy=False, reduce_only=True)
    protocol.trade(trader, 0, 0, margin_mode=2, is_buy=False, reduce_only=True)
    protocol.withdraw(trader, protocol.cash(trader))


# The owner

OWNERS = {
    "Clearinghouse": {
        "list_market",
        "set_terms",
        "ramp_tiers",
        "replace_tiers",
        "set_status",
        "set_guardian",
        "stop_opening",
        "claim_fees",
        "request_insurance",
        "withdraw_insurance",
        "transfer_ownership",
        "accept_ownership",
    },
    "OrderBook": {"set_order_terms"},
    "PriceOracle": {
        "set_published_feed",
        "set_chainlink_feed",
        "set_pyth_feed",
        "set_signed_feed",
        "set_publisher",
        "set_signers",
        "set_check",
        "set_sequencer",
        "announce_settlement",
        "cancel_settlement",
    },
}
SETTERS_OF_ONE_S_OWN = {
    "set_leverage",
    "set_default_margin_mode",
    "set_hedge_mode",
    "set_auto_margin",
    "set_operator",
    "set_referral_share",
    "set_referrer",
    "setOperator",
}


def test_every_parameter_is_the_owner_s(protocol: Protocol) -> None:
    """Whatever sets something that is not the caller's own is in the table of the owner's calls."""
    named = {call.entry for call in owner_calls(protocol)}
    assert named == {f"{name}.{verb}" for name, verbs in OWNERS.items() for verb in verbs}
    assert named <= entry_points()
    for entry in entry_points() - named:
        verb = entry.split(".")[1]
        assert not verb.startswith(("set_", "setO")) or verb in SETTERS_OF_ONE_S_OWN, entry


@pytest.mark.parametrize(
    "role",
    ["attacker", "trader", "keeper", "liquidity_provider", "guardian", "deployer", "former owner"],
)
def test_every_owner_s_call_refuses_everybody_else(protocol: Protocol, role: str) -> None:
    sender = account_named(role)
    if role == "former owner":
        sender = protocol.owner
        protocol.clearinghouse.send(sender, "transfer_ownership", account_named("heir"))
        protocol.clearinghouse.send(account_named("heir"), "accept_ownership")
    before = protocol.state()
    for call in owner_calls(protocol):
        with refused(call.refusal):
            call.of(protocol).send(sender, call.function, *call.arguments)
    assert protocol.state() == before


@pytest.mark.parametrize("name", ["book", "pool", "oracle", "clearinghouse", "market_logic"])
def test_no_contract_of_the_exchange_is_its_owner(protocol: Protocol, name: str) -> None:
    sender = getattr(protocol, name).address
    for call in owner_calls(protocol):
        with refused(call.refusal):
            call.of(protocol).send(sender, call.function, *call.arguments)


def test_a_logic_contract_has_no_owner(protocol: Protocol) -> None:
    """Called directly it refuses everybody, its deployer and the exchange's owner too."""
    for logic in protocol.logics:
        for call in owner_calls(protocol):
            if call.function not in logic.functions or call.function == "set_status":
                continue
            for sender in (protocol.owner, account_named("deployer")):
                with refused(call.refusal):
                    logic.send(sender, call.function, *call.arguments)
