"""Orders that their placer signed and somebody else brings."""

from typing import Any

import pytest

from tests.helpers.chain import Contract, advance, now, refused
from tests.helpers.protocol import EXECUTED, LIMIT, PENDING, STOP, USD, Order, Protocol
from tests.helpers.signing import bracket, digest_of, key_of, placement, signed, typed

LOTS = 10**7  # 0.1 BTC, 5,000 USD
KEEPER_FEE = USD // 5
KEY = key_of("signer")
NONCE = 2**200 + 5
HALF_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.fixture
def funded(protocol: Protocol) -> Protocol:
    protocol.deposit(KEY.address, 10_000 * USD, payer=protocol.trader)
    return protocol


def order_of(protocol: Protocol, **fields: Any) -> Order:
    return protocol.order(KEY.address, 0, LOTS, **fields)


def sign(protocol: Protocol, order: Order, nonce: int = NONCE, **more: Any) -> tuple[Any, ...]:
    """What `place_with_signature` takes."""
    deadline = more.pop("deadline", now() + 60)
    key = more.pop("key", KEY)
    signature = signed(key, typed(protocol, "Placement", placement(order, nonce, deadline), **more))
    return (order, nonce, deadline, signature)


def bring(protocol: Protocol, arguments: tuple[Any, ...]) -> Order:
    receipt = protocol.book.send(protocol.attacker, "place_with_signature", *arguments)
    (placed,) = protocol.placed_in(receipt)
    assert receipt.result == protocol.hash_of(placed)
    return placed


def test_anyone_brings_a_signed_order(funded: Protocol, attacker: str) -> None:
    placed = bring(funded, sign(funded, order_of(funded)))
    assert (placed.account, placed.placer) == (KEY.address, KEY.address)
    assert funded.account(KEY.address).escrow == KEEPER_FEE
    assert funded.cash(attacker) == 0
    assert funded.fill(placed).result == EXECUTED
    funded.check_invariants()


def test_the_commit_is_the_chains_not_the_signatures(funded: Protocol) -> None:
    arguments = sign(funded, order_of(funded))
    advance(50)
    funded.push_price(0, 50_000)
    placed = bring(funded, arguments)
    assert funded.order_state(placed).executable_from == now() + 2
    with refused("price: too early"):
        funded.execute(placed)


def test_an_order_may_leave_its_account_to_the_signer(funded: Protocol) -> None:
    order = order_of(funded)._replace(account="0x" + "0" * 40)
    assert bring(funded, sign(funded, order)).account == KEY.address


def test_a_nonce_counts_once(funded: Protocol) -> None:
    arguments = sign(funded, order_of(funded))
    bring(funded, arguments)
    with refused("signature: nonce is spent"):
        bring(funded, arguments)
    with refused("signature: nonce is spent"):
        bring(funded, sign(funded, order_of(funded)))
    bring(funded, sign(funded, order_of(funded), NONCE + 1))
    bring(funded, sign(funded, order_of(funded), 0))
    assert funded.book.read("nonce_word", KEY.address, NONCE >> 8) == 3 << 5
    assert funded.book.read("nonce_word", KEY.address, 0) == 1


def test_a_spent_nonce_is_logged(funded: Protocol, attacker: str) -> None:
    arguments = sign(funded, order_of(funded))
    event = funded.book.send(attacker, "place_with_signature", *arguments).event("NoncesSpent")
    assert (event.signer, event.index, event.nonce_word) == (KEY.address, NONCE >> 8, 1 << 5)


def test_a_signer_voids_what_it_signed(funded: Protocol, attacker: str) -> None:
    arguments = sign(funded, order_of(funded))
    funded.book.send(attacker, "cancel_nonces", NONCE >> 8, 2**256 - 1)
    with funded.anchored():
        bring(funded, arguments)
    receipt = funded.book.send(KEY.address, "cancel_nonces", NONCE >> 8, 1 << (NONCE & 255))
    assert receipt.event("NoncesSpent").nonce_word == 1 << 5
    with refused("signature: nonce is spent"):
        bring(funded, arguments)


def test_a_signature_has_its_time(funded: Protocol) -> None:
    arguments = sign(funded, order_of(funded), deadline=now() + 10)
    advance(10)
    with funded.anchored():
        bring(funded, arguments)
    advance(1)
    with refused("signature: expired"):
        bring(funded, arguments)


@pytest.mark.parametrize(
    "domain",
    [
        {"chainId": 5},
        {"verifyingContract": "0x" + "11" * 20},
        {"name": "Bulkhead2"},
        {"version": "2"},
    ],
)
def test_a_signature_is_for_one_chain_and_contract(
    funded: Protocol, domain: dict[str, Any]
) -> None:
    with refused("signature: not the signer's"):
        bring(funded, sign(funded, order_of(funded), **domain))


def test_a_signature_is_for_what_was_signed(funded: Protocol, attacker: str) -> None:
    order, nonce, deadline, signature = sign(funded, order_of(funded))
    forged: list[tuple[Any, ...]] = [
        (order._replace(size=2 * LOTS), nonce, deadline, signature),
        (order._replace(account=attacker), nonce, deadline, signature),
        (order._replace(placer=attacker), nonce, deadline, signature),
        (order._replace(group=b"\1" * 32, kind=LIMIT), nonce, deadline, signature),
        (order, nonce + 1, deadline, signature),
        (order, nonce, deadline + 1, signature),
        (order, nonce, deadline, signature[:64]),
        (order, nonce, deadline, signature + b"\0"),
        (order, nonce, deadline, b""),
    ]
    before = funded.state()
    for arguments in forged:
        with refused("signature: not the signer's"):
            bring(funded, arguments)
    assert funded.state() == before


def test_a_malleable_twin_is_refused(funded: Protocol) -> None:
    order, nonce, deadline, signature = sign(funded, order_of(funded))
    twin = HALF_ORDER - int.from_bytes(signature[32:64], "big")
    flipped = signature[:32] + twin.to_bytes(32, "big") + bytes([55 - signature[64]])
    with refused("ecdsa: invalid signature `s` value"):
        bring(funded, (order, nonce, deadline, flipped))
    with refused("ecdsa: invalid signature"):
        bring(funded, (order, nonce, deadline, signature[:64] + b"\0"))


def test_nobody_signs_for_the_zero_address(funded: Protocol) -> None:
    order, nonce, deadline, signature = sign(funded, order_of(funded))
    nobody = order._replace(placer="0x" + "0" * 40)
    with refused("signature: not the signer's"):
        bring(funded, (nobody, nonce, deadline, signature))


def test_an_order_is_placed_once_by_hash_too(funded: Protocol) -> None:
    order = order_of(funded, kind=LIMIT, acceptable_price=1)
    bring(funded, sign(funded, order))
    with refused("order: already placed"):
        bring(funded, sign(funded, order, NONCE + 1))


def test_an_operator_signs_within_its_rights(funded: Protocol, trader: str) -> None:
    funded.deposit(trader, 10_000 * USD)
    order = funded.order(trader, 0, LOTS, placer=KEY.address)
    with refused("operator: not allowed"):
        bring(funded, sign(funded, order))
    funded.set_operator(trader, KEY.address, permissions=1, markets=1, notional=5_000 * USD)
    assert bring(funded, sign(funded, order)).account == trader
    with refused("operator: notional spent"):
        bring(funded, sign(funded, order._replace(salt=10**9), NONCE + 1))


# Brackets


def bracket_of(protocol: Protocol) -> tuple[Order, Order]:
    entry = order_of(protocol)
    return entry, protocol.exit_of(entry, kind=STOP, trigger_price=protocol.femto(0, 48_000))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_bracket_is_signed_as_a_whole(funded: Protocol, attacker: str, count: int) -> None:
    entry, stop = bracket_of(funded)
    children = [stop._replace(salt=10**9 + i) for i in range(count)]
    deadline = now() + 60
    data = typed(funded, "Bracket", bracket(entry, children, NONCE, deadline))
    arguments = (entry, children, NONCE, deadline, signed(KEY, data))
    receipt = funded.book.send(attacker, "place_bracket_with_signature", *arguments)
    placed = funded.placed_in(receipt)
    assert tuple(receipt.result) == tuple(funded.hash_of(order) for order in placed)
    assert len(placed) == 1 + count
    with refused("signature: nonce is spent"):
        funded.book.send(attacker, "place_bracket_with_signature", *arguments)
    assert funded.fill(placed[0]).result == EXECUTED
    if count:
        assert funded.fill(placed[1], 48_000).result == EXECUTED
    funded.check_invariants()


def test_no_child_is_left_out_or_swapped(funded: Protocol, attacker: str) -> None:
    entry, stop = bracket_of(funded)
    deadline = now() + 60
    data = typed(funded, "Bracket", bracket(entry, [stop], NONCE, deadline))
    signature = signed(KEY, data)
    for children in ([], [stop, stop], [stop._replace(trigger_price=1)]):
        with refused("signature: not the signer's"):
            funded.book.send(
                attacker,
                "place_bracket_with_signature",
                *(entry, children, NONCE, deadline, signature),
            )
    with refused("signature: not the signer's"):
        bring(funded, (entry, NONCE, deadline, signature))


# Wallets with code

HONEST, REVERTS, BURNS, GARBAGE, SHORT, LONG = range(6)


@pytest.fixture
def wallet(protocol: Protocol) -> Contract:
    found = Contract("mocks/MockWallet")
    protocol.deposit(found.address, 10_000 * USD, payer=protocol.trader)
    return found


def wallets_order(
    protocol: Protocol, wallet: Contract, signature: bytes
) -> tuple[Order, int, int, bytes]:
    order = protocol.order(wallet.address, 0, LOTS)
    deadline = now() + 60
    digest = digest_of(typed(protocol, "Placement", placement(order, NONCE, deadline)))
    wallet.send(protocol.trader, "approve", digest, signature)
    return order, NONCE, deadline, signature


@pytest.mark.parametrize("length", [0, 1, 65, 1_024])
def test_a_wallet_says_what_it_signed(protocol: Protocol, wallet: Contract, length: int) -> None:
    placed = bring(protocol, wallets_order(protocol, wallet, b"\x07" * length))
    assert placed.account == wallet.address
    assert protocol.status(placed) == PENDING


def test_a_wallet_says_no_to_the_rest(protocol: Protocol, wallet: Contract) -> None:
    order, nonce, deadline, _ = wallets_order(protocol, wallet, b"\x07")
    with refused("signature: not the signer's"):
        bring(protocol, (order, nonce, deadline, b"\x08"))


@pytest.mark.parametrize("mood", [REVERTS, BURNS, GARBAGE, SHORT])
def test_a_hostile_wallet_places_nothing(protocol: Protocol, wallet: Contract, mood: int) -> None:
    arguments = wallets_order(protocol, wallet, b"\x07")
    wallet.send(protocol.trader, "set_mood", mood)
    before = protocol.state()
    receipt = protocol.book.attempt(protocol.attacker, "place_with_signature", *arguments)
    assert receipt.refusal == "signature: not the signer's"
    assert receipt.gas_used < 1_300_000, "what it burns is bounded"
    assert protocol.state() == before


def test_a_talkative_wallet_is_heard_for_a_word(protocol: Protocol, wallet: Contract) -> None:
    arguments = wallets_order(protocol, wallet, b"\x07")
    wallet.send(protocol.trader, "set_mood", LONG)
    bring(protocol, arguments)


def test_no_key_signs_for_a_wallet(protocol: Protocol, wallet: Contract) -> None:
    order = protocol.order(wallet.address, 0, LOTS)
    with refused("signature: not the signer's"):
        bring(protocol, sign(protocol, order))
