"""What commands take: exact numbers, people, hashes."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click import Context, Parameter

_HASH = re.compile(r"(0x)?[0-9a-fA-F]{64}")


class Number(click.ParamType):
    """A number taken exactly as it is written."""

    name = "number"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Decimal:
        """A Decimal of it."""
        from bulkhead.values import decimal_of

        try:
            return decimal_of(value, "value")
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(Number):
    """A size; `all` is 0, which reduce-only orders take for all there is."""

    name = "size"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Decimal:
        """A Decimal of it."""
        return Decimal(0) if value == "all" else super().convert(value, param, ctx)


class Person(click.ParamType):
    """An address, or the name or index of one of a local node's accounts."""

    name = "name|address"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> str:
        """What was written, unless it may be a private key."""
        text = str(value)
        if _HASH.fullmatch(text):
            self.fail(
                "this looks like a private key, which is never given on the command line; its "
                "shell may have kept it, so think of it as known",
                param,
                ctx,
            )
        return text


class Hash(click.ParamType):
    """The 32 bytes that name an order or a transaction."""

    name = "hash"

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> bytes:
        """Its bytes."""
        if isinstance(value, bytes):
            return value
        if not _HASH.fullmatch(value):
            self.fail("not a hash: 0x and 64 hexadecimal digits", param, ctx)
        return bytes.fromhex(value.removeprefix("0x"))


NUMBER = Number()
SIZE = Size()
PERSON = Person()
HASH = Hash()
