"""Names that a package gives out, loaded on first use: importing it costs nothing."""

from collections.abc import Callable, Mapping
from importlib import import_module

Names = tuple[list[str], Callable[[str], object], Callable[[], list[str]]]


def lazy_names(package: str, home: Mapping[str, str]) -> Names:
    """A package's `__all__`, `__getattr__` and `__dir__`.

    Args:
        package: Its full name.
        home: The module inside it that has each name.
    """

    def load(name: str) -> object:
        if name not in home:
            raise AttributeError(f"{package} has no {name}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    names = sorted(home)
    return names, load, lambda: names
