"""Tells a story as it is played: chapters, sentences, tables, and what failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from bulkhead.accounts import AccountView, Position
from bulkhead.audit import audit
from bulkhead.scenarios.player import Told
from bulkhead.world import World

CENT = Decimal("0.01")


class Narrator:
    """Writes to a console what a player tells.

    Args:
        console: Where.
        world: Where the story plays.
    """

    def __init__(self, console: Console, world: World) -> None:
        self.console = console
        self.world = world

    def tell(self, told: Told) -> None:
        """A step, once it has happened."""
        number = f"[dim]{told.step.number:>4}[/dim]  "
        match told.step.verb:
            case "chapter":
                self.console.print()
                self.console.rule(f"[bold]{escape(told.lines[0])}", align="left")
            case "show":
                for table in self._tables(told.step.object):
                    self.console.print(table)
            case "expect":
                if not told.failures:
                    said = escape(_expected(told))
                    self.console.print(
                        f"{number}[green]as expected[/green] {said}", highlight=False
                    )
            case _:
                for line in told.lines:
                    self.console.print(f"{number}{escape(line)}", highlight=False)
        for failure in told.failures:
            self.console.print(f"{number}[red]FAILED[/red] {escape(failure)}", highlight=False)

    def _tables(self, things: Iterable[str]) -> Iterable[RenderableType]:
        whole: dict[str, Callable[[], RenderableType]] = {
            "markets": self._markets,
            "house": self._house,
            "books": self._books,
        }
        people = [name for name in things if name in self.world.traders]
        if people:
            yield from self._accounts(people)
        for thing in things:
            if thing in whole:
                yield whole[thing]()

    def _accounts(self, names: Iterable[str]) -> Iterable[Table]:
        accounts = _table("account", "cash", "free", "total", "margin ratio")
        positions = _table("position", "size", "notional", "margin", "PnL", "liquidation")
        for name in names:
            view = self.world.reader.account(self.world.traders[name].address)
            accounts.add_row(name.capitalize(), *_account_cells(view))
            for position in view.positions:
                positions.add_row(*_position_cells(name.capitalize(), position))
        yield accounts
        if positions.row_count:
            yield positions

    def _markets(self) -> Table:
        table = _table("market", "mark price", "taker", "maker", "max leverage", "tiers")
        for state in self.world.reader.markets():
            market = state.market
            table.add_row(
                market.symbol,
                _usd(state.mark_price),
                f"{Decimal(market.terms.taker_fee) / 10_000} %",
                f"{Decimal(market.terms.maker_fee) / 10_000} %",
                f"{10**6 // market.tiers[0].initial_rate}x",
                str(len(market.tiers)),
            )
        return table

    def _house(self) -> Table:
        house = self.world.reader.house()
        table = _table("pool cash", "insurance", "treasury's fees")
        table.add_row(_usd(house.pool_cash), _usd(house.insurance), _usd(house.fees))
        return table

    def _books(self) -> Table:
        books = audit(self.world.reader)
        table = _table("bucket", "USD")
        for name, amount in books.rows():
            table.add_row(name, f"{amount:,.6f}")
        table.add_section()
        table.add_row("tokens held", f"{Decimal(books.tokens) / 10**6:,.6f}")
        table.add_row("difference", f"{Decimal(books.difference) / 10**6:,.6f}")
        return table


def _expected(told: Told) -> str:
    words = told.step.words
    subject = " ".join(str(words[word]) for word in ("expect", "of") if word in words)
    facts = (
        f"{word} {value}" for word, value in words.items() if word not in ("expect", "of", "side")
    )
    return ", ".join((subject, *facts))


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    return table


def _usd(amount: Decimal | None) -> str:
    # Adding zero turns a rounded "-0.00" into "0.00".
    return "none" if amount is None else f"{amount.quantize(CENT, ROUND_HALF_EVEN) + 0:,}"


def _account_cells(view: AccountView) -> Iterable[str]:
    ratio = view.margin_ratio
    yield _usd(view.cash)
    yield _usd(view.free_collateral)
    yield _usd(view.equity)
    yield "-" if ratio is None else f"{ratio * 100:.1f} %"


def _position_cells(name: str, position: Position) -> Iterable[str]:
    mode = "isolated" if position.is_isolated else "cross"
    side = "long" if position.is_long else "short"
    yield f"{name} {position.market.symbol.removesuffix('-PERP')} {mode} {side}"
    yield f"{position.size.normalize():f}"
    yield _usd(position.notional)
    yield _usd(position.margin) if position.is_isolated else "pooled"
    yield _usd(position.value)
    yield _usd(position.liquidation_price)
