"""What is wrong with settings, in words: which field, what it may be, what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

MOST_SHOWN = 60  # characters of a value
SECRET = ("rpc.urls", "signers", "feeds.hermes_url", "feeds.signed_urls")
"""Where a key or a password may have been written by mistake: such values are not repeated."""

_WITH_USER = re.compile(r"\w+://[^/?#]*@")
_PRIVATE = re.compile(r"(0x)?[0-9a-fA-F]{64}")


class InvalidSettings(ValueError):  # noqa: N818 - as the package's other errors, what happened
    """Settings that a keeper does not take."""


def explained(error: ValidationError, model: type[BaseModel]) -> str:
    """Everything that is wrong, one after the other."""
    return "; ".join(_sentence(one, model) for one in error.errors(include_url=False))


def require_no_secret_address(table: Mapping[str, Any]) -> None:
    """Refuses addresses with a user and password in a file.

    Raises:
        InvalidSettings: Naming the field, and not what it holds.
    """
    for field, text in _texts(table):
        if _WITH_USER.match(text):
            raise InvalidSettings(
                f"{field}: a password in an address belongs in the environment, not in a file"
            )


def _sentence(one: ErrorDetails, model: type[BaseModel]) -> str:
    field = ".".join(map(str, one["loc"])) or "settings"
    match one["type"]:
        case "missing":
            return f"{field}: is needed"
        case "extra_forbidden":
            known = ", ".join(_known(model, one["loc"][:-1]))
            return f"{field}: no setting; there are {known}"
        case "value_error":
            limit = str(one["msg"]).removeprefix("Value error, ")
        case _:
            limit = str(one["msg"])[0].lower() + str(one["msg"])[1:]
    return f"{field}: {limit}{_shown(field, one['input'])}"


def _shown(field: str, value: Any) -> str:
    if not isinstance(value, str | int | float) or field.startswith(SECRET):
        return ""
    if not isinstance(value, str):
        return f", not {value}"
    return f", not {_PRIVATE.sub('(32 bytes, not shown)', value)[:MOST_SHOWN]!r}"


def _known(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The fields of the group at a path."""
    found: Any = model
    for part in path:
        if isinstance(part, str):
            annotation = found.model_fields[part].annotation
            found = getattr(annotation, "__args__", (annotation,))[0]
    return list(found.model_fields)


def _texts(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a table, with its path."""
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _texts(one, f"{field}.{name}" if field else name)
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _texts(one, f"{field}.{index}")
