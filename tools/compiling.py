"""The compiler on one source of the project. Nothing is kept between two calls.

titanoboa keeps what it compiled by the text of a contract's own file alone: where a module that it
imports has changed, it gives back what the module was.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

from vyper.compiler.input_bundle import FileInput, FilesystemInputBundle
from vyper.compiler.phases import CompilerData

ROOT = Path(__file__).resolve().parent.parent


def compiler_of(path: Path, text: str | None = None, root: Path = ROOT) -> CompilerData:
    """A file below a root, or a text in its place. Each output is made when it is asked for."""
    bundle = FilesystemInputBundle([Path(sysconfig.get_path("purelib")), root])
    place = root / path
    given = FileInput(
        source_id=-1,
        path=place,
        resolved_path=place,
        contents=place.read_text() if text is None else text,
    )
    return CompilerData(given, bundle)
