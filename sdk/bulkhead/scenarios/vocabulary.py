"""The words of stories: what each verb takes, and what each word may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum
from typing import Any, TypeAlias

from bulkhead.orders import MarginMode, OrderKind, OrderState, PositionSide
from bulkhead.values import decimal_of, to_quote


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what a step may speak of.

    Attributes:
        people: The people of the story.
        markets: Its markets.
        orders: What its orders so far are called.
    """

    people: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()

    def with_order(self, name: str) -> Cast:
        """The same, and one more order."""
        return replace(self, orders=(*self.orders, name))


Kind: TypeAlias = Callable[[Any, Cast], Any]
"""Reads a word's value; raises ValueError for what it may not be."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a step.

    Attributes:
        kind: What its value may be.
        is_required: Whether it must be said.
    """

    kind: Kind
    is_required: bool = False


def text(value: Any, cast: Cast) -> str:  # noqa: ARG001 - a kind
    """A text."""
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no text")
    return value


def amount(value: Any, cast: Cast) -> Decimal:  # noqa: ARG001
    """An exact number."""
    return decimal_of(value, "value")


def quote(value: Any, cast: Cast) -> int:  # noqa: ARG001
    """USD, in quote units."""
    return to_quote(value, "value")


def count(value: Any, cast: Cast) -> int:  # noqa: ARG001
    """A whole number, not below zero."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return value


def seconds(value: Any, cast: Cast) -> int:
    """Seconds, at least one."""
    if count(value, cast) < 1:
        raise ValueError("time only moves on")
    return int(value)


def truth(value: Any, cast: Cast) -> bool:  # noqa: ARG001
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def names(value: Any, cast: Cast) -> tuple[str, ...]:
    """A name or a list of them."""
    found = value if isinstance(value, list) else [value]
    if not found:
        raise ValueError("nobody and nothing")
    return tuple(text(one, cast) for one in found)


def people(value: Any, cast: Cast) -> tuple[str, ...]:
    """One or more of the people."""
    return tuple(_one_of(one, cast.people) for one in names(value, cast))


def person(value: Any, cast: Cast) -> str:
    """One of the people."""
    return _one_of(value, cast.people)


def market(value: Any, cast: Cast) -> str:
    """One of the markets."""
    return _one_of(value, cast.markets)


def order(value: Any, cast: Cast) -> str:
    """An order that an earlier step named."""
    return _one_of(value, cast.orders)


def new_order(value: Any, cast: Cast) -> str:
    """A name that no order has yet."""
    if text(value, cast) in cast.orders:
        raise ValueError(f"an order is called {value!r} already")
    return str(value)


def is_long(value: Any, cast: Cast) -> bool:  # noqa: ARG001
    """A side."""
    return _one_of(value, ("long", "short")) == "long"


def prices(value: Any, cast: Cast) -> dict[str, Decimal] | None:
    """Prices by market, or "again" for those there are, which is None here."""
    if value == "again":
        return None
    if not isinstance(value, dict) or not value:
        raise ValueError(f'{value!r} is neither "again" nor {{ MARKET = PRICE }}')
    found = {_one_of(symbol, cast.markets): amount(value[symbol], cast) for symbol in value}
    if min(found.values()) <= 0:
        raise ValueError("a price is above zero")
    return found


def one_of(*choices: str) -> Kind:
    """A kind: one of some words."""
    return lambda value, _: _one_of(value, choices)


def some_of(*choices: str) -> Kind:
    """A kind: one or more of some words."""
    return lambda value, cast: tuple(_one_of(one, choices) for one in names(value, cast))


def member(kind: type[IntEnum]) -> Kind:
    """A kind: a member of an enumeration, in lower case."""
    words = {one.name.lower().replace("_", "-"): one for one in kind}
    return lambda value, _: words[_one_of(value, tuple(words))]


def shown(value: Any, cast: Cast) -> tuple[str, ...]:
    """What is shown: people, the house, the markets, the books."""
    return tuple(_one_of(one, (*THINGS, *cast.people)) for one in names(value, cast))


def _one_of(value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise ValueError(f"{value!r} is none of {', '.join(choices) or 'none that there are'}")
    return str(value)


REFUSED = "refused"
"""The word that every step may have: the reason it is refused for."""
THINGS = ("markets", "house", "books")
PASSES = ("execute", "liquidate", "ratchet", "deleverage", "settle")


def _required(**kinds: Kind) -> dict[str, Word]:
    return {name: Word(kind, is_required=True) for name, kind in kinds.items()}


def _optional(**kinds: Kind) -> dict[str, Word]:
    return {name: Word(kind) for name, kind in kinds.items()}


_CLOSING = _optional(
    kind=member(OrderKind),
    margin_mode=member(MarginMode),
    position_side=member(PositionSide),
    trigger_price=amount,
    callback_rate=amount,
    acceptable_price=amount,
    expires_in=seconds,
    beyond_liquidation=truth,
    name=new_order,
)
_OPENING = _optional(
    reduce_only=truth,
    margin=amount,
    leverage=amount,
    take_profit=amount,
    stop_loss=amount,
    trailing=amount,
)
_SIDE = _required(who=person, market=market, side=is_long)

VERBS: dict[str, dict[str, Word]] = {
    "chapter": _required(chapter=text),
    "say": _required(say=text),
    "show": _required(show=shown),
    "deposit": _required(deposit=amount, who=people),
    "withdraw": _required(withdraw=amount, who=people),
    "provide": _required(provide=amount, who=people),
    "buy": _required(buy=amount, who=person, market=market) | _OPENING | _CLOSING,
    "sell": _required(sell=amount, who=person, market=market) | _OPENING | _CLOSING,
    "close": _required(close=market, who=person, side=is_long) | _CLOSING,
    "cancel": _required(cancel=order),
    "add_margin": _required(add_margin=amount) | _SIDE,
    "remove_margin": _required(remove_margin=amount) | _SIDE,
    "auto_margin": _required(auto_margin=amount) | _SIDE,
    "convert": _required(convert=one_of("isolated", "cross")) | _SIDE | _optional(margin=amount),
    "set_leverage": _required(set_leverage=amount, who=person, market=market)
    | _optional(margin_mode=one_of("isolated", "cross"), side=is_long),
    "hedge_mode": _required(hedge_mode=truth, who=people),
    "prices": _required(prices=prices),
    "wait": _required(wait=seconds),
    "keeper": _required(keeper=some_of(*PASSES)),
    "expect": _required(
        expect=one_of("account", "position", "order", "market", "house", "keeper", "books")
    ),
}
"""What each verb takes; the verb's own word is what it acts on."""

EXPECTATIONS: dict[str, dict[str, Word]] = {
    "account": _required(of=person)
    | _optional(
        cash=amount,
        escrow=amount,
        equity=amount,
        free_collateral=amount,
        wallet=amount,
        positions=count,
    ),
    "position": _required(of=person, market=market, side=is_long)
    | _required(margin_mode=one_of("isolated", "cross"))
    | _optional(
        open=truth,
        size=amount,
        entry_price=amount,
        notional=amount,
        margin=amount,
        value=amount,
        liquidation_price=amount,
    ),
    "order": _required(of=order)
    | _optional(state=one_of(*OrderState), reason=text, keeper_fee=amount),
    "market": _required(of=market)
    | _optional(mark_price=amount, long=amount, short=amount, funding_rate=amount, is_fresh=truth),
    "house": _optional(pool_cash=amount, insurance=amount, fees=amount),
    "keeper": _optional(
        executed=count,
        cancelled=count,
        liquidated=count,
        topped_up=count,
        ratcheted=count,
        deleveraged=count,
        settled=count,
        penalty=amount,
        reward=amount,
        deficit=amount,
    ),
    "books": {},
}
"""What may be expected of each thing: of the keeper, of its last step."""
