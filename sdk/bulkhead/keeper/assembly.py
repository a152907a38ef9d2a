"""A keeper put together from its settings, and taken apart again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bulkhead.errors import DeploymentError
from bulkhead.index.opening import open_index
from bulkhead.keeper.account import KeeperAccount, require_account
from bulkhead.keeper.configuration.keys import open_signers
from bulkhead.keeper.desk import desk_of
from bulkhead.keeper.dispatch.bidding import SendingPolicy
from bulkhead.keeper.dispatch.dispatcher import Dispatcher
from bulkhead.keeper.dispatch.journal import Journal
from bulkhead.keeper.dispatch.poison import Expiry
from bulkhead.keeper.engine import Engine, Policy
from bulkhead.keeper.following import Following
from bulkhead.keeper.foresight import Foresight
from bulkhead.keeper.nodes.endpoint import EndpointPolicy
from bulkhead.keeper.nodes.pool import EndpointPool
from bulkhead.keeper.payloads.sources import (
    HermesPayloads,
    JoinedPayloads,
    NoPayloads,
    PayloadSource,
    SignedPayloads,
)
from bulkhead.protocol.fixed_point import PPM

if TYPE_CHECKING:
    from bulkhead.index import Index
    from bulkhead.keeper.claims import Claims
    from bulkhead.keeper.configuration.settings import KeeperSettings
    from bulkhead.reader import AsyncReader


@dataclass(frozen=True, slots=True)
class Kit:
    """The parts of a keeper.

    Attributes:
        pool: The nodes.
        reader: The exchange.
        index: All of its events.
        journal: What is on its way, and what is set aside.
        dispatcher: The signers.
        following: What is known.
        engine: What makes passes of all of it.
    """

    pool: EndpointPool
    reader: AsyncReader
    index: Index
    journal: Journal
    dispatcher: Dispatcher
    following: Following
    engine: Engine


@asynccontextmanager
async def open_keeper(settings: KeeperSettings, claims: Claims | None = None) -> AsyncIterator[Kit]:
    """A keeper that has found its chain and its exchange, and recovered what it had sent.

    Args:
        settings: How.
        claims: What it shares with other keepers; nothing where it is None.

    Raises:
        WrongChain: If a node is on another chain than the settings, or the deployment, say.
        InvalidSettings: If a signer can not be opened.
        DeploymentError: If the exchange is not there, or the account is not what works for the
            signers.
        IndexBusy: If another keeper uses the same journal.
    """
    from web3 import AsyncWeb3

    from bulkhead.deployment import Deployment
    from bulkhead.reader import AsyncReader

    signers = open_signers(settings)
    async with AsyncExitStack() as stack:
        pool = EndpointPool(
            settings.rpc.addresses,
            chain_id=settings.chain.id,
            genesis_hash=_genesis_hash(settings),
            policy=EndpointPolicy(
                timeout=float(settings.rpc.timeout),
                poll=float(settings.rpc.poll),
                max_lag=settings.rpc.max_lag,
            ),
        )
        await stack.enter_async_context(pool)
        w3: AsyncWeb3[Any] = AsyncWeb3(pool)
        deployment = await Deployment.load_async(w3, settings.chain.deployments)
        reader = AsyncReader(w3, deployment)
        addresses = [str(one.address) for one in signers]
        if settings.account is not None:
            await require_account(w3, deployment, KeeperAccount(settings.account), addresses)
        rests = settings.poison
        journal = Journal(Expiry(rests.first_rest, rests.longest_rest))
        index = stack.enter_context(open_index(settings.journal, deployment, companions=[journal]))
        dispatcher = Dispatcher(reader.chain, journal, signers, _sending(settings))
        stack.push_async_callback(dispatcher.close)
        following = Following(index, reader)
        source = await _source(settings, reader)
        stack.push_async_callback(source.close)
        desk = desk_of(reader.contracts, addresses, settings.account)
        foresight = Foresight(reader, source, desk.sender)
        policy = _policy(settings)
        engine = Engine(reader, following, dispatcher, journal, foresight, desk, policy, claims)
        await following.catch_up()
        await dispatcher.recover()
        yield Kit(pool, reader, index, journal, dispatcher, following, engine)


def _genesis_hash(settings: KeeperSettings) -> str | None:
    """Of the chain with the exchange; None where none is saved, which is told later."""
    from bulkhead.deployment import Deployment

    try:
        return Deployment.saved(settings.chain.id, settings.chain.deployments).genesis_hash
    except DeploymentError:
        return None


def _sending(settings: KeeperSettings) -> SendingPolicy:
    fees = settings.fees
    return SendingPolicy(
        max_fee=fees.max_fee_wei,
        bump=fees.bump,
        patience_blocks=fees.patience,
        confirmations=fees.confirmations,
        in_flight=fees.in_flight,
    )


def _policy(settings: KeeperSettings) -> Policy:
    policy = settings.policy
    return Policy(
        jobs=settings.jobs.on,
        shard=settings.share,
        gas_per_batch=policy.gas_per_batch,
        batches_per_pass=policy.batches_per_pass,
        margin=policy.margin * PPM // 100,
        always=policy.always,
        gas_token=policy.gas_token,
    )


async def _source(settings: KeeperSettings, reader: AsyncReader) -> PayloadSource:
    feeds = settings.feeds
    sources: list[PayloadSource] = []
    if feeds.hermes_url is not None:
        ids = {await reader.market_id(symbol): one for symbol, one in feeds.hermes_ids.items()}
        sources.append(HermesPayloads(feeds.hermes_url.get_secret_value(), reader, ids))
    if feeds.signed_urls:
        urls = [url.get_secret_value() for url in feeds.signed_urls]
        sources.append(SignedPayloads(urls, reader))
    return JoinedPayloads(sources) if sources else NoPayloads()
