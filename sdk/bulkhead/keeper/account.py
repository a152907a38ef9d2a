"""A keeper's account on chain: what its signers call, instead of what it calls for them.

With it prices and the work that needs them go in one transaction, and what all signers earn is in
one place that none of them can take it from. See `contracts/interfaces/IKeeperAccount.vyi`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from eth_utils.address import to_checksum_address

from bulkhead.chain import (
    AwaitingTransport,
    BlockingTransport,
    ChainVerbs,
    Program,
    address_of,
)
from bulkhead.contracts import Contract, Contracts
from bulkhead.errors import DeploymentError
from bulkhead.interfaces import Call, encode_constructor, interface_of, load_artifact
from bulkhead.keeper.desk import Desk
from bulkhead.keeper.foresight import Update
from bulkhead.keeper.work import Task

if TYPE_CHECKING:
    from web3 import AsyncWeb3, Web3

    from bulkhead.chain import Signer
    from bulkhead.deployment import Deployment

NAME = "KeeperAccount"
MAX_UPDATES = 8  # prices that one transaction brings
MAX_OPERATORS = 16  # let in at deployment; more are later

_OF_EXCHANGE = ("clearinghouse", "price_oracle", "order_book", "liquidity_pool")
_DEPLOY_GAS = 3_000_000


@dataclass(frozen=True, slots=True)
class Work(Call):
    """A call of the account that returns what the work does, and not which prices were taken.

    Attributes:
        place: Of the work's own among what the account returns; the updates' bits are the first.
    """

    place: int = 1

    def decode(self, data: bytes) -> Any:
        """What the function that does the work returned."""
        return Call.decode(self, data)[self.place]


class KeeperAccount:
    """The calls of one account. Pure.

    Args:
        address: Where it is.
    """

    def __init__(self, address: str) -> None:
        self.address = to_checksum_address(address)
        self._contract = Contract(self.address, interface_of(NAME))

    def call_of(self, tasks: Sequence[Task], updates: Collection[Update] = ()) -> Call | None:
        """The call that does some tasks of one function at prices that it brings.

        Args:
            tasks: What to do.
            updates: The prices, with what their sources ask for.

        Returns:
            It; None where the account does no such thing: what neither pays nor needs a price.

        Raises:
            ValueError: If there are more prices than one transaction brings.
        """
        if len(updates) > MAX_UPDATES:
            raise ValueError(f"updates: {len(updates)}, one transaction brings {MAX_UPDATES}")
        first, arguments = tasks[0], [task.argument for task in tasks]
        match first.verb:
            case "execute_orders":
                return self._work("execute", updates, arguments)
            case "ratchet":
                return self._work("ratchet", updates, arguments)
            case "liquidate_isolated":
                return self._work("liquidate", updates, arguments, [])
            case "liquidate_cross":
                return self._work("liquidate", updates, [], arguments, place=2)
            case "auto_deleverage":
                return self._work("deleverage", updates, first.market, arguments)
            case "fix":
                return self._work("fix", updates, first.argument)
        return None

    def update_prices(self, updates: Collection[Update]) -> Call:
        """Brings prices alone; returns the bits of those that did not fail."""
        pairs = [(one.market, one.payload) for one in updates]
        call = self._contract.call("update_prices", pairs)
        return replace(call, value=sum(one.fee for one in updates))

    def set_operator(self, operator: str, allowed: bool = True) -> Call:
        """Lets a key work through it, or no longer; sent by the owner."""
        return self._contract.call("set_operator", operator, allowed)

    def withdraw(self, amount: int, receiver: str) -> Call:
        """Sends cash out of its account in the exchange, in token units; sent by the owner."""
        return self._contract.call("withdraw", amount, receiver)

    def withdraw_tokens(self, token: str, amount: int, receiver: str) -> Call:
        """Sends its own tokens out: fixing requests pays in them; sent by the owner."""
        return self._contract.call("withdraw_tokens", token, amount, receiver)

    def is_operator(self, key: str) -> Call:
        """Asks whether a key may work through it."""
        return self._contract.call("is_operator", key)

    def owner(self) -> Call:
        """Asks who takes out what it earns."""
        return self._contract.call("owner")

    def of_exchange(self) -> tuple[Call, ...]:
        """Asks for the contracts that it works with."""
        return tuple(self._contract.call(name.upper()) for name in _OF_EXCHANGE)

    def _work(
        self, name: str, updates: Collection[Update], *arguments: Any, place: int = 1
    ) -> Work:
        pairs = [(one.market, one.payload) for one in updates]
        call = self._contract.call(name, pairs, *arguments)
        known = {field.name: getattr(call, field.name) for field in fields(Call)}
        return Work(**{**known, "value": sum(one.fee for one in updates), "place": place})


class AccountDesk(Desk):
    """Makes a keeper's calls through its account, which brings the prices they need.

    Args:
        contracts: The exchange.
        signers: Who sends: operators of the account.
        account: The account, which is paid.
    """

    brings = MAX_UPDATES

    def __init__(self, contracts: Contracts, signers: Sequence[str], account: str) -> None:
        super().__init__(contracts, signers)
        self.account = KeeperAccount(account)
        self.payees = frozenset([self.account.address])

    def call_of(self, tasks: Sequence[Task], updates: Collection[Update] = ()) -> Call:
        """The call that does some tasks of one function, through the account where it does such.

        Args:
            tasks: What to do.
            updates: The prices it brings; none where it goes straight: such needs no price.

        Raises:
            ValueError: If there are more than one transaction brings.
        """
        return self.account.call_of(tasks, updates) or super().call_of(tasks)


def problems_of(
    w3: Web3, deployment: Deployment, account: KeeperAccount, signers: Sequence[str]
) -> tuple[str, ...]:
    """What is wrong with an account for some signers of an exchange; nothing where all is well."""
    return BlockingTransport(w3).run(_problems(deployment, account, signers))


async def require_account(
    w3: AsyncWeb3[Any], deployment: Deployment, account: KeeperAccount, signers: Sequence[str]
) -> None:
    """Checks that an account works for some signers of an exchange.

    Raises:
        DeploymentError: If it does not; it says why.
    """
    problems = await AwaitingTransport(w3).run(_problems(deployment, account, signers))
    if problems:
        raise DeploymentError("; ".join(problems))


def deploy_account(
    w3: Web3, deployer: Signer, deployment: Deployment, owner: str, operators: Sequence[str]
) -> KeeperAccount:
    """Deploys a keeper's account.

    Args:
        w3: A connection.
        deployer: Who pays; it keeps no rights.
        deployment: The exchange.
        owner: Who takes out what is earned: a key that is not a signer's.
        operators: The signers, sixteen at most; the owner lets more in.

    Raises:
        DeploymentError: If its code is not whole.
        ValueError: If there are too many operators.
    """
    return BlockingTransport(w3).run(_deployed(deployer, deployment, owner, operators))


async def deploy_account_async(
    w3: AsyncWeb3[Any],
    deployer: Signer,
    deployment: Deployment,
    owner: str,
    operators: Sequence[str],
) -> KeeperAccount:
    """`deploy_account`, awaited."""
    return await AwaitingTransport(w3).run(_deployed(deployer, deployment, owner, operators))


def _problems(
    deployment: Deployment, account: KeeperAccount, signers: Sequence[str]
) -> Program[tuple[str, ...]]:
    node = ChainVerbs()
    size = yield from node.code_size(account.address)
    if size != load_artifact(NAME).runtime_size:
        return (f"account: no contract at {account.address} that is a {NAME}",)
    problems: list[str] = []
    for name, call in zip(_OF_EXCHANGE, account.of_exchange(), strict=True):
        named = yield from node.read(call)
        if named != getattr(deployment, name):
            problems.append(f"account: its {name} is {named}, of another exchange")
    for signer in signers:
        allowed = yield from node.read(account.is_operator(signer))
        problems += [] if allowed else [f"account: {signer} is no operator of it"]
    return tuple(problems)


def _deployed(
    deployer: Signer, deployment: Deployment, owner: str, operators: Sequence[str]
) -> Program[KeeperAccount]:
    if len(operators) > MAX_OPERATORS:
        raise ValueError(f"operators: {MAX_OPERATORS} at most, the owner lets more in later")
    node = ChainVerbs()
    exchange = [getattr(deployment, name) for name in _OF_EXCHANGE]
    code = encode_constructor(NAME, (owner, list(operators), *exchange))
    transaction = yield from node.submit(None, code, deployer, _DEPLOY_GAS)
    receipt = yield from node.wait(transaction)
    size = yield from node.code_size(str(receipt.created))
    if receipt.created is None or size != load_artifact(NAME).runtime_size:
        raise DeploymentError(f"{address_of(deployer)} deployed no whole {NAME}: {transaction}")
    return KeeperAccount(receipt.created)
