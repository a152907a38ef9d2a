"""A call from inside another call is refused, or does no more than one before or after it.

The lock is a contract's own, so while one contract is busy the others are not. At every door (a
moment where code runs that is not the exchange's) every entry point is tried, by whoever may call
it, with a call that would succeed.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import boa
import pytest

from bulkhead import prices
from tests.helpers.chain import Contract, Receipt, account_named, advance, now
from tests.helpers.entry_points import entry_points
from tests.helpers.feeds import LOT, PYTH_ID, pyth_update
from tests.helpers.protocol import BTC, COOLDOWN, ETH, SOL, USD, Protocol, mapped, position_id
from tests.helpers.scenes import INTERNAL, SCENES, Act

ROLES = ("owner", "trader", "keeper", "liquidity_provider", "guardian", "attacker", "intruder")
PULLED, ASKED = 900, 901  # markets of the intruder's feeds
CONTRACTS = ("clearinghouse", "book", "pool", "oracle")

Call = tuple[str, Contract, bytes]  # sender, target, calldata


class World(Protocol):
    """Everybody is a contract that can be made to call back; the intruder is called with tokens."""

    token_contract = "mocks/OddToken"

    def __init__(self) -> None:
        code = boa.env.get_code(Contract("mocks/Intruder").address)
        for role in ROLES:
            boa.env.set_code(account_named(role), code)
        super().__init__(BTC, ETH, SOL)
        self.intruder = self.actor("intruder")
        self.token.send(self.intruder, "set_hooked", self.intruder, True)
        boa.env.set_balance(self.intruder, 10**18)
        self.deposit(self.intruder, 1_000 * USD)
        self.pool.send(self.intruder, "deposit", 1_000 * USD, self.intruder)
        shares = 10**12
        number = self.pool.send(
            self.intruder, "requestRedeem", shares, self.intruder, self.intruder
        ).result
        advance(COOLDOWN)
        self.refresh()
        self.pool.send(self.keeper, "fix", number)
        pyth = Contract("mocks/MockPyth", 7)
        feeds: list[tuple[str, tuple[Any, ...]]] = [
            ("set_pyth_feed", (PULLED, LOT, 60, 3_600, pyth.address, PYTH_ID)),
            ("set_chainlink_feed", (ASKED, LOT, 60, 3_600, self.intruder)),
        ]
        for function, arguments in feeds:
            self.oracle.send(self.owner, function, *arguments)

    @property
    def hand(self) -> Contract:
        """The intruder's own code."""
        found = Contract.__new__(Contract)
        template = Contract("mocks/Intruder")
        found.__dict__.update(template.__dict__, address=self.intruder)
        return found

    def total(self) -> dict[str, int]:
        """Every word, and who has which share of the pool."""
        found = self.state()
        held = self.pool.slots["erc20.balanceOf"]
        for account in self.accounts:
            found[f"shares {account}"] = self.pool.storage(mapped(held, int(account, 16)))
        found["requests"] = self.pool.storage(self.pool.slots["request_count"])
        for market in (PULLED, ASKED):
            found[f"price {market}"] = self.oracle.storage(self.oracle.slots["_prices"] + market)
        return found


@pytest.fixture(scope="module")
def whole() -> World:
    return World()


@pytest.fixture
def protocol(whole: World) -> Iterator[World]:
    with whole.anchored():
        yield whole
        whole.check_invariants()


# Doors


def depositing(protocol: World) -> Act:
    """The payer is called before his tokens move; the clearinghouse is busy."""
    return lambda: protocol.clearinghouse.attempt(
        protocol.intruder, "deposit", protocol.intruder, USD
    )


def withdrawing(protocol: World) -> Act:
    return lambda: protocol.clearinghouse.attempt(
        protocol.intruder, "withdraw", USD, protocol.intruder
    )


def providing(protocol: World) -> Act:
    """The pool is busy, the clearinghouse is not."""
    return lambda: protocol.pool.attempt(protocol.intruder, "deposit", USD, protocol.intruder)


def claiming(protocol: World) -> Act:
    return lambda: protocol.pool.attempt(
        protocol.intruder, "redeem", 5 * 10**11, protocol.intruder, protocol.intruder
    )


def refunded(protocol: World) -> Act:
    """The oracle is busy, and returns what its update did not cost."""
    payload = prices.pyth_updates([pyth_update(50_000 * 10**8, published_at=now())])
    return lambda: protocol.oracle.attempt(
        protocol.intruder, "update", PULLED, payload, value=1_000
    )


# Which contracts are busy behind each door.
DOORS = {
    depositing: {"Clearinghouse"},
    withdrawing: {"Clearinghouse"},
    providing: {"LiquidityPool"},
    claiming: {"Clearinghouse", "LiquidityPool"},
    refunded: {"PriceOracle"},
}
# They move no value and call nobody: without the lock.
UNLOCKED = {
    "Clearinghouse.transfer_ownership",
    "Clearinghouse.accept_ownership",
    "LiquidityPool.transfer",
    "LiquidityPool.transferFrom",
    "LiquidityPool.approve",
    "LiquidityPool.permit",
}


def signing(protocol: World) -> Act:
    """The order book is busy, and asks a wallet whether it has signed."""
    order = protocol.order(protocol.intruder, 0, 10**7)
    arguments = (order, 7, now() + 60, b"\1")
    return lambda: protocol.book.attempt(protocol.keeper, "place_with_signature", *arguments)


def answering(protocol: World) -> Act:
    """The oracle is busy, and asks an aggregator for its price."""
    return lambda: protocol.oracle.attempt(protocol.keeper, "update", ASKED, b"")


class Captured(Exception):  # noqa: N818 - a call, not an error
    """A call that was not sent."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call


def call_of(act: Act, monkeypatch: pytest.MonkeyPatch) -> Call:
    """What an act would send."""

    def capture(self: Contract, sender: str, function: str, *arguments: Any, **_: Any) -> Receipt:
        raise Captured((sender, self, self.functions[function].calldata(arguments)))

    with monkeypatch.context() as patch:
        patch.setattr(Contract, "attempt", capture)
        with pytest.raises(Captured) as caught:
            act()
    return caught.value.call


def send(call: Call) -> bool:
    sender, target, payload = call
    computation = boa.env.execute_code(to_address=target.address, sender=sender, data=payload)
    return not computation.is_error


def arm(protocol: World, call: Call) -> None:
    sender, target, payload = call
    # Who is no contract of the scene (the order book itself) is played by the intruder.
    via = sender if sender in protocol.actors else protocol.intruder
    protocol.hand.send(protocol.attacker, "arm", via, target.address, payload)


def outcome(protocol: World, *steps: Callable[[], Any]) -> dict[str, int]:
    """The state after some calls, which are undone."""
    with protocol.anchored():
        for step in steps:
            step()
        return protocol.total()


@pytest.mark.parametrize("entry", SCENES)
def test_a_call_inside_another_is_as_good_as_one_before_or_after_it(
    protocol: World, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = call_of(SCENES[entry](protocol), monkeypatch)
    untouched = outcome(protocol)
    for door, busy in DOORS.items():
        outer = door(protocol)
        allowed = [
            untouched,
            outcome(protocol, outer),
            outcome(protocol, lambda: send(call), outer),
            outcome(protocol, outer, lambda: send(call)),
        ]
        assert untouched != allowed[1], "a door that opens"
        with protocol.anchored():
            arm(protocol, call)
            receipt = outer()
            assert receipt.refusal is not None or protocol.hand.read("was_called")
            assert protocol.total() in allowed, (door.__name__, receipt)
            if entry.split(".")[0] in busy and entry not in UNLOCKED:
                assert not protocol.hand.read("succeeded"), door.__name__


@pytest.mark.parametrize("entry", SCENES)
def test_who_is_asked_for_a_word_changes_nothing(
    protocol: World, entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wallet asked for a signature, an aggregator asked for a price."""
    call = call_of(SCENES[entry](protocol), monkeypatch)
    with protocol.anchored():
        arm(protocol, call)
        before = protocol.total()
        assert signing(protocol)().refusal == "signature: not the signer's"
        assert protocol.total() == before
        advance(1)
        assert answering(protocol)().refusal is None
        assert protocol.total() == before | {
            f"price {ASKED}": protocol.oracle.read("price_word", ASKED)
        }
        assert protocol.dollars_of(ASKED, BTC.lots) == 1


def test_every_entry_point_is_tried() -> None:
    assert SCENES.keys() | INTERNAL == entry_points()
    assert SCENES.keys() > UNLOCKED


# Views in between


class View(NamedTuple):
    contract: str
    function: str
    arguments: tuple[Any, ...]


def views(protocol: World) -> list[View]:
    """What others read to learn what something is worth."""
    intruder = protocol.intruder
    return [
        View("clearinghouse", "account_word", (intruder,)),
        View("clearinghouse", "position_word", (position_id(intruder, 0, 0),)),
        View("clearinghouse", "house_word", ()),
        View("clearinghouse", "market_words", (0,)),
        View("clearinghouse", "market_state", (0,)),
        View("pool", "totalAssets", ()),
        View("pool", "totalSupply", ()),
        View("pool", "balanceOf", (intruder,)),
        View("pool", "equity", ()),
        View("pool", "convertToAssets", (10**12,)),
        View("pool", "convertToShares", (USD,)),
        View("pool", "previewDeposit", (USD,)),
        View("pool", "maxWithdraw", (intruder,)),
        View("oracle", "price_word", (PULLED,)),
        View("oracle", "is_latest", (PULLED,)),
        View("book", "order_terms_word", (0,)),
    ]


@pytest.mark.parametrize("door", DOORS)
def test_a_view_in_between_says_what_it_will_say_or_nothing(
    protocol: World, door: Callable[[World], Act]
) -> None:
    """All is stored before anybody else's code runs."""
    outer = door(protocol)
    for view in views(protocol):
        contract = getattr(protocol, view.contract)
        with protocol.anchored():
            payload = contract.functions[view.function].calldata(view.arguments)
            arm(protocol, (protocol.intruder, contract, payload))
            outer()
            assert protocol.hand.read("was_called")
            if protocol.hand.read("succeeded"):
                answer = contract.functions[view.function].read(protocol.hand.read("answer"))
                assert answer == contract.read(view.function, *view.arguments), view
