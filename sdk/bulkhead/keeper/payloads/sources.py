"""Where the price updates of pull feeds come from.

Nothing that a server says is believed: it is tried against the oracle before it is sent. A server
that fails is left alone for a while, and what can not be used of an answer is passed over; why is
in `skipped`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from eth_utils.address import to_checksum_address

from bulkhead import prices
from bulkhead.interfaces import Call, interface_of
from bulkhead.keeper.payloads.quotes import Quote, best_payload, quotes_in
from bulkhead.keeper.payloads.servers import Server, Silent
from bulkhead.protocol import words

if TYPE_CHECKING:
    from bulkhead.reader import AsyncReader

MAX_UPDATES = 8  # that one payload holds
_NO_ID = bytes(32)


class PayloadSource(Protocol):
    """What knows newer prices than the oracle."""

    async def payloads(self, markets: Collection[int]) -> Mapping[int, bytes]:
        """What brings the newest prices of those of some markets that it has, by market."""

    async def fee(self, market: int, payload: bytes) -> int:
        """Wei that bringing a price costs."""

    async def close(self) -> None:
        """Ends its connections."""


class NoPayloads:
    """Knows none: every price is pushed to the chain by others."""

    async def payloads(self, markets: Collection[int]) -> Mapping[int, bytes]:  # noqa: ARG002
        """None."""
        return {}

    async def fee(self, market: int, payload: bytes) -> int:  # noqa: ARG002
        """Nothing."""
        return 0

    async def close(self) -> None:
        """Nothing to end."""


class JoinedPayloads:
    """Several sources; of a market that two of them know the first is asked.

    Args:
        sources: The sources, the preferred first.
    """

    def __init__(self, sources: Sequence[PayloadSource]) -> None:
        self._sources = tuple(sources)
        self._source_of: dict[int, PayloadSource] = {}

    async def payloads(self, markets: Collection[int]) -> Mapping[int, bytes]:
        """What any of them has, by market."""
        found = await asyncio.gather(*(source.payloads(markets) for source in self._sources))
        joined: dict[int, bytes] = {}
        for source, some in zip(reversed(self._sources), reversed(found), strict=True):
            joined |= some
            self._source_of |= dict.fromkeys(some, source)
        return joined

    async def fee(self, market: int, payload: bytes) -> int:
        """What the market's own source asks for."""
        source = self._source_of.get(market)
        return 0 if source is None else await source.fee(market, payload)

    async def close(self) -> None:
        """Ends the connections of all."""
        for source in self._sources:
            await source.close()


@dataclass(frozen=True, slots=True)
class Pyth:
    """A Pyth feed as the oracle has it.

    Attributes:
        address: Pyth's contract.
        id: Its name of the price, without 0x.
    """

    address: str
    id: str


class HermesPayloads:
    """Pyth's prices, from a server of its Hermes API, version 2.

    Each market's update is asked for by itself: the oracle takes one at a time, and no more of it
    than 2,048 bytes.

    Args:
        url: The server, without `/v2`.
        reader: The exchange, which knows what comes from Pyth.
        ids: Names of prices that are not those the oracle has, by market.
        timeout: Seconds for an answer.
    """

    def __init__(
        self,
        url: str,
        reader: AsyncReader,
        ids: Mapping[int, str] | None = None,
        timeout: float = 2.0,
    ) -> None:
        self._server = Server(url, timeout)
        self._reader = reader
        self._ids = {market: one.removeprefix("0x").lower() for market, one in (ids or {}).items()}
        self._feeds = _Feeds(reader)
        self.skipped: Mapping[int, str] = {}

    async def payloads(self, markets: Collection[int]) -> Mapping[int, bytes]:
        """The newest update of each market whose feed is Pyth's, as the oracle takes it."""
        found = await self._feeds.pyth(markets)
        answers = await asyncio.gather(*(self._asked(*one) for one in found.items()))
        taken: dict[int, bytes] = {}
        skipped: dict[int, str] = {}
        for market, answer in zip(found, answers, strict=True):
            if isinstance(answer, bytes):
                taken[market] = answer
            else:
                skipped[market] = answer
        self.skipped = skipped
        return taken

    async def fee(self, market: int, payload: bytes) -> int:
        """What Pyth's contract asks for an update, wei."""
        found = await self._feeds.pyth([market])
        known = interface_of("MockPyth").encode_call(found[market].address, "getUpdateFee", ([],))
        # The payload is the argument as it is.
        call = replace(known, data=known.data[:4] + payload)
        return int(await self._reader.chain.read(call))

    async def close(self) -> None:
        """Ends its connections."""
        await self._server.close()

    async def _asked(self, market: int, feed: Pyth) -> bytes | str:
        """A market's payload, or why there is none."""
        query = [("ids[]", "0x" + self._ids.get(market, feed.id)), ("encoding", "hex")]
        try:
            answer = await self._server.get(
                "v2/updates/price/latest", [*query, ("parsed", "false")]
            )
            return prices.pyth_updates(_updates_in(answer))
        except (Silent, ValueError) as error:
            return str(error)


class SignedPayloads:
    """Prices that signers of signed feeds serve, each from an address of its own.

    A server is asked for `?markets=0,3`, and answers with what it has signed lately, the last few
    prices of each market, so that as many signers as the oracle wants have one in common:

        {"prices": [{"market": 3, "price": "50000000000000000000000",
                     "published_at": 1700000000, "signature": "0x..."}]}

    A price is WAD USD per base unit, in decimals; a signature is 65 bytes, r, s, v, of the EIP-712
    message of `bulkhead.prices.price_message`. The newest price that enough signers of the oracle
    agree on is taken, with their signatures in the order of their addresses. Signatures are checked
    here; two of one signer count once, whichever server they come from.

    Args:
        urls: The servers.
        reader: The exchange, which knows the signers and how many must sign.
        timeout: Seconds for an answer.
    """

    def __init__(self, urls: Sequence[str], reader: AsyncReader, timeout: float = 2.0) -> None:
        self._servers = [Server(url, timeout) for url in urls]
        self._reader = reader
        self._feeds = _Feeds(reader)
        self.skipped: Mapping[int, str] = {}

    async def payloads(self, markets: Collection[int]) -> Mapping[int, bytes]:
        """The newest price of each market with a signed feed that enough have signed."""
        wanted = await self._feeds.signed(markets)
        if not wanted:
            self.skipped = {}
            return {}
        oracle = self._reader.contracts.price_oracle
        chain = self._reader.chain
        quotes, signers, threshold, chain_id = await asyncio.gather(
            self._quotes(wanted),
            chain.read(oracle.call("signers")),
            chain.read(oracle.call("threshold")),
            chain.chain_id(),
        )
        allowed = frozenset(map(to_checksum_address, signers))
        taken: dict[int, bytes] = {}
        skipped: dict[int, str] = {}
        for market in wanted:
            own = [quote for quote in quotes if quote.market == market]
            # A signature takes milliseconds to check, and there may be many.
            found = await asyncio.to_thread(
                best_payload, own, allowed, threshold, chain_id, oracle.address
            )
            if isinstance(found, bytes):
                taken[market] = found
            else:
                skipped[market] = found
        self.skipped = skipped
        return taken

    async def fee(self, market: int, payload: bytes) -> int:  # noqa: ARG002
        """Nothing."""
        return 0

    async def close(self) -> None:
        """Ends its connections."""
        for server in self._servers:
            await server.close()

    async def _quotes(self, markets: Collection[int]) -> list[Quote]:
        query = [("markets", ",".join(map(str, sorted(markets))))]
        found = await asyncio.gather(*(_asked(server, query) for server in self._servers))
        return [quote for answer in found for quote in quotes_in(answer, markets)]


class _Feeds:
    """Where the oracle says that prices come from. An owner may change it."""

    def __init__(self, reader: AsyncReader) -> None:
        self._reader = reader

    async def pyth(self, markets: Collection[int]) -> dict[int, Pyth]:
        """Those of some markets whose prices are Pyth's."""
        feeds = await self._of_kind(words.PYTH, markets)
        ids = await self._read("pyth_id", feeds)
        return {
            market: Pyth(to_checksum_address(feed.source.to_bytes(20)), ids[market].hex())
            for market, feed in feeds.items()
            if ids[market] != _NO_ID
        }

    async def signed(self, markets: Collection[int]) -> tuple[int, ...]:
        """Those of some markets whose prices are signed."""
        return tuple(await self._of_kind(words.SIGNED, markets))

    async def _of_kind(self, kind: int, markets: Collection[int]) -> dict[int, words.Feed]:
        found = await self._read("feed_word", markets)
        feeds = {market: words.unpack_feed(word) for market, word in found.items()}
        return {market: feed for market, feed in feeds.items() if feed.kind == kind}

    async def _read(self, name: str, markets: Collection[int]) -> dict[int, Any]:
        oracle = self._reader.contracts.price_oracle
        calls: list[Call] = [oracle.call(name, market) for market in markets]
        answers = await asyncio.gather(*map(self._reader.chain.read, calls))
        return dict(zip(markets, answers, strict=True))


async def _asked(server: Server, query: Sequence[tuple[str, str]]) -> Any:
    try:
        return await server.get("", query)
    except Silent:
        return None


def _updates_in(answer: Any) -> list[bytes]:
    """The updates in an answer of Hermes.

    Raises:
        ValueError: If there are none.
    """
    binary = answer.get("binary") if isinstance(answer, dict) else None
    data = binary.get("data") if isinstance(binary, dict) else None
    if not isinstance(data, list) or not 0 < len(data) <= MAX_UPDATES:
        raise ValueError("an answer without updates")
    if not all(isinstance(one, str) for one in data):
        raise ValueError("an update that is no text")
    try:
        return [bytes.fromhex(one.removeprefix("0x")) for one in data]
    except ValueError:
        raise ValueError("an update that is not hexadecimal") from None
