"""The contracts' libraries, callable by the thousand.

A library's functions are internal, so a contract that exposes every one of them is written from the
library's own signatures: a new function is under test as soon as it exists. An interpreter in
Python would take minutes for what is asked of them here, so they run on anvil.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, make_dataclass
from functools import cache
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from vyper import ast
from vyper.compiler.output import build_abi_output, build_method_identifiers_output
from vyper.utils import keccak256

from tests.helpers.anvil import ROOT, Anvil
from tools.compiling import compiler_of

LIBRARIES = (
    "fixed_point",
    "words",
    "market_math",
    "settlement_math",
    "position_math",
    "house_math",
    "margin_math",
    "liquidation_math",
    "price_bounds",
    "price_validity",
    "funding_bounds",
    "reasons",
)
OPTIONS = ("--disable-block-gas-limit", "--no-request-size-limit", "--disable-code-size-limit")
CONSTANT = "constant_"
BATCH = 1_000
GAS = 10**12
WORD = 2**256

Answer = tuple[bool, bytes]
Reader = Callable[[Iterator[int]], Any]


@cache
def wrapper_source(library: str, only: frozenset[str] | None = None) -> str:
    """A contract with a function for every constant and every public function of a library.

    Or for those alone that are named.
    """
    text = (ROOT / f"contracts/lib/{library}.vy").read_text()
    module = ast.parse_to_ast(text)
    structs = {struct.name for struct in module.get_children(ast.nodes.StructDef)}

    def wanted(name: str) -> bool:
        return only is None or name in only

    def qualified(annotation: Any) -> str:
        if isinstance(annotation, ast.nodes.Tuple):
            return f"({', '.join(map(qualified, annotation.elements))})"
        code = str(annotation.node_source_code)
        return f"{library}.{code}" if code in structs else code

    # A signature may name what the library imports.
    imported = {one.name for one in module.get_children(ast.nodes.ImportFrom)}
    lines = ["# pragma version 0.4.3"]
    lines += [f"from contracts.lib import {name}" for name in sorted({library, *imported})]
    for function in module.get_children(ast.nodes.FunctionDef):
        if function.name.startswith("_") or not wanted(function.name):
            continue
        names = [argument.arg for argument in function.args.args]
        typed = [f"{a.arg}: {qualified(a.annotation)}" for a in function.args.args]
        lines += [
            "@external",
            "@pure",
            f"def {function.name}({', '.join(typed)}) -> {qualified(function.returns)}:",
            f"    return {library}.{function.name}({', '.join(names)})",
        ]
    for variable in module.get_children(ast.nodes.VariableDecl):
        name, kind = variable.target.id, variable.annotation.node_source_code
        if not wanted(name):
            continue
        lines += ["@external", "@pure", f"def {CONSTANT}{name}() -> {kind}:"]
        lines += [f"    return {library}.{name}"]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Function:
    target: str  # the contract that has it
    selector: bytes
    arguments: tuple[Any, ...]  # ABI entries
    read: Reader


class Library:
    """One library behind its wrapper. `call` answers values, `answers` success and raw bytes."""

    def __init__(self, node: Anvil, batch: str, name: str) -> None:
        self.name = name
        self.functions: dict[str, Function] = {}
        self.constants: dict[str, Any] = {}
        self._node = node
        self._batch = batch
        target = f"0x{1 + LIBRARIES.index(name):040x}".replace("0x0", "0xb", 1)
        self.deploy(compiler_of(Path("wrapper.vy"), wrapper_source(name)), target)

    def deploy(self, compiled: Any, target: str) -> None:
        """From here on a wrapper's functions and constants are the library's."""
        self._node.rpc("anvil_setCode", target, "0x" + compiled.bytecode_runtime.hex())
        selectors = build_method_identifiers_output(compiled)
        by_name = {signature.split("(")[0]: code for signature, code in selectors.items()}
        constants = []
        for entry in build_abi_output(compiled):
            name = entry["name"]
            self.functions[name] = Function(
                target=target,
                selector=int(by_name[name], 16).to_bytes(4, "big"),
                arguments=tuple(entry["inputs"]),
                read=_values_reader(entry["outputs"]),
            )
            if name.startswith(CONSTANT):
                constants.append(name)
        for name in constants:
            self.constants[name.removeprefix(CONSTANT)] = self.call(name, [()])[0]
            del self.functions[name]

    def call(self, function: str, inputs: Sequence[Sequence[Any]]) -> list[Any]:
        """What the function returns for each input; none may be refused."""
        read = self.functions[function].read
        results = []
        for (success, data), given in zip(self.answers(function, inputs), inputs, strict=True):
            assert success, f"{function}{tuple(given)} was refused: {data!r}"
            results.append(read(_numbers(data)))
        return results

    def answers(self, function: str, inputs: Iterable[Sequence[Any]]) -> list[Answer]:
        """Whether each call succeeded, and the bytes that it returned or reverted with."""
        remaining = iter(inputs)
        answers: list[Answer] = []
        while batch := list(islice(remaining, BATCH)):
            answers += self._batch_answers(self.functions[function], batch)
        return answers

    def _batch_answers(self, function: Function, inputs: list[Sequence[Any]]) -> list[Answer]:
        calls = [function.selector + encoded(tuple(given)) for given in inputs]
        head = (int(function.target, 16), len(calls[0]), 96, len(calls) * len(calls[0]))
        blob = b"".join(calls)
        data = BATCH_SELECTOR + encoded(head) + blob + bytes(-len(blob) % 32)
        result = self._node.rpc(
            "eth_call", {"to": self._batch, "data": "0x" + data.hex(), "gas": hex(GAS)}, "latest"
        )
        answers = list(_answers(bytes.fromhex(result[2:])))
        assert len(answers) == len(inputs)
        return answers


def load_libraries(node: Anvil, names: Sequence[str] = LIBRARIES) -> dict[str, Library]:
    batch = "0xba7c" + "0" * 36
    compiled = compiler_of(Path("tests/harness/Batch.vy"))
    node.rpc("anvil_setCode", batch, "0x" + compiled.bytecode_runtime.hex())
    return {name: Library(node, batch, name) for name in names}


def encoded(value: Any) -> bytes:
    """The ABI's bytes of any nest of static values: one word each, in order."""
    return b"".join([(number % WORD).to_bytes(32, "big") for number in _flat(value)])


def encoded_text(text: str) -> bytes:
    """The ABI's bytes of a text that is returned alone."""
    data = text.encode()
    return encoded((32, len(data))) + data + bytes(-len(data) % 32)


def refusal(reason: str) -> bytes:
    """The bytes with which a contract reverts for a reason."""
    return ERROR_SELECTOR + encoded_text(reason)


BATCH_SELECTOR = keccak256(b"each(address,uint256,bytes)")[:4]
ERROR_SELECTOR = bytes.fromhex("08c379a0")


@cache
def _members(kind: type) -> Callable[[Any], tuple[Any, ...]] | None:
    return attrgetter(*[field.name for field in fields(kind)]) if is_dataclass(kind) else None


def _flat(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
        return
    members = _members(value.__class__)
    for member in members(value) if members else value:
        yield from _flat(member)


def _numbers(data: bytes) -> Iterator[int]:
    return (int.from_bytes(data[at : at + 32], "big") for at in range(0, len(data), 32))


def _answers(data: bytes) -> Iterator[Answer]:
    # The ABI's encoding of (bool, bytes)[], the only thing that Batch returns.
    def number(at: int) -> int:
        return int.from_bytes(data[at : at + 32], "big")

    items = number(0) + 32
    for i in range(number(items - 32)):
        item = items + number(items + 32 * i)
        content = item + number(item + 32)
        yield bool(number(item)), data[content + 32 : content + 32 + number(content)]


def _values_reader(outputs: list[Any]) -> Reader:
    readers = [_reader(output) for output in outputs]
    if len(readers) == 1:
        return readers[0]
    return lambda numbers: tuple([read(numbers) for read in readers])


def _text(numbers: Iterator[int]) -> str:
    _, length = next(numbers), next(numbers)
    return b"".join(number.to_bytes(32, "big") for number in numbers)[:length].decode()


def _reader(output: Any) -> Reader:
    match output["type"]:
        case "tuple":
            names = [member["name"] for member in output["components"]]
            kind = make_dataclass("Struct", names, frozen=True, slots=True)
            readers = [_reader(member) for member in output["components"]]
            return lambda numbers: kind(*[read(numbers) for read in readers])
        case "int256":
            return lambda numbers: (next(numbers) + WORD // 2) % WORD - WORD // 2
        case "bool":
            return lambda numbers: bool(next(numbers))
        case "uint256" | "address":
            return next
        case "string":
            return _text
        case other:
            raise NotImplementedError(other)
