"""The exchange end to end on a chain in memory: isolated and cross margin side by side.

Run it with `make demo` or `python -m bulkhead.demo`.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bulkhead import local, world
from bulkhead.accounts import AccountView, Position
from bulkhead.audit import audit
from bulkhead.orders import MarginMode, OrderKind

CENT = Decimal("0.01")
DEPOSIT = 5_000
BTC, ETH = "BTC-PERP", "ETH-PERP"


class Story:
    """Tells what happens, and shows the books after it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        with console.status("deploying the exchange"):
            w3 = local.memory_chain()
            self.world = world.create(
                w3, [str(account) for account in w3.eth.accounts], world.NAMES[:3]
            )
        self.alice, self.bob, self.carol = self.world.traders.values()

    def tell(self) -> bool:
        """The whole story. Returns whether the books are clean at its end."""
        self.introduce()
        self.open_positions()
        self.dip()
        self.crash()
        self.run_on()
        self.fall_deeper()
        return self.close_the_books()

    def introduce(self) -> None:
        """The contracts and the markets."""
        deployment = self.world.reader.deployment
        self.chapter("The exchange is deployed")
        self.say(f"Clearinghouse {deployment.clearinghouse}, order book {deployment.order_book}.")
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
        self.console.print(table)
        self.show_house()

    def open_positions(self) -> None:
        """Isolated, cross, and both at once."""
        self.chapter("Three accounts, 5,000 USD each")
        self.say("Alice opens two isolated vaults: BTC with 1,000 at 10x, ETH with 500 at 5x.")
        self.say("Bob opens the same two positions in cross: all 5,000 back both.")
        self.say("Carol is long BTC in cross and short BTC isolated, at once, with a stop-loss.")
        for trader in (self.alice, self.bob, self.carol):
            trader.deposit(DEPOSIT)
        isolated, cross = MarginMode.ISOLATED, MarginMode.CROSS
        self.alice.place(BTC, "0.1", is_buy=True, margin_mode=isolated, leverage=10, margin=1_000)
        self.alice.place(ETH, "0.625", is_buy=True, margin_mode=isolated, leverage=5, margin=500)
        self.bob.place(BTC, "0.1", is_buy=True, margin_mode=cross, leverage=10)
        self.bob.place(ETH, "0.625", is_buy=True, margin_mode=cross, leverage=5)
        self.carol.place(BTC, "0.4", is_buy=True, margin_mode=cross, leverage=20)
        self.carol.place(BTC, "0.05", is_buy=False, margin_mode=isolated, leverage=10)
        self.fill_orders()
        self.carol.close_position(
            BTC, is_long=True, margin_mode=cross, kind=OrderKind.STOP, trigger_price=97_000
        )
        self.show_accounts("alice", "bob", "carol")

    def dip(self) -> None:
        """A stop-loss before a liquidation."""
        self.chapter("BTC dips to 96,000: a keeper fills Carol's stop-loss")
        before = self.world.reader.account(self.carol.address).cross[0].liquidation_price
        self.say(f"Her cross long would have been liquidated at {_usd(before)}.")
        self.world.set_prices({BTC: 96_000})
        self.report_orders()
        self.show_accounts("carol")

    def crash(self) -> None:
        """One vault alone is liquidated."""
        self.chapter("BTC jumps down 12 % from where it began, to 88,000, in one update")
        self.world.set_prices({BTC: 88_000})
        self.report_liquidations()
        self.say(
            "Alice's BTC vault is gone and nothing else of hers was touched: what it lost beyond "
            "its 1,000 is insurance's. Bob's pooled 5,000 carry him."
        )
        self.show_accounts("alice", "bob")
        self.show_house()

    def run_on(self) -> None:
        """The other vault goes on as if nothing had been."""
        self.chapter("ETH runs on to 4,400, and Alice takes her profit")
        self.world.set_prices({ETH: 4_400})
        self.alice.close_position(ETH, is_long=True, margin_mode=MarginMode.ISOLATED)
        self.fill_orders()
        self.show_accounts("alice")

    def fall_deeper(self) -> None:
        """The pooled account is taken whole."""
        self.chapter("BTC falls to 52,000, ETH to 2,600: the deeper fall takes Bob's account")
        self.world.set_prices({BTC: 52_000, ETH: 2_600})
        self.report_liquidations()
        self.show_accounts("bob", "carol")
        self.show_house()

    def close_the_books(self) -> bool:
        """Adds up every bucket. Returns whether the books are clean."""
        self.chapter("The books")
        books = audit(self.world.reader)
        table = _table("bucket", "USD")
        for name, amount in books.rows():
            table.add_row(name, f"{amount:,.6f}")
        table.add_section()
        table.add_row("tokens held", f"{Decimal(books.tokens) / 10**6:,.6f}")
        table.add_row("difference", f"{Decimal(books.difference) / 10**6:,.6f}")
        self.console.print(table)
        if books.is_clean:
            self.say(
                "Conservation holds to the unit, every side equals the sum of its positions, and "
                "the logs alone rebuild every word on chain."
            )
        else:
            self.say(f"[red]The books do not add up: {', '.join(books.mismatches)}[/red]")
        return books.is_clean

    def fill_orders(self) -> None:
        """A keeper's pass at fresh prices."""
        with self.console.status("prices are published, a keeper fills"):
            reports = self.world.fill()
        ended = "order" if len(reports) == 1 else "orders"
        self.say(f"A keeper filled {len(reports)} {ended} at prices published after the commit.")

    def report_orders(self) -> None:
        """A keeper's pass over the orders."""
        for report in self.world.keeper.execute_orders():
            name = self.name_of(report.placed.order.account)
            fee = _usd(Decimal(report.keeper_fee) / 10**6)
            self.say(f"{name}'s order {report.state}; the keeper earned {fee}.")

    def report_liquidations(self) -> None:
        """A keeper's pass over the positions."""
        reports = self.world.liquidate()
        if not reports:
            self.say("A keeper finds nothing to liquidate.")
        for report in reports:
            symbol = self.world.reader.market(report.market).symbol
            mode = "isolated" if report.is_isolated else "cross"
            self.say(
                f"A keeper liquidates {self.name_of(report.account)}'s {mode} {symbol}: penalty "
                f"{_usd(report.penalty)}, keeper {_usd(report.reward)}, insurance and pool pay "
                f"{_usd(report.deficit)}."
            )

    def name_of(self, address: str) -> str:
        """A trader's name."""
        return next(
            name.capitalize()
            for name, trader in self.world.traders.items()
            if trader.address == address
        )

    def show_accounts(self, *names: str) -> None:
        """Accounts and their positions."""
        accounts = _table("account", "cash", "free", "total", "margin ratio")
        positions = _table("position", "size", "notional", "margin", "PnL", "liquidation")
        for name in names:
            view = self.world.reader.account(self.world.traders[name].address)
            accounts.add_row(name.capitalize(), *_account_cells(view))
            for row in _position_rows(name.capitalize(), view.positions):
                positions.add_row(*row)
        self.console.print(accounts)
        if positions.row_count:
            self.console.print(positions)

    def show_house(self) -> None:
        """What is the pool's, insurance's and the treasury's."""
        house = self.world.reader.house()
        table = _table("pool cash", "insurance", "treasury's fees")
        table.add_row(_usd(house.pool_cash), _usd(house.insurance), _usd(house.fees))
        self.console.print(table)

    def chapter(self, title: str) -> None:
        """A headline."""
        self.console.print()
        self.console.rule(f"[bold]{title}", align="left")

    def say(self, text: str) -> None:
        """A line."""
        self.console.print(text, highlight=False)


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


def _position_rows(name: str, positions: Iterable[Position]) -> Iterable[tuple[str, ...]]:
    for position in positions:
        mode = "isolated" if position.is_isolated else "cross"
        side = "long" if position.is_long else "short"
        yield (
            f"{name} {position.market.symbol.removesuffix('-PERP')} {mode} {side}",
            f"{position.size.normalize():f}",
            _usd(position.notional),
            _usd(position.margin) if position.is_isolated else "pooled",
            _usd(position.value),
            _usd(position.liquidation_price),
        )


def main() -> None:
    """Tells the story; fails if the books do not add up."""
    if not Story(Console()).tell():
        raise SystemExit(1)


if __name__ == "__main__":
    main()
