"""The Python mirror and the contracts' libraries agree, bit for bit and refusals included."""

from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import Any

import pytest

from bulkhead.protocol import margin_math, price_bounds, words
from bulkhead.protocol.reasons import Reason
from tests.helpers.anvil import ROOT
from tests.helpers.domains import DOMAINS, STRUCTS, Given, packable
from tests.helpers.draw import Draw
from tests.helpers.libraries import LIBRARIES, Answer, Library, encoded, encoded_text, refusal

INPUTS = 10_000
MASKS = {f"M{bits}" for bits in range(256)}
INNER = {"FEMTO_INT", "LAST_TO_WAIT"}  # what Python has no use for

CASES = [(library, function) for library, table in DOMAINS.items() for function in table]


def module_of(library: str) -> ModuleType:
    return import_module(f"bulkhead.protocol.{library}")


def mirror_of(library: str, function: str) -> Callable[..., Any]:
    mirror: Callable[..., Any] = getattr(module_of(library), function)
    return mirror


def mirrored(mirror: Callable[..., Any], given: Given) -> Answer:
    try:
        answer = mirror(*given)
        return True, encoded_text(answer) if isinstance(answer, str) else encoded(answer)
    except words.OutOfRange as error:
        return False, refusal(str(error))


def test_every_library_is_compared() -> None:
    found = {path.stem for path in (ROOT / "contracts/lib").glob("*.vy")}
    assert found == set(LIBRARIES)


@pytest.mark.anvil
@pytest.mark.parametrize("library", LIBRARIES)
def test_every_function_of_a_library_is_compared(
    library: str, libraries: dict[str, Library]
) -> None:
    assert libraries[library].functions.keys() == DOMAINS[library].keys()


@pytest.mark.anvil
@pytest.mark.parametrize("library", LIBRARIES)
def test_functions_take_the_same_arguments_in_the_same_order(
    library: str, libraries: dict[str, Library]
) -> None:
    for name, function in libraries[library].functions.items():
        if name.removeprefix("un").startswith("pack_"):
            continue
        mirror = signature(mirror_of(library, name))
        assert list(mirror.parameters) == [argument["name"] for argument in function.arguments]


@pytest.mark.anvil
@pytest.mark.parametrize("library", LIBRARIES)
def test_constants_are_the_same(library: str, libraries: dict[str, Library]) -> None:
    mirror = dict(Reason.__members__ if library == "reasons" else vars(module_of(library)))
    constants = libraries[library].constants
    assert {name for name in constants if name not in mirror} <= MASKS | INNER
    for name in constants.keys() & mirror.keys():
        assert mirror[name] == constants[name], name


@pytest.mark.anvil
def test_structs_have_the_same_fields_in_the_same_order(libraries: dict[str, Library]) -> None:
    packers = libraries["words"].functions
    pairs: list[tuple[Any, type]] = [
        (packers[f"pack_{name}"].arguments[0], struct) for name, struct in STRUCTS.items()
    ]
    exposure, tiers = libraries["price_bounds"].functions["liquidation_prices"].arguments
    pairs += [(exposure, price_bounds.Exposure), (tiers, margin_math.Tiers)]
    for argument, struct in pairs:
        names = [component["name"] for component in argument["components"]]
        assert names == [field.name for field in fields(struct)]


@pytest.mark.anvil
@pytest.mark.parametrize(("library", "function"), CASES)
def test_the_mirror_agrees_with_the_contract(
    library: str, function: str, libraries: dict[str, Library]
) -> None:
    draw, mirror = Draw(f"{library}.{function}"), mirror_of(library, function)
    inputs = [DOMAINS[library][function](draw) for _ in range(INPUTS)]
    answers = libraries[library].answers(function, inputs)
    assert len(answers) == INPUTS
    differences = [
        (given, answer)
        for given, answer in zip(inputs, answers, strict=True)
        if answer != mirrored(mirror, given)
    ]
    assert not differences, (
        f"{len(differences)} differ, the smallest: {min(differences, key=complexity)}"
    )


@pytest.mark.anvil
@pytest.mark.parametrize("struct", STRUCTS)
def test_packing_refuses_some_structs_and_takes_others(
    struct: str, libraries: dict[str, Library]
) -> None:
    draw = Draw(struct)
    inputs = [packable(STRUCTS[struct])(draw) for _ in range(1_000)]
    taken = [success for success, _ in libraries["words"].answers(f"pack_{struct}", inputs)]
    assert 100 < taken.count(False) < 500


def complexity(difference: tuple[Given, Answer]) -> int:
    data = encoded(difference[0])
    return sum(
        int.from_bytes(data[at : at + 32], "big").bit_length() for at in range(0, len(data), 32)
    )
