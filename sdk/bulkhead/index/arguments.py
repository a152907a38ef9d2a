"""An event's arguments as JSON, and back. Pure.

Every integer is a decimal string, as most readers of JSON keep only 53 bits of a number; bytes are
hexadecimal with 0x, structs are objects, lists are arrays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bulkhead.decoding import Component


def to_json(arguments: Mapping[str, Any]) -> str:
    """The arguments of an event as text, names as they are: identifiers need no escape."""
    return "{" + ",".join([f'"{name}":{_text(one)}' for name, one in arguments.items()]) + "}"


def from_json(inputs: Sequence[Component], text: str) -> dict[str, Any]:
    """The arguments of an event again, of the same types as the decoder's."""
    found = json.loads(text)
    return {one["name"]: _typed(one, found[one["name"]]) for one in inputs}


def _text(value: Any) -> str:
    kind = type(value)
    if kind is int:
        return f'"{value}"'
    if kind is bytes:
        return f'"0x{value.hex()}"'
    if kind is dict:
        return to_json(value)
    if kind is tuple:
        return f"[{','.join([_text(one) for one in value])}]"
    return json.dumps(value)


def _typed(component: Component, value: Any) -> Any:
    kind: str = component["type"]
    if kind.endswith("]"):
        element = {**component, "type": kind[: kind.rindex("[")]}
        return tuple(_typed(element, one) for one in value)
    if kind == "tuple":
        return {one["name"]: _typed(one, value[one["name"]]) for one in component["components"]}
    if kind.startswith(("uint", "int")):
        return int(value)
    return bytes.fromhex(value[2:]) if kind.startswith("bytes") else value
