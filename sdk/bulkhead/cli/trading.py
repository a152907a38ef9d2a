"""Orders: `order`, `bracket`, `cancel`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from bulkhead.cli.failures import NotFilled
from bulkhead.cli.parameters import HASH, NUMBER, PERSON, SIZE
from bulkhead.cli.reading import ORDER_BLOCKS
from bulkhead.cli.session import Session, signing

if TYPE_CHECKING:
    from bulkhead.chain import Receipt
    from bulkhead.handles import OrderHandle
    from bulkhead.order_ticket import OrderFields
    from bulkhead.orders import OrderKind
    from bulkhead.trader import Trader

BATCH = 32  # orders that one transaction cancels
POSITIONS = ("long", "short")


def entry_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every order that is placed may say, as `entry`, and whose it is."""
    for option in reversed(
        (
            click.argument("market"),
            click.argument("side", type=click.Choice(["buy", "sell", "long", "short"])),
            click.argument("size", type=SIZE),
            click.option("--limit", type=NUMBER, help="A limit order's price."),
            click.option("--worst", type=NUMBER, help="The worst average fill of any other order."),
            click.option(
                "--isolated/--cross",
                "is_isolated",
                default=None,
                help="What backs the position; the account's default for the market if left out.",
            ),
            click.option("--leverage", type=NUMBER, default="0", help="Times, for this order."),
            click.option(
                "--margin",
                type=NUMBER,
                default="0",
                help="USD to move into an isolated position; what the leverage asks if left out.",
            ),
            click.option(
                "--position",
                type=click.Choice(POSITIONS),
                help="In hedge mode the position that is meant; what SIDE says if left out.",
            ),
            click.option(
                "--expires-in",
                type=click.IntRange(min=1),
                help="Seconds it may rest.",
            ),
            click.option("--client-id", help="Your name for it: under one name it is placed once."),
            click.option(
                "--beyond-liquidation",
                is_flag=True,
                help="Let a stop lie where its position is liquidated first.",
            ),
            click.option(
                "--account", type=PERSON, help="Whose order, where the signer is its operator."
            ),
            click.option(
                "--wait",
                type=click.FloatRange(min=0),
                help="Seconds to wait for the fill; exit code 5 if it has not filled then.",
            ),
        )
    ):
        command = option(command)
    return command


@click.command()
@entry_options
@click.option("--stop", type=NUMBER, help="Wait until the price has come so far against you.")
@click.option("--take-profit", type=NUMBER, help="Wait until the price has come so far for you.")
@click.option("--trailing", type=NUMBER, help="Follow the price at a distance: 0.05 is 5 percent.")
@click.option("--starts-at", type=NUMBER, help="Where a trailing stop begins to follow.")
@click.option("--reduce-only", is_flag=True, help="Never open or grow a position.")
@click.option("--preview", is_flag=True, help="Show what it would do now, and place nothing.")
@signing
def order(
    session: Session,
    market: str,
    side: str,
    size: Decimal,
    stop: Decimal | None,
    take_profit: Decimal | None,
    trailing: Decimal | None,
    starts_at: Decimal | None,
    reduce_only: bool,
    preview: bool,
    beyond_liquidation: bool,
    account: str | None,
    wait: float | None,
    **entry: Any,
) -> None:
    """Place an order in MARKET to buy or sell SIZE base units.

    SIDE `long` buys and `short` sells. With --reduce-only, SIZE `all` is all there is when it
    fills. An order fills later, at a price published after it; a market order has a minute or so.
    """
    from bulkhead.cli.fills import previewed

    kind, trigger = _kind(entry["limit"], stop, take_profit, trailing, starts_at)
    if preview:
        owner = session.address_of(account)
        trader = _watcher(session, owner)
    else:
        trader = session.trader(account)
    fields = _fields(session, trader, side, kind, **entry)
    fields["reduce_only"] = reduce_only
    fields["trigger_price"] = trigger
    if trailing is not None:
        fields["callback_rate"] = trailing
    if preview:
        with session.output.working("trying the order"):
            shown = previewed(session.reader, trader.preview(market, size, **fields))
        session.output.show(shown)
        return
    with session.output.working("placing the order"):
        handle = trader.place(market, size, beyond_liquidation=beyond_liquidation, **fields)
    _follow(session, (handle,), wait)


@click.command()
@entry_options
@click.option("--tp", "take_profit", type=NUMBER, help="The price of its take-profit.")
@click.option("--sl", "stop_loss", type=NUMBER, help="The price of its stop.")
@click.option("--trailing", type=NUMBER, help="A trailing stop instead: 0.05 is 5 percent.")
@signing
def bracket(
    session: Session,
    market: str,
    side: str,
    size: Decimal,
    take_profit: Decimal | None,
    stop_loss: Decimal | None,
    trailing: Decimal | None,
    beyond_liquidation: bool,
    account: str | None,
    wait: float | None,
    **entry: Any,
) -> None:
    """Place an entry in MARKET and what closes it, in one transaction.

    The exits sleep until the entry has filled, and end with the first of them that fills. With
    --trailing, --sl says where the stop begins to follow.
    """
    kind, _ = _kind(entry["limit"])
    trader = session.trader(account)
    fields = _fields(session, trader, side, kind, **entry)
    with session.output.working("placing the bracket"):
        handles = trader.place_bracket(
            market,
            size,
            take_profit=take_profit,
            stop_loss=stop_loss,
            trailing=trailing,
            beyond_liquidation=beyond_liquidation,
            **fields,
        )
    _follow(session, handles, wait)


@click.command()
@click.argument("hashes", type=HASH, nargs=-1)
@click.option("--all", "is_all", is_flag=True, help="All that rest; market orders bind.")
@click.option("--account", type=PERSON, help="Whose orders, where the signer is its operator.")
@signing
def cancel(session: Session, hashes: tuple[bytes, ...], is_all: bool, account: str | None) -> None:
    """Cancel the orders of some HASHES, or --all."""
    from bulkhead.cli.money import changed

    if is_all == bool(hashes):
        raise click.UsageError("name orders by their hashes, or say --all")
    trader = session.trader(account)
    with session.output.working("cancelling"):
        if is_all:
            receipt = _cancel_all(session, trader)
        elif len(hashes) == 1:
            receipt = trader.cancel(hashes[0])
        else:
            receipt = trader.cancel_orders(hashes)
        change = changed(session, "cancelled", receipt, trader.account)
    session.output.show(change)


def _cancel_all(session: Session, trader: Trader) -> Receipt:
    """Ends all that rests at once; then what has ended gives the keepers' fees back."""
    from bulkhead.orders import OrderKind

    receipt = trader.cancel_all()
    reader = session.reader
    first = max(receipt.block - ORDER_BLOCKS, session.deployment.block)
    resting = reader.open_orders(trader.account, first).orders
    hashes = [one.hash for one in resting if one.order.kind != OrderKind.MARKET]
    for start in range(0, len(hashes), BATCH):
        receipt = trader.cancel_orders(hashes[start : start + BATCH])
    return receipt


def _watcher(session: Session, account: str) -> Trader:
    """A trader that can sign nothing: previews need an address alone."""
    from bulkhead.trader import Trader

    return Trader(session.reader, account)


def _kind(
    limit: Decimal | None,
    stop: Decimal | None = None,
    take_profit: Decimal | None = None,
    trailing: Decimal | None = None,
    starts_at: Decimal | None = None,
) -> tuple[OrderKind, Decimal | None]:
    """What an order waits for, and its trigger."""
    from bulkhead.orders import OrderKind

    kinds = {
        OrderKind.LIMIT: limit,
        OrderKind.STOP: stop,
        OrderKind.TAKE_PROFIT: take_profit,
        OrderKind.TRAILING_STOP: trailing,
    }
    named = [kind for kind, price in kinds.items() if price is not None]
    if len(named) > 1:
        raise click.UsageError("one of --limit, --stop, --take-profit and --trailing")
    if starts_at is not None and trailing is None:
        raise click.UsageError("--starts-at is a trailing stop's")
    kind = named[0] if named else OrderKind.MARKET
    return kind, {OrderKind.TRAILING_STOP: starts_at, OrderKind.LIMIT: None}.get(
        kind, kinds.get(kind)
    )


def _fields(
    session: Session,
    trader: Trader,
    side: str,
    kind: OrderKind,
    *,
    limit: Decimal | None,
    worst: Decimal | None,
    is_isolated: bool | None,
    leverage: Decimal,
    margin: Decimal,
    position: str | None,
    expires_in: int | None,
    client_id: str | None,
) -> OrderFields:
    """What an order says, as the SDK takes it."""
    from bulkhead.orders import MarginMode, PositionSide

    if limit is not None and worst is not None:
        raise click.UsageError("--limit is the worst fill of a limit order already")
    modes = {None: MarginMode.DEFAULT, True: MarginMode.ISOLATED, False: MarginMode.CROSS}
    fields: OrderFields = {
        "is_buy": side in ("buy", "long"),
        "kind": kind,
        "margin_mode": modes[is_isolated],
        "acceptable_price": worst if limit is None else limit,
        "leverage": leverage,
        "margin": margin,
    }
    named = position or (side if side in POSITIONS else None)
    if position or (named and session.reader.account(trader.account).is_hedge):
        fields["position_side"] = PositionSide[str(named).upper()]
    if expires_in is not None:
        fields["expiry"] = session.reader.now() + expires_in
    if client_id is not None:
        fields["client_id"] = client_id
    return fields


def _follow(session: Session, handles: tuple[OrderHandle, ...], wait: float | None) -> None:
    """Shows what was placed, once the first of it has ended or its time is over."""
    from bulkhead.cli.fills import placed
    from bulkhead.orders import OrderState

    if wait is not None:
        _wait(session, handles[0], wait)
    shown = placed(session.reader, handles)
    session.output.show(shown)
    if wait is not None and shown.state != OrderState.EXECUTED:
        why = f": {shown.reason}" if shown.reason else ""
        raise NotFilled(f"the order is {shown.state}{why}")


def _wait(session: Session, handle: OrderHandle, seconds: float) -> None:
    """Until an order has ended, or so many seconds are over."""
    with session.output.working("waiting for the fill", seconds) as done:
        waited = 0.0
        while waited < seconds:
            step = min(1.0, seconds - waited)
            try:
                handle.wait(step)
            except TimeoutError:
                waited += step
                done(waited)
            else:
                return
