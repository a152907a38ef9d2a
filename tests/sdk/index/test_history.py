"""What the index tells of the past agrees, to the unit, with what accounts hold."""

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bulkhead.index import Fill, FillKind, Index, Period, Rows
from bulkhead.index.history import begin_of, utc
from bulkhead.protocol import words
from bulkhead.replay import Replay
from bulkhead.values import to_usd
from tests.sdk.index.conftest import Life


@pytest.fixture(scope="module")
def index(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index(tmp_path_factory.mktemp("index") / "index.db", life.deployment) as index:
        index.catch_up(life.node())
        yield index


def collateral_of(state: Replay, account: str) -> Decimal:
    """USD: cash, escrow, isolated margins."""
    held = state.accounts[account]
    margins = sum(
        one.margin
        for (whose, _, slot), one in state.positions.items()
        if whose == account and slot >= words.ISOLATED_LONG
    )
    return to_usd(held.cash + held.escrow + margins)


@pytest.mark.parametrize("period", list(Period))
def test_all_gains_and_transfers_are_what_each_account_holds(index: Index, period: str) -> None:
    state = index.state()
    assert len(state.accounts) > 8
    for account in state.accounts:
        rows = index.pnl(account, period)
        assert sum(row.change for row in rows) == collateral_of(state, account)
        assert len({row.time for row in rows}) == len(rows)


def test_parts_of_a_time_add_up_to_all_of_it(index: Index, life: Life) -> None:
    account = index.fills()[0].account
    middle = life.recording.timestamps[len(life.recording.timestamps) // 2]
    parts = [*index.pnl(account, "all", end=middle), *index.pnl(account, "all", start=utc(middle))]
    (whole,) = index.pnl(account, "all")
    assert sum(part.net for part in parts) == whole.net
    assert len(index.fills(end=middle)) + len(index.fills(start=middle)) == len(index.fills())


def test_the_sizes_of_fills_are_what_is_open(index: Index) -> None:
    sums: dict[tuple[str, int, int], int] = defaultdict(int)
    for fill in index.fills():
        sign = 1 if fill.kind is FillKind.INCREASE else -1
        sums[fill.entry.account, fill.entry.market, fill.entry.slot] += sign * fill.entry.size
    positions = index.state().positions
    converted = {
        (event["account"], event["market"], slot)
        for event in index.events("PositionConverted")
        for slot in (event["slot"], event["slot"] ^ 2)
    }
    assert sums
    for key, position in positions.items():
        if key not in converted:
            assert sums[key] == position.size


def test_a_fill_says_what_its_event_does(index: Index) -> None:
    fills = {(fill.block, fill.log_index): fill for fill in index.fills()}
    (listed, *_) = index.events("MarketListed")
    events = list(index.events("PositionDecreased", "PositionIncreased", market=listed["market"]))
    assert {event.name for event in events} == {"PositionDecreased", "PositionIncreased"}
    for event in events:
        fill = fills[event.block, event.index]
        assert (fill.account, fill.symbol) == (event["account"], listed["symbol"])
        assert fill.size == Decimal(event["size"] * listed["lot_size"]) / 10**18
        assert fill.price * listed["lot_size"] == event["price"] * 10**3
        assert fill.fee == to_usd(event["fee"])
        assert fill.pnl + fill.funding == to_usd(event.arguments.get("realised", 0))
        assert fill.is_isolated == (event["slot"] >= 2)
        assert fill.is_long == (event["slot"] % 2 == 0)
        assert fill.order_hash == "0x" + event["order_hash"].hex()


def test_pnl_by_price_is_that_of_entry_and_mark(index: Index, life: Life) -> None:
    """All that price and impact do not explain is funding, but for a unit of rounding."""
    state, seen = Replay(life.deployment.liquidity_pool), 0
    fills = {(fill.block, fill.log_index): fill.entry for fill in index.fills()}
    for event in life.events():
        entry = fills.get((event.block, event.index))
        if entry is not None and entry.kind in (FillKind.DECREASE, FillKind.LIQUIDATION):
            before = state.positions[entry.account, entry.market, entry.slot]
            sign = -1 if entry.slot % 2 else 1
            cost = before.entry_notional * entry.size // before.size
            gain = sign * (entry.size * entry.price // 10**9 - cost)
            impact = 0 if entry.deficit else entry.impact
            if entry.kind is FillKind.LIQUIDATION or not entry.deficit:
                assert abs(entry.pnl - gain + impact * (entry.kind is FillKind.DECREASE)) <= 3
                seen += 1
        state.take(event)
    assert seen > 5


def test_funding_is_listed_with_what_realised_it(index: Index) -> None:
    rows = index.funding()
    assert rows
    assert sum(row.amount for row in rows) == sum(fill.funding for fill in index.fills())
    assert all(row.amount for row in rows)


def test_liquidations_are_the_forced_fills(index: Index) -> None:
    rows = index.liquidations()
    events = list(index.events("PositionLiquidated"))
    closed = [row for row in rows if row.kind is FillKind.LIQUIDATION]
    assert len(closed) == len(events) > 0
    for row, event in zip(closed, events, strict=True):
        assert (row.account, row.liquidator) == (event["account"], event["liquidator"])
        assert row.penalty == to_usd(event["penalty"])
        assert row.reward == to_usd(event["reward"])
        assert row.deficit == to_usd(event["deficit"])


def test_an_account_s_rows_are_its_own(index: Index) -> None:
    everybody = index.fills()
    for account in {fill.account for fill in everybody}:
        own = index.fills(account.lower())
        assert list(own) == [fill for fill in everybody if fill.account == account]


def test_events_are_found_by_name_account_market_and_block(index: Index, life: Life) -> None:
    everything = life.events()
    account = index.fills()[0].account
    middle = life.node().head // 2
    assert list(index.events("PriceUpdated", market=1, first=middle)) == [
        event
        for event in everything
        if event.name == "PriceUpdated" and event["market"] == 1 and event.block >= middle
    ]
    found = list(index.events(account=account, last=middle))
    assert {event.name for event in found} >= {"OrderPlaced", "OrderExecuted", "Deposited"}
    placed = {
        event["order_hash"]
        for event in everything
        if event.name == "OrderPlaced" and event["account"] == account
    }
    assert all(
        event.arguments.get("account", account) == account
        and event.arguments.get("order_hash", next(iter(placed))) in placed
        for event in found
    )


def test_a_csv_file_holds_every_row(index: Index, tmp_path: Path) -> None:
    fills = index.fills()
    path = tmp_path / "fills.csv"
    assert fills.to_csv(path) == path.read_text()
    with path.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(fills) == len(fills.rows())
    for line, fill in zip(read, fills, strict=True):
        assert line.keys() == set(fills.columns)
        assert datetime.fromisoformat(line["time"]) == fill.time
        assert Decimal(line["pnl"]) == fill.pnl
        assert Decimal(line["size"]) == fill.size
        assert "e" not in line["size"].lower()
        assert line["order_hash"] == (fill.order_hash or "")


def test_no_rows_are_a_header(index: Index) -> None:
    for rows in (index.fills(end=0), index.funding(end=0), index.liquidations(end=0)):
        assert rows.to_csv() == ",".join(rows.columns) + "\n"


def test_a_csv_file_runs_no_formula(index: Index) -> None:
    (fill, *_) = index.fills()
    changed = {name: getattr(fill, name) for name in fill.__slots__} | {"symbol": "=cmd()"}
    assert ",'=cmd()," in Rows(Fill, [Fill(**changed)]).to_csv()


@pytest.mark.parametrize(
    ("period", "begin"),
    [
        (Period.HOUR, "2026-08-05T17:00"),
        (Period.DAY, "2026-08-05T00:00"),
        (Period.WEEK, "2026-08-03T00:00"),
        (Period.MONTH, "2026-08-01T00:00"),
    ],
)
def test_periods_begin_with_the_calendar(period: Period, begin: str) -> None:
    moment = datetime(2026, 8, 5, 17, 59, 59, tzinfo=UTC)
    assert begin_of(moment, period) == datetime.fromisoformat(begin).replace(tzinfo=UTC)


def test_what_is_no_period_account_or_time_is_refused(index: Index) -> None:
    account = index.fills()[0].account
    with pytest.raises(ValueError, match="fortnight"):
        index.pnl(account, "fortnight")
    with pytest.raises(ValueError, match="0x12"):
        index.fills("0x12")
    with pytest.raises(ValueError, match="start: which zone"):
        index.fills(start=datetime(2026, 8, 5))
    for wrong in ({"first": -1}, {"last": 2**64}, {"market": 2**70}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            list(index.events(**wrong))  # type: ignore[arg-type]
    later = datetime.now(UTC) + timedelta(days=36_500)
    assert list(index.fills(start=later)) == []
