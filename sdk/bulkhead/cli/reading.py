"""What needs no key: `status`, `markets`, `account`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import click

from bulkhead.cli.parameters import PERSON
from bulkhead.cli.session import Session, connected, signing

ORDER_BLOCKS = 50_000  # that are searched for orders, unless told otherwise


@dataclass(frozen=True, slots=True)
class Status:
    """An exchange in one look."""

    chain: int
    block: int
    time: int
    owner: str
    timelock: str | None
    opening: str
    markets: int
    markets_without_firm_price: tuple[str, ...]
    pool_cash: Decimal
    insurance: Decimal
    unclaimed_fees: Decimal
    clearinghouse: str
    order_book: str
    liquidity_pool: str
    price_oracle: str
    token: str


@click.command()
@connected
def status(session: Session) -> None:
    """Show where the exchange is, whose it is, and what it has."""
    from bulkhead.protocol.words import FLAG_STOPPED

    reader, deployment = session.reader, session.deployment
    with session.output.working("reading the exchange"):
        at = reader.block()
        states = reader.markets(at)
        house = reader.house(at)
        owner = reader.owner()
    session.output.show(
        Status(
            chain=deployment.chain_id,
            block=at.number,
            time=at.timestamp,
            owner=owner,
            timelock=deployment.timelock,
            opening="stopped" if house.word.flags & FLAG_STOPPED else "allowed",
            markets=len(states),
            markets_without_firm_price=tuple(
                state.market.symbol for state in states if not state.is_firm
            ),
            pool_cash=house.pool_cash,
            insurance=house.insurance,
            unclaimed_fees=house.fees,
            clearinghouse=deployment.clearinghouse,
            order_book=deployment.order_book,
            liquidity_pool=deployment.liquidity_pool,
            price_oracle=deployment.price_oracle,
            token=deployment.token,
        )
    )


@click.command()
@connected
def markets(session: Session) -> None:
    """Show every market: its price, how firm that is, funding, open interest, fees."""
    from bulkhead.cli.results import market_row

    with session.output.working("reading the markets"):
        states = session.reader.markets()
    session.output.show(tuple(map(market_row, states)))


@click.command()
@click.argument("who", type=PERSON, required=False)
@click.option(
    "--since",
    type=click.IntRange(min=0),
    help=f"The block to look back to for orders; {ORDER_BLOCKS} blocks ago if left out.",
)
@signing
def account(session: Session, who: str | None, since: int | None) -> None:
    """Show the account of WHO, the signer's own if left out: its money, positions, open orders.

    The orders are those placed since a block, which is shown, too; older ones are not listed.
    """
    from bulkhead.cli.results import account_shown, order_row

    reader = session.reader
    address = session.address_of(who)
    at = reader.block()
    wanted = at.number - ORDER_BLOCKS if since is None else since
    first = max(wanted, session.deployment.block)
    with session.output.working("reading the account"):
        view = reader.account(address, at)
        resting = reader.open_orders(address, first, at).orders
        states = reader.market_states(sorted({one.order.market for one in resting}), at)
    orders = tuple(order_row(one, states[one.order.market].market) for one in resting)
    session.output.show(account_shown(view, at.number, first, orders))
