"""What a keeper would find if it started now. Sends nothing, and needs no password."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bulkhead.chain import Chain
from bulkhead.deployment import Deployment, verify
from bulkhead.errors import BulkheadError, translated
from bulkhead.keeper.account import KeeperAccount, problems_of
from bulkhead.keeper.configuration.keys import addresses_of
from bulkhead.keeper.work import Job
from bulkhead.reader import Reader
from bulkhead.values import from_units

if TYPE_CHECKING:
    from web3 import Web3

    from bulkhead.keeper.configuration.settings import KeeperSettings

USABLE = "usable"


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An RPC address.

    Attributes:
        endpoint: Its host.
        state: "usable", or what is wrong.
        block: Its newest.
        behind: Blocks behind the best of them.
    """

    endpoint: str
    state: str
    block: int | None = None
    behind: int | None = None


@dataclass(frozen=True, slots=True)
class SignerRow:
    """A signer.

    Attributes:
        signer: Its address.
        balance: Whole gas tokens.
        batches: How many of the largest transactions that pays for at the current fee.
    """

    signer: str
    balance: Decimal
    batches: int


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """Something for which a keeper should not be started."""

    problem: str


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found.

    Attributes:
        chain: The id that is meant.
        clearinghouse: The exchange's; None where none was found.
        shard: As "k/n".
        journal: Where it would be.
        account: The account that works for the signers; None where they work themselves.
        gas_token: USD a whole one; None where nobody knows.
        jobs: That would be done, the most urgent first.
    """

    chain: int
    clearinghouse: str | None
    shard: str
    journal: str
    account: str | None
    gas_token: Decimal | None
    jobs: tuple[str, ...]
    endpoints: tuple[EndpointRow, ...]
    signers: tuple[SignerRow, ...]
    problems: tuple[ProblemRow, ...]


def check(settings: KeeperSettings, connect: Callable[[str], Web3] | None = None) -> Checkup:
    """Looks at everything that a keeper needs.

    Args:
        settings: The keeper's.
        connect: Makes a connection of an address; one over HTTP where it is None.

    Raises:
        InvalidSettings: If a signer's address can not be read.
    """
    connected = connect or _http(float(settings.rpc.timeout))
    nodes = [connected(url) for url in settings.rpc.addresses]
    rows = _endpoints(settings, nodes)
    problems = [f"{row.endpoint}: {row.state}" for row in rows if row.state != USABLE]
    best = next((w3 for row, w3 in zip(rows, nodes, strict=True) if row.state == USABLE), None)
    reader = _exchange(settings, best, problems) if best else None
    signers = tuple(_signers(settings, Chain(best), problems)) if best else ()
    if not settings.signers:
        problems.append("signers: nobody signs; name at least one")
    if not settings.journal.resolve().parent.is_dir():
        problems.append(f"journal: no folder for {settings.journal}")
    if not settings.jobs.on:
        problems.append("jobs: all are off")
    gas_token = _gas_token(settings, reader, problems)
    return Checkup(
        chain=settings.chain.id,
        clearinghouse=reader.deployment.clearinghouse if reader else None,
        shard=settings.shard,
        journal=str(settings.journal),
        account=settings.account,
        gas_token=gas_token,
        jobs=tuple(job for job in Job if job in settings.jobs.on),
        endpoints=rows,
        signers=signers,
        problems=tuple(map(ProblemRow, problems)),
    )


def host_of(url: str) -> str:
    """What may be shown of an address: its host and port."""
    return urlsplit(url).netloc.rpartition("@")[2]


def _http(timeout: float) -> Callable[[str], Web3]:
    from web3 import HTTPProvider, Web3

    return lambda url: Web3(HTTPProvider(url, request_kwargs={"timeout": timeout}))


def _endpoints(settings: KeeperSettings, nodes: Sequence[Web3]) -> tuple[EndpointRow, ...]:
    pairs = zip(settings.rpc.addresses, nodes, strict=True)
    found = [_endpoint(settings, url, Chain(w3)) for url, w3 in pairs]
    best = max((row.block for row in found if row.block is not None), default=0)
    return tuple(_compared(row, best, settings.rpc.max_lag) for row in found)


def _endpoint(settings: KeeperSettings, url: str, chain: Chain) -> EndpointRow:
    try:
        found = chain.chain_id()
        if found != settings.chain.id:
            return EndpointRow(host_of(url), f"chain {found} instead of {settings.chain.id}")
        return EndpointRow(host_of(url), USABLE, chain.block().number)
    except BulkheadError as error:
        # What a library says of it may hold the address.
        return EndpointRow(host_of(url), f"does not answer ({type(error).__name__})")


def _compared(row: EndpointRow, best: int, max_lag: int) -> EndpointRow:
    if row.block is None:
        return row
    behind = best - row.block
    state = f"{behind} blocks behind" if behind > max_lag else row.state
    return replace(row, state=state, behind=behind)


def _exchange(settings: KeeperSettings, w3: Web3, problems: list[str]) -> Reader | None:
    try:
        deployment = Deployment.load(w3, settings.chain.deployments)
        verify(w3, deployment)
    except BulkheadError as error:
        problems.append(str(error))
        return None
    reader = Reader(w3, deployment)
    if settings.account is not None:
        account = KeeperAccount(settings.account)
        problems += problems_of(w3, deployment, account, addresses_of(settings))
    return reader


def _signers(settings: KeeperSettings, chain: Chain, problems: list[str]) -> Iterator[SignerRow]:
    with translated():
        price = min(int(chain.w3.eth.gas_price), settings.fees.max_fee_wei)
    for address in addresses_of(settings):
        balance = chain.balance(address)
        batches = balance // max(settings.policy.gas_per_batch * price, 1)
        if batches == 0:
            problems.append(f"{address} can not pay for one batch")
        yield SignerRow(address, from_units(balance, 18), batches)


def _gas_token(
    settings: KeeperSettings, reader: Reader | None, problems: list[str]
) -> Decimal | None:
    token = settings.policy.gas_token
    if isinstance(token, Decimal):
        return token
    if reader is None:
        return None
    try:
        return reader.price(token)
    except (BulkheadError, ValueError) as error:
        problems.append(f"policy.gas_token: {error}")
        return None
