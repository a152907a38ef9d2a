"""Where the exchange lives on a chain, and how it gets there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from bulkhead.chain import (
    AwaitingTransport,
    BlockingTransport,
    ChainVerbs,
    Program,
    address_of,
)
from bulkhead.errors import DeploymentError
from bulkhead.interfaces import encode_constructor, interface_of, load_artifact

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3

    from bulkhead.chain import Signer

FOLDER = Path("deployments")
COOLDOWN = 86_400  # seconds an LP's request waits, unless told otherwise
TOKEN = ("USD", "USD", 6)  # name, symbol and decimals of the token made where none is given

# What creating a contract costs at most: EIP-7623's floor for non-zero calldata, code deposit,
# and room for constructors.
_GAS_PER_CODE_BYTE = 40
_GAS_PER_DEPOSITED_BYTE = 200
_GAS_BASE = 600_000


@dataclass(frozen=True, slots=True)
class Deployment:
    """One exchange: its addresses, and the chain they are on.

    Attributes:
        chain_id: The chain's id.
        genesis_hash: The hash of its block 0.
        block: The first block that may hold anything of it.
        token: The collateral.
        token_decimals: Its decimals.
        timelock: What is meant to own it; None where there is none.
    """

    chain_id: int
    genesis_hash: str
    block: int
    token: str
    token_decimals: int
    price_oracle: str
    account_logic: str
    house_logic: str
    liquidation_logic: str
    market_logic: str
    order_logic: str
    order_book: str
    liquidity_pool: str
    lens: str
    simulator: str
    order_lens: str
    risk_lens: str
    word_lens: str
    clearinghouse: str
    timelock: str | None = None

    @staticmethod
    def path(chain_id: int, folder: Path = FOLDER) -> Path:
        """The file of a chain's deployment."""
        return folder / f"{chain_id}.json"

    def save(self, folder: Path = FOLDER) -> Path:
        """Writes the deployment to its file, and returns the path."""
        path = self.path(self.chain_id, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")
        return path

    @classmethod
    def saved(cls, chain_id: int, folder: Path = FOLDER) -> Deployment:
        """The deployment in a chain's file, which may be of another chain with the same id.

        Raises:
            DeploymentError: If there is none, or it is of another version.
        """
        path = cls.path(chain_id, folder)
        if not path.exists():
            raise DeploymentError(f"no exchange is deployed on chain {chain_id}: no {path}")
        table = json.loads(path.read_text())
        if table.keys() != {field.name for field in fields(Deployment)}:
            raise DeploymentError(f"{path} was written by another version: deploy again")
        return cls(**table)

    @classmethod
    def load(cls, w3: Web3, folder: Path = FOLDER) -> Deployment:
        """The deployment saved for the chain behind a connection.

        Raises:
            DeploymentError: If there is none, if its file is of another version, or if it was made
                on another chain with the same id.
        """
        return BlockingTransport(w3).run(_loaded(folder))

    @classmethod
    async def load_async(cls, w3: AsyncWeb3[Any], folder: Path = FOLDER) -> Deployment:
        """`load`, awaited."""
        return await AwaitingTransport(w3).run(_loaded(folder))


def _loaded(folder: Path) -> Program[Deployment]:
    node = ChainVerbs()
    chain_id = yield from node.chain_id()
    path, found = Deployment.path(chain_id, folder), Deployment.saved(chain_id, folder)
    genesis = yield from node.genesis_hash()
    if found.genesis_hash != genesis:
        raise DeploymentError(
            f"{path} belongs to another chain with id {chain_id}: its genesis is "
            f"{found.genesis_hash}, this chain's {genesis}; deploy again"
        )
    if (yield from node.code_size(found.clearinghouse)) == 0:
        raise DeploymentError(f"{path} names contracts that this chain does not have yet")
    return found


def deploy(
    w3: Web3,
    deployer: Signer,
    owner: str | None = None,
    token: str | None = None,
    *,
    cooldown: int = COOLDOWN,
    timelock_delay: int | None = None,
) -> Deployment:
    """Deploys the whole exchange in plain transactions.

    The contracts name each other as immutables, so their addresses are computed ahead from the
    deployer's nonce, and verified after.

    Args:
        w3: A connection.
        deployer: Who pays; it keeps no rights.
        owner: Who sets parameters; the deployer where it is None.
        token: The collateral; a token that anyone may mint is deployed where it is None.
        cooldown: Seconds from an LP's request to its maturity.
        timelock_delay: Seconds; with it a timelock is deployed whose proposer is the owner. It owns
            nothing yet: see `governance.Timelock.take_over`.

    Raises:
        DeploymentError: If a contract did not land where it should, or its code is not whole.
    """
    arguments = (deployer, owner, token, cooldown, timelock_delay)
    return BlockingTransport(w3).run(_deployed(*arguments))


async def deploy_async(
    w3: AsyncWeb3[Any],
    deployer: Signer,
    owner: str | None = None,
    token: str | None = None,
    *,
    cooldown: int = COOLDOWN,
    timelock_delay: int | None = None,
) -> Deployment:
    """`deploy`, awaited."""
    arguments = (deployer, owner, token, cooldown, timelock_delay)
    return await AwaitingTransport(w3).run(_deployed(*arguments))


def verify(w3: Web3, deployment: Deployment) -> None:
    """Checks that every contract is there whole, and that they name each other.

    Raises:
        DeploymentError: Naming the first that is not so.
    """
    BlockingTransport(w3).run(_verified(deployment))


def _deployed(
    deployer: Signer,
    owner: str | None,
    token: str | None,
    cooldown: int,
    timelock_delay: int | None,
) -> Program[Deployment]:
    node = ChainVerbs()
    creator = address_of(deployer)
    first_block = (yield from node.block()).number + 1
    names = _names(with_token=token is None, with_timelock=timelock_delay is not None)
    nonce = yield from node.nonce(creator)
    at = {name: contract_address(creator, nonce + index) for index, name in enumerate(names)}
    collateral = at["MockToken"] if token is None else to_checksum_address(token)
    arguments = _arguments(at, collateral, owner or creator, cooldown, timelock_delay)

    transactions: list[str] = []
    for name in names:
        code = encode_constructor(name, arguments[name])
        transactions.append((yield from node.submit(None, code, deployer, _gas_of(name))))
    for name, transaction in zip(names, transactions, strict=True):
        receipt = yield from node.wait(transaction)
        if receipt.created is None or to_checksum_address(receipt.created) != at[name]:
            raise DeploymentError(
                f"{name} landed at {receipt.created} instead of {at[name]}: "
                "the deployer sent something else meanwhile; deploy again"
            )
    decimals = interface_of("MockToken").encode_call(collateral, "decimals", ())
    deployment = Deployment(
        chain_id=(yield from node.chain_id()),
        genesis_hash=(yield from node.genesis_hash()),
        block=first_block,
        token=collateral,
        token_decimals=(yield from node.read(decimals)),
        **{_field_of(name): at[name] for name in names if name != "MockToken"},
    )
    yield from _verified(deployment)
    return deployment


def _verified(deployment: Deployment) -> Program[None]:
    node = ChainVerbs()
    names = _names(with_token=False, with_timelock=deployment.timelock is not None)
    for name in names:
        address = getattr(deployment, _field_of(name))
        size = yield from node.code_size(address)
        if size != load_artifact(name).runtime_size:
            raise DeploymentError(
                f"{name} at {address} has {size} bytes of code instead of "
                f"{load_artifact(name).runtime_size}"
            )
    clearinghouse = interface_of("Clearinghouse")
    for name in names:
        getter = _field_of(name).upper()
        if name == "Clearinghouse" or not clearinghouse.has_function(getter, 0):
            continue
        call = clearinghouse.encode_call(deployment.clearinghouse, getter, ())
        named = yield from node.read(call)
        if named != getattr(deployment, _field_of(name)):
            raise DeploymentError(f"the clearinghouse names {named} as its {name}")


def contract_address(creator: str, nonce: int) -> str:
    """Where a contract lands that an address creates with its `nonce`-th transaction."""
    sender = bytes.fromhex(creator.removeprefix("0x"))
    number = nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    if len(number) != 1 or number[0] >= 0x80:
        number = bytes([0x80 + len(number)]) + number
    body = bytes([0x80 + len(sender)]) + sender + number
    return to_checksum_address(keccak(bytes([0xC0 + len(body)]) + body)[12:])


def _names(*, with_token: bool, with_timelock: bool) -> list[str]:
    # The clearinghouse is last: when it is there, all is.
    return [
        *(["MockToken"] if with_token else []),
        *(["Timelock"] if with_timelock else []),
        "PriceOracle",
        "AccountLogic",
        "HouseLogic",
        "LiquidationLogic",
        "MarketLogic",
        "OrderLogic",
        "OrderBook",
        "LiquidityPool",
        "Lens",
        "Simulator",
        "OrderLens",
        "RiskLens",
        "WordLens",
        "Clearinghouse",
    ]


def _arguments(
    at: dict[str, str], token: str, owner: str, cooldown: int, timelock_delay: int | None
) -> dict[str, tuple[Any, ...]]:
    oracle, clearinghouse, pool = at["PriceOracle"], at["Clearinghouse"], at["LiquidityPool"]
    order_book = at["OrderBook"]
    return {
        "MockToken": TOKEN,
        "Timelock": (timelock_delay, [owner]),
        "PriceOracle": (clearinghouse,),
        "AccountLogic": (token, oracle, order_book),
        "HouseLogic": (token, oracle, pool),
        "LiquidationLogic": (oracle,),
        "MarketLogic": (oracle,),
        "OrderLogic": (clearinghouse, oracle),
        "OrderBook": (clearinghouse, oracle, at["OrderLogic"]),
        "LiquidityPool": (clearinghouse, token, oracle, cooldown),
        "Lens": (clearinghouse, oracle, order_book, pool),
        "Simulator": (clearinghouse, oracle),
        "OrderLens": (clearinghouse, oracle, order_book, at["Lens"], at["Simulator"]),
        "RiskLens": (clearinghouse, oracle),
        "WordLens": (clearinghouse, oracle, order_book),
        "Clearinghouse": (
            owner,
            token,
            order_book,
            pool,
            oracle,
            at["AccountLogic"],
            at["HouseLogic"],
            at["LiquidationLogic"],
            at["MarketLogic"],
        ),
    }


def _field_of(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)[1:]


def _gas_of(name: str) -> int:
    # Not estimated: a constructor may call a contract whose transaction is still pending.
    artifact = load_artifact(name)
    return (
        _GAS_BASE
        + _GAS_PER_CODE_BYTE * (len(artifact.bytecode) + 512)
        + _GAS_PER_DEPOSITED_BYTE * artifact.runtime_size
    )
