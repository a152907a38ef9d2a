"""The plan of every event against eth_abi, which decodes by the types alone."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhead.decoding import EventPlan, signature_of, type_of
from bulkhead.interfaces import Log, interface_of, user_abi

CONTRACTS = (
    "Clearinghouse",
    "OrderBook",
    "PriceOracle",
    "LiquidityPool",
    "MockToken",
    "Timelock",
)
EVENTS = {
    f"{contract}.{entry['name']}": entry
    for contract in CONTRACTS
    for entry in user_abi(contract)
    if entry["type"] == "event"
}
ADDRESSES = st.binary(min_size=20, max_size=20).map(to_checksum_address)
BASIC: dict[str, st.SearchStrategy[Any]] = {
    "address": ADDRESSES,
    "bool": st.booleans(),
    "string": st.text(max_size=20),
    "bytes": st.binary(max_size=70),
    "bytes4": st.binary(min_size=4, max_size=4),
    "bytes32": st.binary(min_size=32, max_size=32),
    "uint8": st.integers(0, 2**8 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
}


def values_of(component: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a component, as users get them; `plain` makes them what an encoder takes."""
    kind = component["type"]
    if kind.endswith("]"):
        element = values_of({**component, "type": kind[: kind.rindex("[")]})
        return st.lists(element, max_size=4).map(tuple)
    if kind == "tuple":
        return st.fixed_dictionaries({c["name"]: values_of(c) for c in component["components"]})
    return BASIC[kind]


def plain(component: dict[str, Any], value: Any) -> Any:
    kind = component["type"]
    if kind.endswith("]"):
        element = {**component, "type": kind[: kind.rindex("[")]}
        return [plain(element, one) for one in value]
    if kind == "tuple":
        return tuple(plain(one, value[one["name"]]) for one in component["components"])
    return value


def encoded(components: list[dict[str, Any]], arguments: dict[str, Any]) -> bytes:
    values = [plain(one, arguments[one["name"]]) for one in components]
    return encode([type_of(one) for one in components], values)


def logged(entry: dict[str, Any], arguments: dict[str, Any]) -> tuple[tuple[bytes, ...], bytes]:
    """The topics and the data of an event with these arguments."""
    indexed = [encoded([one], arguments) for one in entry["inputs"] if one["indexed"]]
    rest = [one for one in entry["inputs"] if not one["indexed"]]
    return (keccak(text=signature_of(entry)), *indexed), encoded(rest, arguments)


@pytest.mark.parametrize("name", EVENTS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_event_comes_back_as_it_was_logged(name: str, data: st.DataObject) -> None:
    entry = EVENTS[name]
    strategy = st.fixed_dictionaries({c["name"]: values_of(c) for c in entry["inputs"]})
    arguments = data.draw(strategy)
    topics, body = logged(entry, arguments)
    log = Log("0x" + "11" * 20, topics, body, 7, "0x22", 3)
    event = interface_of(name.split(".")[0]).decode_log(log)
    assert event is not None
    assert event.name == entry["name"]
    assert event.arguments == arguments
    assert {key: type(value) for key, value in event.arguments.items()} == {
        key: type(value) for key, value in arguments.items()
    }
    assert (event.address, event.block, event.transaction, event.index) == (
        *(log.address, log.block, log.transaction, log.index),
    )


ENTRY = {
    "name": "Odd",
    "inputs": [
        {"name": "who", "type": "address", "indexed": True},
        {"name": "whom", "type": "address", "indexed": False},
        {"name": "yes", "type": "bool", "indexed": False},
        {"name": "amount", "type": "uint256", "indexed": False},
    ],
}
GOOD = encode(["address", "bool", "uint256"], ["0x" + "12" * 20, True, 5])
WHO = encode(["address"], ["0x" + "34" * 20])


@given(at=st.integers(0, 95), byte=st.integers(0, 255), cut=st.integers(0, 40))
def test_malformed_data_is_refused_as_eth_abi_refuses_it(at: int, byte: int, cut: int) -> None:
    body = bytearray(GOOD)
    body[at] = byte
    data = bytes(body[: len(body) - cut])
    plan = EventPlan(ENTRY)
    try:
        expected = decode(["address", "bool", "uint256"], data)
    except DecodingError as error:
        with pytest.raises(type(error)):
            plan.decode([plan.topic, WHO], data)
    else:
        found = plan.decode([plan.topic, WHO], data)
        assert (found["whom"].lower(), found["yes"], found["amount"]) == expected


def test_a_malformed_topic_is_refused() -> None:
    plan = EventPlan(ENTRY)
    for topic in (b"\x01" + WHO[1:], WHO[:31]):
        with pytest.raises(DecodingError):
            plan.decode([plan.topic, topic], GOOD)


def test_what_follows_the_data_is_left_alone() -> None:
    plan = EventPlan(ENTRY)
    assert plan.decode([plan.topic, WHO], GOOD + b"rest")["amount"] == 5


@pytest.mark.parametrize("topics", [0, 2])
def test_another_number_of_topics_is_refused(topics: int) -> None:
    plan = EventPlan(ENTRY)
    with pytest.raises(ValueError, match="topics"):
        plan.decode([plan.topic] + [WHO] * topics, GOOD)
