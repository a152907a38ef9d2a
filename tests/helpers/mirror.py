"""The engine beside the contracts: the same actions at the same times, and no difference at all."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from bulkhead.errors import Refused
from bulkhead.interfaces import Event, Log, interface_of
from bulkhead.listings import Terms, TierTerms
from bulkhead.orders import Order, domain_separator
from bulkhead.protocol import words
from bulkhead.replay import Replay
from bulkhead.simulate import closing
from bulkhead.simulate.engine import Engine
from bulkhead.simulate.liquidity_pool import PoolState
from bulkhead.state import ExchangeState
from tests.helpers.chain import Contract, Receipt, now
from tests.helpers.protocol import COOLDOWN, Ledger, Protocol

WATCHED = ("Clearinghouse", "OrderBook", "PriceOracle", "LiquidityPool")
OF_THE_TOKENS = {"Transfer", "Approval"}
# The owner's and his helpers' calls: who sends them is not the engine's to judge.
SENDERLESS = {
    "add_liquidity",
    "announce_settlement",
    "cancel_settlement",
    "claim_fees",
    "end_ramp",
    "fix_settlement",
    "lapse",
    "ramp_tiers",
    "replace_tiers",
    "request_insurance",
    "set_order_terms",
    "set_status",
    "set_terms",
    "stop_opening",
    "withdraw_insurance",
}


class Recorder:
    """All that the exchange's contracts log while it watches."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        attempt = Contract.attempt

        def watched(contract: Contract, *arguments: Any, **options: Any) -> Receipt:
            receipt = attempt(contract, *arguments, **options)
            if contract.name in WATCHED:
                self.events += events_of(receipt)
            return receipt

        with patch.object(Contract, "attempt", watched):
            yield


class Mirror:
    """Makes every call on the exchange again in the engine, and compares."""

    def __init__(self, protocol: Protocol, state: ExchangeState) -> None:
        self.protocol = protocol
        (_, name, version, chain_id, book, *_) = protocol.book.read("eip712Domain")
        assert (name, version) == ("Bulkhead", "1")
        pool, provider = protocol.pool, protocol.liquidity_provider
        shares = PoolState(COOLDOWN, {provider: pool.read("balanceOf", provider)})
        self.engine = Engine(state, now(), domain=domain_separator(chain_id, book), pool=shares)
        self.calls: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        for contract in (protocol.clearinghouse, protocol.book, protocol.oracle, protocol.pool):
            contract.attempt = partial(self.attempt, contract, contract.attempt)  # type: ignore[method-assign]
        self.compare()
        for contract in (protocol.clearinghouse, protocol.oracle):
            contract.read = partial(self.read, contract.read)  # type: ignore[method-assign]

    def read(self, read: Callable[..., Any], function: str, *arguments: Any) -> Any:
        """Words that were compared after the last call are read where that takes no time."""
        state = self.engine.state
        match function, arguments:
            case "price_word", (market,):
                return words.pack_price(state.prices[market])
            case "market_words", (market,):
                return state.market_words(market)
            case "house_word", ():
                return words.pack_house(state.house)
            case "account_word", (account,):
                return words.pack_account(self.engine.ledger.account(account))
            case "position_word", (id_,):
                return words.pack_position(closing.holding_of(self.engine.ledger, id_)[3])
        return read(function, *arguments)

    def attempt(
        self,
        contract: Contract,
        attempt: Callable[..., Receipt],
        sender: str,
        function: str,
        *arguments: Any,
        **options: Any,
    ) -> Receipt:
        receipt = attempt(sender, function, *arguments, **options)
        self.engine.now = now()
        self.calls[function] += 1
        value: Any = None
        refusal: str | None = None
        events: Sequence[Event] = ()
        try:
            done = self.verb(contract, sender, function, arguments)()
            value, events = done.value, done.events
        except Refused as error:
            refusal = error.reason
            self.refusals[refusal] += 1
        assert refusal == receipt.refusal, (function, arguments, refusal, receipt.refusal)
        if refusal is None:
            assert value == receipt.result, (function, value, receipt.result)
            logged = [event for event in receipt.events if event.name not in OF_THE_TOKENS]
            assert [one.name for one in events] == [one.name for one in logged]
            for ours, theirs in zip(events, logged, strict=True):
                assert flat(ours.arguments) == theirs.values, (function, ours.name)
        if function == "update":
            self.compare_price(arguments[0])  # all that it may touch, and there are many
        else:
            self.compare()
        return receipt

    def verb(
        self, contract: Contract, sender: str, function: str, arguments: Sequence[Any]
    ) -> Callable[[], Any]:
        """The engine's call for one of a contract."""
        target: Any = self.engine
        if contract.name == "LiquidityPool":
            target, function = self.engine.pool, POOL.get(function, function)
            if function in ("request_redeem", "redeem", "withdraw"):
                arguments = arguments[:-1]  # the sender's own
        if function == "update":
            market, payload = arguments
            price, published_at = (int.from_bytes(payload[at : at + 32], "big") for at in (0, 32))
            return partial(self.engine.update, market, price, published_at)
        given: list[Any] = [typed(one) for one in arguments]
        if function == "set_terms":
            given[1] = Terms(*given[1])
        if function == "ramp_tiers":
            given[1] = [TierTerms(*tier) for tier in given[1]]
        if function not in SENDERLESS:
            given.insert(0, sender)
        return partial(getattr(target, function), *given)

    def compare_price(self, market: int) -> None:
        price = self.engine.state.prices[market]
        assert words.pack_price(price) == Ledger(self.protocol).price(market)

    def compare(self) -> None:
        """Every word there is."""
        mine, theirs = words_of(self.engine.state, self.protocol), self.protocol.state()
        different = {
            name: (word, theirs[name]) for name, word in mine.items() if word != theirs[name]
        }
        assert not different


POOL = {"requestRedeem": "request_redeem"}


def typed(argument: Any) -> Any:
    """An order of the tests as one of the package."""
    if isinstance(argument, tuple) and hasattr(argument, "trigger_price"):
        return Order(*argument)
    if isinstance(argument, list | tuple) and argument and hasattr(argument[0], "trigger_price"):
        return [typed(one) for one in argument]
    return argument


def flat(arguments: Any) -> Any:
    """An event's fields, structs as tuples."""
    return {name: _flat(value) for name, value in arguments.items()}


def _flat(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(_flat(one) for one in value.values())
    if isinstance(value, tuple):
        return tuple(_flat(one) for one in value)
    return value


def words_of(state: ExchangeState, protocol: Protocol) -> dict[str, int]:
    """What `Protocol.state` says, of a state in Python; all but the tokens."""
    found = {"house": words.pack_house(state.house)}
    for market in state.markets:
        for kind, word in enumerate(state.market_words(market)):
            found[f"market {market} {kind}"] = word
        found[f"price {market}"] = words.pack_price(state.prices[market])
    for account in sorted(protocol.accounts):
        if account in state.accounts:
            found[f"account {account}"] = words.pack_account(state.accounts[account])
        else:
            found[f"account {account}"] = 0
    for (account, market), settings in state.settings.items():
        found[f"settings {account} {market}"] = words.pack_settings(settings)
    for (account, market, slot), position in state.positions.items():
        found[f"position {account} {market} {slot}"] = words.pack_position(position)
    for order_hash in protocol.orders:
        if order_hash in state.orders:
            found[f"order {order_hash.hex()}"] = words.pack_order_state(state.orders[order_hash])
    return found


def events_of(receipt: Receipt) -> Iterator[Event]:
    """A receipt's events as the package decodes them."""
    for address, topics, data in receipt.logs:
        log = Log(
            "0x" + address.hex(),
            tuple(topic.to_bytes(32, "big") for topic in topics),
            data,
            0,
            "",
            0,
        )
        for name in WATCHED:
            event = interface_of(name).decode_log(log)
            if event is not None and event.name not in OF_THE_TOKENS:
                yield event
                break


def state_of(protocol: Protocol, recorder: Recorder) -> ExchangeState:
    """The state that the recorded logs come to."""
    replay = Replay(liquidity_pool=protocol.pool.address)
    replay.take_all(recorder.events)
    assert Ledger(protocol).market_count == len(replay.markets)
    return replay
