"""One RPC address: its transport, who it says it is, and when it rests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from web3 import AsyncHTTPProvider

from bulkhead.keeper.nodes.answers import Head, head_of, trouble_of
from bulkhead.keeper.nodes.resting import Rest, now
from bulkhead.keeper.nodes.sessions import TROUBLE, open_session, retry_after, shallow_text
from bulkhead.keeper.nodes.sessions import trouble_of as said_by

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from web3.types import RPCEndpoint, RPCResponse


@dataclass(frozen=True, slots=True)
class EndpointPolicy:
    """How the addresses of a pool are treated. Seconds are the host's, and only pace.

    Attributes:
        timeout: Seconds for one answer of one address.
        deadline: Seconds in which a request is tried, here and there, before it fails.
        poll: Seconds between two looks at an address's head.
        max_lag: Blocks that an address may be behind the best head.
        patience: Seconds after which the addresses are believed that the chain has gone back,
            though none of them shows another block in the place of one that was seen.
        rest: Seconds that an address is left alone after its first failure; doubled by each.
        max_rest: Seconds that it rests at most, unless it asks for more itself.
        most: Bytes of an answer.
    """

    timeout: float = 10.0
    deadline: float = 15.0
    poll: float = 1.0
    max_lag: int = 3
    patience: float = 30.0
    rest: float = 0.5
    max_rest: float = 60.0
    most: int = 64 * 2**20

    def __post_init__(self) -> None:
        for name in ("timeout", "deadline", "poll", "rest", "max_rest", "most"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: must be above zero")
        for name in ("max_lag", "patience"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: must not be below zero")


class EndpointState(StrEnum):
    """What a pool makes of an address."""

    UNVERIFIED = "unverified"
    """Nothing is sent to it but the question which chain it is on."""
    HEALTHY = "healthy"
    STALE = "stale"
    """Its head is too far behind the best one."""
    RESTING = "resting"
    """It has failed, and is left alone for a while."""
    WRONG_CHAIN = "wrong chain"
    """It is out until the pool is started again."""


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """An address at one moment.

    Attributes:
        url: Scheme, host and port alone; the second of a kind has its place behind it.
        state: What the pool makes of it.
        head: Its latest block, as far as it was asked; None before it was.
        failures: How many there were in a row.
        error: The last failure, or the last transaction it refused; empty where there was none.
        rest: Seconds until it is asked again.
    """

    url: str
    state: EndpointState
    head: int | None
    failures: int
    error: str
    rest: float


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells two chains apart."""

    chain_id: int
    genesis_hash: str

    def __str__(self) -> str:
        return f"chain {self.chain_id} from {self.genesis_hash}"


class Failed(Exception):  # noqa: N818 - what happened to a request; it never leaves the pool
    """An address gave no answer, or none that is one.

    Attributes:
        was_sent: Whether it may have heard the request.
    """

    def __init__(self, text: str, *, was_sent: bool = True) -> None:
        super().__init__(text)
        self.was_sent = was_sent


class Endpoint(AsyncHTTPProvider):
    """web3's own transport to one address, that answers, or fails and rests.

    Args:
        url: The address.
        label: What it is called where people and machines can read it.
        policy: How it is treated.
    """

    def __init__(self, url: str, label: str, policy: EndpointPolicy) -> None:
        super().__init__(
            url, request_kwargs={"allow_redirects": False}, exception_retry_configuration=None
        )
        self._session: ClientSession | None = None
        self.label = label
        self.policy = policy
        self.head: Head | None = None
        self.error = ""
        self.is_verified = False
        self.is_wrong = False
        self._rest = Rest(policy.rest, policy.max_rest)
        self._turn = 0  # of its lives between two rests: what fails in one counts once
        self._looked_at = 0.0
        self._looking = asyncio.Lock()
        self._fell = asyncio.Event()

    def __str__(self) -> str:
        return self.label

    @property
    def rest_left(self) -> float:
        """Seconds until it is asked again."""
        return self._rest.left

    @property
    def failures(self) -> int:
        """How often it failed in a row."""
        return self._rest.failures

    @property
    def is_up(self) -> bool:
        """Whether it may be sent anything."""
        return self.is_verified and not self.is_wrong

    def open(self) -> None:
        """Makes its session, in the loop that uses it."""
        self.is_verified = self.is_wrong = False
        self.head = None
        self._session = open_session(self.policy.timeout, self.policy.most)

    async def disconnect(self) -> None:
        """Ends its session."""
        self.is_verified = False
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(self, method: str, params: Sequence[Any]) -> RPCResponse:
        """What it answers.

        Raises:
            Failed: If it does not. Then it rests.
        """
        if not self.is_up:
            raise Failed("not verified", was_sent=False)
        return await self._ask(method, params)

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """`ask`, under web3's name."""
        return await self.ask(method, params)

    async def identity(self) -> Identity:
        """Which chain it says it is on: the only thing that is asked before that is known.

        Raises:
            Failed: If it does not say.
        """
        chain = await self._ask("eth_chainId", [])
        genesis = await self._ask("eth_getBlockByNumber", ["0x0", False])
        if "error" in chain or "error" in genesis or genesis["result"] is None:
            raise self.fail("it does not say which chain it is on")
        return Identity(int(chain["result"], 16), head_of(genesis["result"]).hash)

    def admit(self) -> None:
        """Lets it be used: it is on the right chain."""
        self.is_verified = True
        self._rest.end()

    def exclude(self, text: str) -> None:
        """Takes it out for good."""
        self.is_wrong, self.is_verified, self.error = True, False, text

    def fail(self, text: str, least_rest: float = 0.0, turn: int | None = None) -> Failed:
        """Sends it to rest, and returns what to raise.

        Args:
            text: Why.
            least_rest: Seconds that it asks for itself.
            turn: In which of its lives; this one where it is None.
        """
        if turn is None or turn == self._turn:
            self._rest.begin(least_rest)
            self._turn += 1
            self.error = text
            self.is_verified = False
            self._fell.set()
        return Failed(text)

    async def look(self, older_than: float | None = None) -> Head:
        """Asks for its head, once for all who ask at the same time.

        Args:
            older_than: A time of this host; what was seen since is good enough. Now where it is
                None.

        Raises:
            Failed: If it does not say.
        """
        before = now() if older_than is None else older_than
        async with self._looking:
            if self.head is None or self._looked_at < before:
                answer = await self.ask("eth_getBlockByNumber", ["latest", False])
                self.saw(answer)
            assert self.head is not None
            return self.head

    def saw(self, answer: RPCResponse) -> Head:
        """Notes the head that it has just told.

        Raises:
            Failed: If it told an error: a node that has no head is none.
        """
        if "error" in answer:
            raise self.fail("it has no latest block")
        self.head = head_of(answer["result"])
        self._looked_at = now()
        return self.head

    async def rested(self) -> None:
        """Waits until its rest is over."""
        while self.rest_left:
            await asyncio.sleep(self.rest_left)
        self._fell.clear()

    async def stood(self, seconds: float) -> None:
        """Waits for so long, or until it fails."""
        # Not `wait_for`: a cancellation that meets the event is lost in it.
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._fell.wait()

    async def _ask(self, method: str, params: Sequence[Any]) -> RPCResponse:
        turn = self._turn
        request = self.form_request(cast("RPCEndpoint", method), list(params))
        encoded = self.encode_rpc_dict(request)
        try:
            raw = await self._make_request(method, encoded)
            answer = self.decode_rpc_response(shallow_text(raw).encode())
        except TROUBLE as error:
            failed = self.fail(said_by(error), retry_after(error), turn)
            failed.was_sent = type(error).__name__ not in _NEVER_SENT
            raise failed from None
        trouble = trouble_of(request["id"], method, params, answer)
        if trouble:
            raise self.fail(trouble, turn=turn)
        if self.is_verified and turn == self._turn:
            self._rest.was_answered()
        return answer

    async def _make_request(self, _method: str, request_data: bytes) -> bytes:
        # web3's own keeps sessions behind a lock of threads that a cancelled task never gives back,
        # and logs addresses with the keys in them.
        if self._session is None:
            raise ConnectionError("closed")
        kwargs = self.get_request_kwargs()
        async with self._session.post(str(self.endpoint_uri), data=request_data, **kwargs) as found:
            return await found.read()


_NEVER_SENT = ("ClientConnectorError", "ClientConnectorDNSError", "ClientConnectorSSLError")
