"""Contracts on titanoboa's chain, called by name: values in, values, events and reasons out."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import boa
import pytest
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from vyper.compiler.output import build_abi_output

from tools.compiling import compiler_of

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
CACHE = ROOT / ".cache" / "contracts"  # compiling takes half a minute
ERROR_SELECTOR = bytes.fromhex("08c379a0")

deployed: dict[str, str] = {}  # what lies where, by addresses in lower case

boa.env.evm.patch.timestamp = 1_700_000_000  # not the host's clock: every run is the same


class Refused(AssertionError):  # noqa: N818 - the project's word
    """A call that reverted, and the reason it gave; empty where it gave none."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Event:
    """A log entry. Its fields are attributes; `values` holds them all."""

    def __init__(self, name: str, address: str, values: dict[str, Any]) -> None:
        self.name = name
        self.address = address
        self.values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(f"{self.name} has no field {name}") from None

    def __repr__(self) -> str:
        return f"{self.name}({self.values})"


@dataclass(slots=True)
class Receipt:
    """What became of a call. `refusal` is None where it succeeded."""

    result: Any
    refusal: str | None
    gas_used: int
    logs: Sequence[tuple[bytes, tuple[int, ...], bytes]] = field(repr=False)

    @property
    def events(self) -> list[Event]:
        return [_decode_log(*entry) for entry in self.logs]

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def event(self, name: str) -> Event:
        """The only event of a name."""
        found = self.named(name)
        assert len(found) == 1, f"{len(found)} {name} in {self.events}"
        return found[0]


class Function:
    """An external function: its selector and the types that go in and out."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name: str = entry["name"]
        self.inputs: list[dict[str, Any]] = entry["inputs"]
        self.is_view = entry["stateMutability"] in ("view", "pure")
        self.types = [canonical_type(argument) for argument in entry["inputs"]]
        self.outputs = [canonical_type(output) for output in entry["outputs"]]
        self.selector = keccak(text=f"{self.name}({','.join(self.types)})")[:4]

    def calldata(self, arguments: Sequence[Any]) -> bytes:
        return self.selector + encode(self.types, arguments)

    def read(self, output: bytes) -> Any:
        values = tuple([_checksummed(value) for value in decode(self.outputs, output)])
        if not values:
            return None
        return values[0] if len(values) == 1 else values


class Contract:
    """A deployed contract."""

    def __init__(self, path: str, *arguments: Any, deployer: str | None = None) -> None:
        source = compiled(path)
        self.name = path.rsplit("/", 1)[-1]
        self.abi: list[dict[str, Any]] = source.abi
        self.functions = source.functions
        constructor: dict[str, Any] = next(
            (e for e in self.abi if e["type"] == "constructor"), {"inputs": []}
        )
        types = [canonical_type(argument) for argument in constructor["inputs"]]
        address, computation = boa.env.deploy(
            sender=deployer, bytecode=source.initcode + encode(types, arguments)
        )
        if computation.is_error:
            raise Refused(reason_of(computation.output))
        self.address = str(address)
        self.slots = source.slots
        deployed[self.address.lower()] = path

    def attempt(
        self, sender: str, function: str, *arguments: Any, gas: int | None = None, value: int = 0
    ) -> Receipt:
        """Sends a transaction that may be refused."""
        entry = self.functions[function]
        computation = boa.env.execute_code(
            to_address=self.address,
            sender=sender,
            gas=gas,
            value=value,
            data=entry.calldata(arguments),
        )
        output = computation.output
        if computation.is_error:
            return Receipt(None, reason_of(output), computation.get_gas_used(), ())
        logs = computation.get_raw_log_entries()
        return Receipt(
            entry.read(output), None, computation.get_gas_used(), [entry[1:] for entry in logs]
        )

    def send(
        self, sender: str, function: str, *arguments: Any, gas: int | None = None, value: int = 0
    ) -> Receipt:
        """Sends a transaction; raises `Refused` where it reverts."""
        receipt = self.attempt(sender, function, *arguments, gas=gas, value=value)
        if receipt.refusal is not None:
            raise Refused(receipt.refusal)
        return receipt

    def read(self, function: str, *arguments: Any) -> Any:
        entry = self.functions[function]
        computation = boa.env.execute_code(
            to_address=self.address, data=entry.calldata(arguments), is_modifying=False
        )
        if computation.is_error:
            raise Refused(reason_of(computation.output))
        return entry.read(computation.output)

    def storage(self, slot: int) -> int:
        return int(boa.env.get_storage(self.address, slot))


@dataclass(frozen=True, slots=True)
class Compiled:
    initcode: bytes
    runtime_size: int
    abi: list[dict[str, Any]]
    functions: dict[str, Function]
    layout: dict[str, Any]  # the compiler's, of storage alone
    slots: dict[str, int]  # storage variables, `module.name`, and where they begin


@cache
def compiled(path: str) -> Compiled:
    """A contract, compiled once for each state of the sources."""
    stored = CACHE / f"{_sources_hash(path)}-{path.replace('/', '-')}.json"
    if not stored.exists():
        data = compiler_of(CONTRACTS / f"{path}.vy")
        found = {
            "initcode": data.bytecode.hex(),
            "runtime_size": len(data.bytecode_runtime),
            "abi": build_abi_output(data),
            "layout": data.storage_layout.get("storage_layout", {}),
        }
        CACHE.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=CACHE, delete=False) as file:
            json.dump(found, file)
        Path(file.name).rename(stored)
    found = json.loads(stored.read_text())
    for entry in found["abi"]:
        if entry["type"] == "event":
            _EVENTS[_topic_of(entry)] = entry
    functions = [Function(entry) for entry in found["abi"] if entry["type"] == "function"]
    return Compiled(
        initcode=bytes.fromhex(found["initcode"]),
        runtime_size=found["runtime_size"],
        abi=found["abi"],
        functions={function.name: function for function in functions},
        layout=found["layout"],
        slots=dict(_slots(found["layout"])),
    )


@cache
def _sources_hash(path: str) -> str:
    """Of a contract and all that it imports: what else changes does not touch it."""
    digest = sha256()
    for source in sorted(_imported(CONTRACTS / f"{path}.vy")):
        digest.update(f"{source.relative_to(CONTRACTS)}\0{source.read_text()}\0".encode())
    return digest.hexdigest()[:32]


@cache
def _imported(source: Path) -> frozenset[Path]:
    found = {source}
    for dots, package, name in re.findall(
        r"^from (\.+)(\S*) import (\w+)$", source.read_text(), re.MULTILINE
    ):
        folder = source.parents[len(dots) - 1].joinpath(*package.split(".") if package else ())
        module = next(folder.glob(f"{name}.vy*"))
        found |= _imported(module)
    return frozenset(found)


@contextmanager
def refused(reason: str) -> Iterator[None]:
    """The block's call must revert with exactly this reason."""
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.reason == reason


def reason_of(output: bytes) -> str:
    if not output:
        return ""
    assert output[:4] == ERROR_SELECTOR, f"not a reason: {output.hex()}"
    return str(decode(["string"], output[4:])[0])


def account_named(name: str) -> str:
    """An address of its own for everyone who has a name."""
    return to_checksum_address(keccak(text=name)[12:])


def now() -> int:
    return int(boa.env.evm.patch.timestamp)


def advance(seconds: int) -> None:
    """Mines one block that many seconds later."""
    boa.env.evm.patch.timestamp += seconds
    boa.env.evm.patch.block_number += 1


def canonical_type(argument: dict[str, Any]) -> str:
    kind: str = argument["type"]
    if not kind.startswith("tuple"):
        return kind
    members = ",".join([canonical_type(member) for member in argument["components"]])
    return f"({members}){kind[len('tuple') :]}"


_EVENTS: dict[int, dict[str, Any]] = {}


def _topic_of(entry: dict[str, Any]) -> int:
    types = ",".join([canonical_type(argument) for argument in entry["inputs"]])
    return int.from_bytes(keccak(text=f"{entry['name']}({types})"), "big")


def _decode_log(address: bytes, topics: tuple[int, ...], data: bytes) -> Event:
    entry = _EVENTS[topics[0]]
    indexed = [argument for argument in entry["inputs"] if argument["indexed"]]
    plain = [argument for argument in entry["inputs"] if not argument["indexed"]]
    values: dict[str, Any] = {}
    for argument, topic in zip(indexed, topics[1:], strict=True):
        (value,) = decode([canonical_type(argument)], topic.to_bytes(32, "big"))
        values[argument["name"]] = _checksummed(value)
    decoded = decode([canonical_type(argument) for argument in plain], data)
    for argument, value in zip(plain, decoded, strict=True):
        values[argument["name"]] = _checksummed(value)
    return Event(entry["name"], to_checksum_address(address), values)


def _checksummed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple([_checksummed(member) for member in value])
    if isinstance(value, str) and len(value) == 42 and value.startswith("0x"):
        return to_checksum_address(value)
    return value


def _slots(layout: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, int]]:
    for name, entry in layout.items():
        if "slot" in entry:
            yield prefix + name, entry["slot"]
        else:
            yield from _slots(entry, f"{prefix}{name}.")
