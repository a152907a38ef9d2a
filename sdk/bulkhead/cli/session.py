"""What a command works with: the node, the exchange on it, a signer, and the output.

`@connected` gives a command `--rpc`, `--deployments` and `--json`, `@signing` whose key it is, too;
both pass it a `Session` first. `@reporting` gives one that needs no node `--json` and an `Output`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from bulkhead.cli import keys
from bulkhead.cli.output import Output
from bulkhead.cli.parameters import PERSON

if TYPE_CHECKING:
    from web3 import Web3

    from bulkhead.chain import Signer
    from bulkhead.deployment import Deployment
    from bulkhead.reader import Reader
    from bulkhead.trader import Trader

Command: TypeAlias = Callable[..., Any]

deployments_option = click.option(
    "--deployments",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="BULKHEAD_DEPLOYMENTS",
    default=Path("deployments"),
    show_default=True,
    help="The folder that says where exchanges are.",
)

LOCAL_NODE = "http://127.0.0.1:8545"
TIMEOUT = 30  # seconds that a node may take for one answer


class Session:
    """One command's connection; everything in it is made when it is first asked for.

    Args:
        output: Where results go.
        rpc: The node's address.
        folder: Where deployments are.
        identity: Whose key signs.
        connect: Makes a connection of an address; tests bring their own.
    """

    def __init__(
        self,
        output: Output,
        rpc: str,
        folder: Path,
        identity: keys.Identity,
        connect: Callable[[str], Web3] | None = None,
    ) -> None:
        self.output = output
        self.rpc = rpc
        self.folder = folder
        self.identity = identity
        self._connect = connect or connection

    @cached_property
    def w3(self) -> Web3:
        """The node."""
        return self._connect(self.rpc)

    @cached_property
    def deployment(self) -> Deployment:
        """The exchange that is known on the node's chain."""
        from bulkhead.deployment import Deployment

        return Deployment.load(self.w3, self.folder)

    @cached_property
    def reader(self) -> Reader:
        """Reads the exchange."""
        from bulkhead.reader import Reader

        return Reader(self.w3, self.deployment)

    @cached_property
    def signer(self) -> Signer:
        """Who signs."""
        return keys.signer_of(self.identity, self.w3)

    def trader(self, account: str | None = None) -> Trader:
        """Trades for the signer, or, as its operator, for another account."""
        from bulkhead.trader import Trader

        owner = None if account is None else self.address_of(account)
        return Trader(self.reader, self.signer, owner)

    def address_of(self, person: str | None) -> str:
        """The address of a person by name, index or address; the signer's if nobody is named."""
        if person is not None:
            return keys.address_of(person, self.w3)
        return keys.own_address(self.identity, self.w3)


def connection(rpc: str) -> Web3:
    """A connection to a node.

    Raises:
        Unreachable: If none answers there.
    """
    from web3 import HTTPProvider, Web3

    from bulkhead.errors import Unreachable

    if not rpc.startswith(("http://", "https://")):
        raise click.BadParameter(
            "an address that begins with http:// or https://", param_hint="--rpc"
        )
    w3 = Web3(HTTPProvider(rpc, request_kwargs={"timeout": TIMEOUT}))
    if not w3.is_connected():
        raise Unreachable("no node answers at the address of --rpc or BULKHEAD_RPC")
    return w3


def reporting(command: Command) -> Command:
    """Gives a command `--json`, and an `Output` as its first argument."""

    @_json_option
    @wraps(command)
    def run(*arguments: Any, as_json: bool, **named: Any) -> Any:
        return command(Output(as_json), *arguments, **named)

    return run


def connected(command: Command) -> Command:
    """Gives a command `--rpc`, `--deployments` and `--json`, and a `Session` first."""
    return _with_session(command)


def signing(command: Command) -> Command:
    """What `connected` gives, and `--as` and `--keystore`: whose key signs."""
    return _with_session(
        click.option(
            "--keystore",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            envvar="BULKHEAD_KEYSTORE",
            help="Sign with the key in an encrypted file; asks for its password.",
        )(
            click.option(
                "--as",
                "person",
                type=PERSON,
                help="Sign as one of a local node's own accounts: name, index or address.",
            )(command)
        )
    )


def _with_session(command: Command) -> Command:
    @click.option(
        "--rpc",
        envvar="BULKHEAD_RPC",
        default=LOCAL_NODE,
        show_default=True,
        help="The node's address; also BULKHEAD_RPC.",
    )
    @deployments_option
    @_json_option
    @click.pass_context
    @wraps(command)
    def run(
        ctx: click.Context,
        /,
        *arguments: Any,
        rpc: str,
        folder: Path,
        as_json: bool,
        person: str | None = None,
        keystore: Path | None = None,
        **named: Any,
    ) -> Any:
        identity = keys.Identity(person, keystore)
        session = Session(Output(as_json), rpc, folder, identity, ctx.obj)
        return command(session, *arguments, **named)

    return run


_json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON, nothing rounded.")
