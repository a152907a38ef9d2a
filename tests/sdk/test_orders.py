from dataclasses import asdict, replace

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from bulkhead import orders
from bulkhead.interfaces import Event
from bulkhead.orders import NO_GROUP, NOBODY, Order, OrderState, PlacedOrder

BOOK = "0x" + "b0" * 20
ORDER = Order(
    account="0x" + "a1" * 20,
    placer="0x" + "a2" * 20,
    market=3,
    kind=2,
    margin_mode=2,
    position_side=1,
    is_buy=True,
    reduce_only=False,
    size=4,
    trigger_price=5,
    callback_rate=0,
    acceptable_price=6,
    margin=7,
    leverage=8,
    expiry=9,
    group=NO_GROUP,
    builder=NOBODY,
    builder_fee=0,
    salt=2**256 - 1,
)
PLACED = PlacedOrder(b"\1" * 32, ORDER, 10, 11, 12)


KINDS = {str: "address", bool: "bool", int: "uint256", bytes: "bytes32"}
FIELDS = [{"name": name, "type": KINDS[type(getattr(ORDER, name))]} for name in Order.__slots__]
NUMBERS = [{"name": name, "type": "uint256"} for name in ("nonce", "deadline")]
TYPES = {
    "Order": {"Order": FIELDS},
    "Placement": {
        "Placement": [{"name": "order", "type": "Order"}, *NUMBERS],
        "Order": FIELDS,
    },
    "Bracket": {
        "Bracket": [
            {"name": "entry", "type": "Order"},
            {"name": "children", "type": "Order[]"},
            *NUMBERS,
        ],
        "Order": FIELDS,
    },
}
SEPARATOR = orders.domain_separator(31_337, BOOK)


def typed_digest(primary: str, message: dict[str, object]) -> bytes:
    """As a wallet computes it."""
    signable = encode_typed_data(
        domain_data={
            "name": "Bulkhead",
            "version": "1",
            "chainId": 31_337,
            "verifyingContract": BOOK,
        },
        message_types=TYPES[primary],
        message_data=message,
    )
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def test_the_hash_is_eip_712() -> None:
    assert orders.hash_of(ORDER, SEPARATOR) == typed_digest("Order", asdict(ORDER))


def test_what_is_signed_is_eip_712() -> None:
    numbers = {"nonce": 2**255, "deadline": 17}
    expected = typed_digest("Placement", {"order": asdict(ORDER), **numbers})
    assert orders.placement_digest(ORDER, 2**255, 17, SEPARATOR) == expected


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_signed_bracket_is_eip_712(count: int) -> None:
    children = [replace(ORDER, salt=salt) for salt in range(count)]
    message = {"entry": asdict(ORDER), "children": [asdict(child) for child in children]}
    expected = typed_digest("Bracket", {**message, "nonce": 3, "deadline": 4})
    assert orders.bracket_digest(ORDER, children, 3, 4, SEPARATOR) == expected


KEEPER = "0x" + "c1" * 20


def ended(name: str, *, receiver: str = KEEPER, **arguments: object) -> Event:
    paid = {"account": ORDER.account, "receiver": receiver, "keeper_fee": 5}
    return Event(name, {**paid, **arguments}, BOOK, 20, "0x", 0)


@pytest.mark.parametrize(
    ("event", "state", "reason"),
    [
        (ended("OrderExecuted"), OrderState.EXECUTED, ""),
        (ended("OrderCancelled", reason="cap: skew"), OrderState.CANCELLED, "cap: skew"),
        (ended("OrderCancelled", reason="order: expired"), OrderState.EXPIRED, "order: expired"),
    ],
)
def test_an_outcome_is_read_from_the_event_of_its_end(
    event: Event, state: OrderState, reason: str
) -> None:
    outcome = orders.ended(event, ())
    assert (outcome.state, outcome.reason, outcome.block) == (state, reason, 20)


@pytest.mark.parametrize(("receiver", "fee"), [(KEEPER, 5), (ORDER.account, 0)])
def test_a_fee_that_returns_is_nobody_s_gain(receiver: str, fee: int) -> None:
    event = ended("OrderCancelled", receiver=receiver, reason="margin: below initial")
    assert orders.ended(event, ()).keeper_fee == fee


def test_a_pending_order_past_its_expiry_has_expired() -> None:
    assert orders.resting(PLACED, now=9).state is OrderState.PENDING
    assert orders.resting(PLACED, now=10).state is OrderState.EXPIRED
    never = replace(PLACED, order=replace(ORDER, expiry=0))
    assert orders.resting(never, 10**9).state is OrderState.PENDING
