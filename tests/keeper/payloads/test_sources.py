"""Updates from real servers over HTTP, taken by the real oracle."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from web3 import AsyncHTTPProvider, AsyncWeb3

from bulkhead.keeper.payloads.sources import (
    HermesPayloads,
    JoinedPayloads,
    NoPayloads,
    PayloadSource,
    SignedPayloads,
)
from bulkhead.listings import ETH
from bulkhead.local import advance_time
from bulkhead.reader import AsyncReader
from tests.keeper.payloads.feeds import (
    FEE,
    SIGNERS,
    hermes_of,
    quotes_of,
    use_pyth,
    use_signers,
)
from tests.keeper.payloads.server import PriceServer
from tests.keeper.stage import Stage, staged

pytestmark = pytest.mark.anvil


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder: Path = tmp_path_factory.mktemp("payloads")
    with staged(folder, names=("alice",)) as stage:
        yield stage


@pytest.fixture(autouse=True)
def _undone(stage: Stage) -> Iterator[None]:
    """Each test leaves the chain as it was."""
    w3 = stage.anvil.connect()
    kept = w3.provider.make_request("evm_snapshot", [])["result"]  # type: ignore[arg-type]
    yield
    w3.provider.make_request("evm_revert", [kept])  # type: ignore[arg-type]


@dataclass
class Feeds:
    """A source, the reader that it was made with, and the exchange."""

    stage: Stage
    reader: AsyncReader

    async def is_taken(self, market: int, source: PayloadSource, payload: bytes) -> bool:
        """Whether the oracle takes a payload from anybody, with its fee."""
        value = await source.fee(market, payload)
        admin = self.stage.world.admin
        before = self.stage.world.reader.market_state(market).price.published_at
        await asyncio.to_thread(admin.update, market, payload, value=value)
        return self.stage.world.reader.market_state(market).price.published_at > before


@asynccontextmanager
async def feeds(stage: Stage) -> AsyncIterator[Feeds]:
    provider = AsyncHTTPProvider(stage.anvil.url)
    try:
        yield Feeds(stage, AsyncReader(AsyncWeb3(provider), stage.world.reader.deployment))
    finally:
        await provider.disconnect()


def finish(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 30))


def test_an_update_of_hermes_is_taken_by_the_oracle(stage: Stage) -> None:
    use_pyth(stage)

    async def story() -> None:
        async with PriceServer(hermes_of(stage)) as server, feeds(stage) as found:
            source = HermesPayloads(server.url + "/", found.reader)
            payloads = await source.payloads([0, 1])
            assert set(payloads) == {0, 1}
            assert await source.fee(0, payloads[0]) == FEE
            for market, payload in payloads.items():
                assert await found.is_taken(market, source, payload)
            path, query = server.asked[0]
            assert path == "/v2/updates/price/latest"
            assert query == {"ids[]": ["0x" + "07" * 32], "encoding": ["hex"], "parsed": ["false"]}
            await source.close()

    finish(story())


def test_hermes_is_asked_only_for_what_comes_from_pyth(stage: Stage) -> None:
    async def story() -> None:
        async with PriceServer(hermes_of(stage)) as server, feeds(stage) as found:
            source = HermesPayloads(server.url, found.reader)
            assert await source.payloads([0, 1]) == {}
            assert server.asked == []
            await source.close()

    finish(story())


def test_hermes_may_know_a_price_by_another_name(stage: Stage) -> None:
    use_pyth(stage)

    async def story() -> None:
        async with PriceServer(hermes_of(stage)) as server, feeds(stage) as found:
            source = HermesPayloads(server.url, found.reader, {0: "0x" + "AB" * 32})
            assert set(await source.payloads([0, 1])) == {1}
            assert "HTTP 404" in source.skipped[0]
            assert server.asked[0][1]["ids[]"] == ["0x" + "ab" * 32]
            # The server is not to blame: it is asked again at once.
            assert set(await source.payloads([0, 1])) == {1}
            await source.close()

    finish(story())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "without updates"),
        ([], "without updates"),
        ({"binary": None}, "without updates"),
        ({"binary": {"data": []}}, "without updates"),
        ({"binary": {"data": ["00"] * 9}}, "without updates"),
        ({"binary": {"data": [7]}}, "no text"),
        ({"binary": {"data": ["zz"]}}, "not hexadecimal"),
        ({"binary": {"data": ["00" * 3_000]}}, "the oracle takes 2048"),
        (lambda _: web.Response(text="{"), "no JSON"),
        (lambda _: web.Response(text="[" * 100_000), "no JSON"),
        (lambda _: web.Response(body=b"\xff\xfe"), "no JSON"),
        (lambda _: web.Response(text=" " * (2**20 + 10)), "too long"),
        (lambda _: web.Response(status=500), "HTTP 500"),
        (lambda _: web.Response(status=302, headers={"Location": "http://127.0.0.1:1"}), "no JSON"),
    ],
)
def test_a_bad_answer_is_passed_over_with_a_reason(stage: Stage, answer: Any, reason: str) -> None:
    use_pyth(stage)

    async def story() -> None:
        async with PriceServer(answer) as server, feeds(stage) as found:
            source = HermesPayloads(server.url, found.reader)
            assert await source.payloads([0]) == {}
            assert reason in source.skipped[0]
            await source.close()

    finish(story())


def test_a_server_that_fails_rests_and_is_asked_again(stage: Stage) -> None:
    use_pyth(stage)

    async def story() -> None:
        async with PriceServer(hermes_of(stage)) as server, feeds(stage) as found:
            source = HermesPayloads(server.url + "/?key=secret", found.reader, timeout=0.3)
            server.delay = 1
            assert await source.payloads([0]) == {}
            assert source.skipped[0] == f"{server.url}: no answer in time"
            server.delay = 0
            assert await source.payloads([0]) == {}
            assert source.skipped[0] == f"{server.url} rests"
            await source.close()
            source = HermesPayloads(server.url, found.reader, timeout=0.3)
            server.answer = web.Response(status=503)
            assert await source.payloads([0]) == {}
            server.answer = hermes_of(stage)
            await asyncio.sleep(1.05)
            assert set(await source.payloads([0])) == {0}
            await source.close()

    finish(story())


def test_a_signed_price_is_gathered_from_enough_signers(stage: Stage) -> None:
    use_signers(stage)

    async def story() -> None:
        async with (
            PriceServer(quotes_of(stage, SIGNERS[2])) as first,
            PriceServer(web.Response(status=500)) as dead,
            PriceServer(quotes_of(stage, SIGNERS[0])) as third,
            feeds(stage) as found,
        ):
            source = SignedPayloads([first.url, dead.url, third.url], found.reader)
            payloads = await source.payloads([0, 1])
            assert set(payloads) == {0}
            assert source.skipped == {1: "2 signers must agree on a price, and fewer do"}
            assert await found.is_taken(0, source, payloads[0])
            assert first.asked == [("/", {"markets": ["0,1"]})]
            await source.close()

    finish(story())


def test_too_few_signers_are_not_enough(stage: Stage) -> None:
    use_signers(stage, threshold=3)

    async def story() -> None:
        async with (
            PriceServer(quotes_of(stage, SIGNERS[0])) as first,
            PriceServer(quotes_of(stage, SIGNERS[1])) as second,
            feeds(stage) as found,
        ):
            source = SignedPayloads([first.url, second.url], found.reader)
            assert await source.payloads([0]) == {}
            assert source.skipped == {0: "3 signers must agree on a price, and fewer do"}
            await source.close()

    finish(story())


def test_signers_are_not_asked_where_nothing_is_signed(stage: Stage) -> None:
    async def story() -> None:
        async with PriceServer() as server, feeds(stage) as found:
            source = SignedPayloads([server.url], found.reader)
            assert await source.payloads([0, 1]) == {}
            assert server.asked == []
            await source.close()

    finish(story())


def test_of_several_sources_each_gives_what_is_its_own(stage: Stage) -> None:
    use_pyth(stage)
    admin = stage.world.admin
    admin.set_signers([one.address for one in SIGNERS], 1)
    admin.set_signed_feed(1, ETH)
    advance_time(stage.world.reader.chain.w3, 5)

    async def story() -> None:
        async with (
            PriceServer(hermes_of(stage)) as hermes,
            PriceServer(quotes_of(stage, SIGNERS[0], 2_500, market=1)) as signer,
            feeds(stage) as found,
        ):
            source = JoinedPayloads(
                [
                    HermesPayloads(hermes.url, found.reader),
                    SignedPayloads([signer.url], found.reader),
                    NoPayloads(),
                ]
            )
            payloads = await source.payloads([0, 1])
            assert set(payloads) == {0, 1}
            fees = [await source.fee(market, payloads[market]) for market in (0, 1)]
            assert fees == [FEE, 0]
            for market, payload in payloads.items():
                assert await found.is_taken(market, source, payload)
            await source.close()

    finish(story())


def test_without_a_source_there_is_nothing_to_bring() -> None:
    async def story() -> None:
        source = NoPayloads()
        assert await source.payloads([0]) == {}
        assert await source.fee(0, b"") == 0
        await source.close()

    finish(story())


@pytest.mark.parametrize("url", ["", "ftp://a", "127.0.0.1:80"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        SignedPayloads([url], None)  # type: ignore[arg-type]
