"""What a story may expect to see: accounts, positions, orders, markets, the house, the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from bulkhead.audit import audit
from bulkhead.values import to_usd

if TYPE_CHECKING:
    from bulkhead.handles import OrderHandle
    from bulkhead.world import World

Sight: TypeAlias = Mapping[str, Any]
Words: TypeAlias = Mapping[str, Any]


def of_account(world: World, words: Words) -> Sight:
    """A person's account."""
    address = world.traders[words["of"]].address
    view = world.reader.account(address)
    return {
        "cash": view.cash,
        "escrow": view.escrow,
        "equity": view.equity,
        "free_collateral": view.free_collateral,
        "wallet": world.reader.token_balance(address),
        "positions": len(view.positions),
    }


def of_position(world: World, words: Words) -> Sight:
    """One side of a person's, in one mode and market; of one that is not open only that."""
    found = world.reader.position(
        world.traders[words["of"]].address,
        words["market"],
        is_long=words["side"],
        is_isolated=words["margin_mode"] == "isolated",
    )
    if found is None:
        return {"open": False, **{word: None for word in words if word in _OF_OPEN}}
    return {"open": True, **{word: getattr(found, word) for word in _OF_OPEN}}


def of_market(world: World, words: Words) -> Sight:
    """A market now."""
    state = world.reader.market_state(words["of"])
    return {
        "mark_price": state.mark_price,
        "long": state.market.size_of(state.long.size),
        "short": state.market.size_of(state.short.size),
        "funding_rate": state.funding_rate,
        "is_fresh": state.is_fresh,
    }


def of_house(world: World, words: Words) -> Sight:  # noqa: ARG001 - there is one house
    """What is nobody's."""
    house = world.reader.house()
    return {"pool_cash": house.pool_cash, "insurance": house.insurance, "fees": house.fees}


def of_books(world: World, words: Words) -> Sight:  # noqa: ARG001
    """What does not add up."""
    return {"mismatches": audit(world.reader).mismatches}


def of_order(handle: OrderHandle) -> Sight:
    """What became of an order."""
    outcome = handle.outcome()
    return {
        "state": str(outcome.state),
        "reason": outcome.reason,
        "keeper_fee": to_usd(outcome.keeper_fee),
    }


_OF_OPEN = ("size", "entry_price", "notional", "margin", "value", "liquidation_price")

SIGHTS: dict[str, Callable[[World, Words], Sight]] = {
    "account": of_account,
    "position": of_position,
    "market": of_market,
    "house": of_house,
    "books": of_books,
}
