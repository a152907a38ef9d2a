"""The documentation site: it is complete, and it loads nothing from another host."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import griffe
import pytest

import bulkhead
from bulkhead.interfaces import interface_of
from tools import contract_pages, example_page, sdk_pages

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
ELSEWHERE = re.compile(r"^\s*([a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
CSS_URL = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""")
LOADING = {"src", "srcset", "href", "xlink:href", "data", "poster", "action", "formaction"}


class Page(HTMLParser):
    """What a page loads, what it names, and what its style says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.classes: set[str] = set()
        self.styles: list[str] = []
        self.title = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in LOADING and not (tag == "a" and name == "href"):
                self.loaded.append(value or "")
            elif name == "style":
                self.styles.append(value or "")
        known = dict(attrs)
        self.ids.add(known.get("id") or "")
        self.classes.update((known.get("class") or "").split())

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            self.styles.append(data)
        elif self.lasttag == "title" and not self.title:
            self.title = data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once for this file; a warning fails it."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {
        path.relative_to(site).as_posix(): Page(path.read_text()) for path in site.rglob("*.html")
    }


@pytest.fixture(scope="module")
def contracts() -> dict[str, str]:
    return contract_pages.pages()


def urls(style: str) -> list[str]:
    return CSS_URL.findall(style)


def test_no_page_loads_anything_from_another_host(pages: dict[str, Page]) -> None:
    assert pages["index.html"].loaded
    found = {
        (name, address)
        for name, page in pages.items()
        for address in (*page.loaded, *(url for style in page.styles for url in urls(style)))
        if ELSEWHERE.match(address)
    }
    assert found == set()


def test_no_style_sheet_loads_anything_from_another_host(site: Path) -> None:
    sheets = {path.name: urls(path.read_text()) for path in site.rglob("*.css")}
    assert any(sheets.values())
    assert [url for found in sheets.values() for url in found if ELSEWHERE.match(url)] == []


def test_nothing_makes_the_theme_fetch_more(pages: dict[str, Page]) -> None:
    """Its script would get diagrams' code and a repository's facts from elsewhere."""
    for page in pages.values():
        assert not page.classes & {"mermaid", "md-source"}


def test_the_parser_sees_what_is_loaded() -> None:
    page = Page(
        '<link href="//a"><img srcset="https://b 2x"><style>@import "http://c";</style>'
        '<p style="background: url(https://d)"><a href="https://e">e</a>'
    )
    found = [*page.loaded, *(url for style in page.styles for url in urls(style))]
    assert found == ["//a", "https://b 2x", "http://c", "https://d"]
    assert all(map(ELSEWHERE.match, found))
    assert not any(map(ELSEWHERE.match, ["../a.js", "#b", "data:image/svg+xml,c", "d//e"]))


def test_every_page_has_a_title_of_its_own(pages: dict[str, Page]) -> None:
    titles = [page.title for name, page in pages.items() if name != "404.html"]
    assert all(titles)
    assert len(set(titles)) == len(titles)


def test_every_public_name_of_the_package_has_its_entry(pages: dict[str, Page]) -> None:
    ids = set[str]().union(*(page.ids for name, page in pages.items() if name.startswith("sdk/")))
    overview = sdk_pages.pages()["sdk/index.md"]
    for name in bulkhead.__all__:
        (entry,) = re.findall(rf"^\| \[`{name}`\]\[(.+)\] \| .", overview, re.MULTILINE)
        assert entry in ids


def test_every_public_module_has_its_entry(pages: dict[str, Page]) -> None:
    ids = set[str]().union(*(page.ids for page in pages.values()))
    modules = sdk_pages.modules_of("bulkhead")
    assert "bulkhead.trader" in modules
    assert [one for one in (*modules, "bulkhead.protocol.words") if one not in ids] == []


def test_a_module_that_no_area_names_has_a_page_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_pages, "AREAS", {"Trading": ("trader",)})
    found = sdk_pages.pages()
    assert "::: bulkhead.reader" in found["sdk/reader.md"]
    assert "::: bulkhead.protocol.words" in found["sdk/protocol.md"]
    assert "sdk/trader.md" not in found


def test_what_a_package_gives_out_stands_once() -> None:
    page = sdk_pages.pages()["sdk/connection.md"]
    assert "::: bulkhead.chain\n" in page
    assert "::: bulkhead.chain." not in page


def test_an_area_names_modules_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sdk_pages, "AREAS", {"Trading": ("trader", "gone")})
    with pytest.raises(ValueError, match=r"bulkhead\.gone"):
        sdk_pages.pages()


def test_every_interface_has_its_page_with_all_it_declares(pages: dict[str, Page]) -> None:
    found = list((ROOT / "contracts" / "interfaces").glob("*.vyi"))
    assert found
    for path in found:
        page = pages[f"contracts/{path.stem}/index.html"]
        declared = re.findall(r"^(?:def|struct|event) (\w+)", path.read_text(), re.MULTILINE)
        assert set(declared) <= page.ids


def test_a_functions_selector_and_an_events_topic_are_the_deployed_ones(
    contracts: dict[str, str],
) -> None:
    order_book, custody = interface_of("OrderBook"), interface_of("Clearinghouse")
    selector = custody.encode_call("0x" + "00" * 20, "set_hedge_mode", (True,)).data[:4]
    assert f"Selector `0x{selector.hex()}`" in contracts["contracts/IIsolatedMargin.md"]
    topic = order_book.topic_of("OrderPlaced")
    assert f"Topic `0x{topic.hex()}`" in contracts["contracts/IOrderBook.md"]


def test_a_fields_comment_is_its_meaning(contracts: dict[str, str]) -> None:
    page = contracts["contracts/IOrderBook.md"]
    assert (
        "| `size` | `uint256` | lots; 0, if reduce-only, for all there is when it fills |" in page
    )
    # One that goes on below its field.
    assert "the first that fills ends the others; 0 for none; of a bracket's child" in page


def test_a_type_of_another_interface_leads_to_it(contracts: dict[str, str]) -> None:
    page = contracts["contracts/IOrderLens.md"]
    assert "[`IOrderBook.Order`](IOrderBook.md#Order)" in page


def test_plain_text_stays_plain() -> None:
    assert contract_pages._text("a * b | c `d | e` <f>") == (
        "a &#42; b &#124; c `d | e` &#60;f&#62;"
    )


def test_every_example_is_on_its_page() -> None:
    page = example_page.pages()["examples.md"]
    for path in example_page.sources():
        assert f"`examples/{path.name}`" in page
        assert path.read_text().splitlines()[-1] in page


MODULE = '''
from typing import NamedTuple

class Point(NamedTuple):
    """A point.

    Attributes:
        x: Right.
    """

    x: int
    y: int  # up
    z: int  # noqa: A001

class Desk:
    """A desk."""

    @verb
    def deposit(self, amount: int) -> Program[Receipt]:
        """Pays in."""

    @verb
    def plain(self) -> Receipt: ...

    def program(self) -> Program[Receipt]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, name: str) -> int:
        """By name."""
'''


@pytest.fixture
def module(tmp_path: Path) -> Any:
    """A module as the reference reads it."""
    (tmp_path / "desk.py").write_text(MODULE)
    extensions = griffe.load_extensions(str(ROOT / "tools" / "griffe_extensions.py"))
    return griffe.load("desk", search_paths=[tmp_path], extensions=extensions)


def test_a_verb_returns_what_its_program_does(module: Any) -> None:
    desk = module["Desk"]
    assert str(desk["deposit"].returns) == "Receipt"
    assert str(desk["plain"].returns) == "Receipt"
    assert str(desk["program"].returns) == "Program[Receipt]"


def test_a_field_is_described_once(module: Any) -> None:
    point = module["Point"]
    assert not point["x"].is_public
    assert point["y"].is_public
    assert point["y"].docstring.value == "up"
    assert point["z"].docstring is None


def test_a_method_of_the_language_is_listed_where_it_says_more(module: Any) -> None:
    desk = module["Desk"]
    assert not desk["__len__"].is_public
    assert desk["__getitem__"].is_public
