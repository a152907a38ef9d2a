"""What mkdocs calls: puts the generated pages among the written ones, and into the menu."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tools import contract_pages, example_page, sdk_pages

_PAGES = {**example_page.pages(), **sdk_pages.pages(), **contract_pages.pages()}


def on_config(config: MkDocsConfig) -> None:
    """Replaces each folder in the menu by its pages."""
    config.nav = [
        {title: [page for page in _PAGES if page.startswith(path)] if path.endswith("/") else path}
        for entry in config.nav or []
        for title, path in entry.items()
    ]


def on_files(files: Files, *, config: MkDocsConfig) -> None:
    """Adds the pages, without a file for any of them."""
    for path, text in _PAGES.items():
        files.append(File.generated(config, path, content=text))
