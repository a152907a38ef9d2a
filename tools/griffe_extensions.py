"""How the SDK's reference reads the source, where that differs from what griffe does by itself."""

from __future__ import annotations

from typing import Any

from griffe import (
    Attribute,
    Class,
    Docstring,
    DocstringSectionAttributes,
    ExprName,
    ExprSubscript,
    Extension,
    Function,
)

DECORATOR = "verb"
PROGRAM = "Program"
DIRECTIVES = ("noqa", "type:", "pragma")


class VerbReturns(Extension):
    """A `@verb` is written as a program, `-> Program[X]`; its caller gets the `X`."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        decorators = {one.callable_path.rpartition(".")[2] for one in func.decorators}
        if DECORATOR in decorators and isinstance(func.returns, ExprSubscript):
            program = func.returns.left
            if isinstance(program, ExprName) and program.name == PROGRAM:
                func.returns = func.returns.slice


class DescribedOnce(Extension):
    """A field that its class describes is not listed again; one may be described by a comment."""

    def on_attribute(self, *, attr: Attribute, **_: Any) -> None:
        comment = attr.source.partition("  # ")[2].split("\n")[0]
        if attr.docstring is None and comment and not comment.startswith(DIRECTIVES):
            attr.docstring = Docstring(comment, parent=attr)

    def on_class(self, *, cls: Class, **_: Any) -> None:
        for section in cls.docstring.parse("google") if cls.docstring else ():
            if isinstance(section, DocstringSectionAttributes):
                for described in section.value:
                    if isinstance(member := cls.members.get(described.name), Attribute):
                        member.public = False


class DunderIfDescribed(Extension):
    """The language documents its own methods: ours are listed where they say more."""

    def on_function(self, *, func: Function, **_: Any) -> None:
        if func.is_special and func.name != "__init__" and func.docstring is None:
            func.public = False
