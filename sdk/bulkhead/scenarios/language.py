"""The language of stories: a TOML file becomes a `Story`, or an error that names step and word."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from bulkhead.listings import DEMO_LISTINGS, Listing, Terms
from bulkhead.scenarios.vocabulary import (
    EXPECTATIONS,
    REFUSED,
    VERBS,
    Cast,
    Word,
    amount,
    count,
    names,
    quote,
    text,
)
from bulkhead.world import INSURANCE, NAMES, POOL

PEOPLE = NAMES[:3]
MAX_PEOPLE = 50
_WORLD = {"people": Word(names), "markets": Word(names), "pool": Word(amount)} | {
    "insurance": Word(amount)
}
_LISTING = {"price": amount, "lot_size": amount, "keeper_fee": quote} | dict.fromkeys(
    ("trade_age", "max_age", "delay", "window", "max_order_age"), count
)


class StoryError(ValueError):
    """A story is not written as stories are. It says in which file, step and word."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens.

    Attributes:
        number: The first is 1.
        verb: What.
        words: All that is said of it, by word; the verb's own under its name.
    """

    number: int
    verb: str
    words: Mapping[str, Any]

    @property
    def object(self) -> Any:
        """What its verb acts on."""
        return self.words[self.verb]

    @property
    def refused(self) -> str | None:
        """The reason that it must be refused for, if it must."""
        reason: str | None = self.words.get(REFUSED)
        return reason


@dataclass(frozen=True, slots=True)
class Story:
    """A story as it is played.

    Attributes:
        name: Its file's.
        title: What it is called.
        people: Who is in it.
        listings: Where it plays.
        pool: USD in the pool at its beginning.
        insurance: USD in the insurance fund at its beginning.
        steps: What happens.
    """

    name: str
    title: str
    people: tuple[str, ...] = PEOPLE
    listings: tuple[Listing, ...] = DEMO_LISTINGS
    pool: Decimal = Decimal(POOL)
    insurance: Decimal = Decimal(INSURANCE)
    steps: tuple[Step, ...] = field(default=())

    def at(self, step: Step) -> str:
        """Where a step is, for messages."""
        return f"{self.name}, step {step.number} ({step.verb})"


def shipped() -> dict[str, Path]:
    """The stories that come with the package, by name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.toml"))}


def load(story: Path | str) -> Story:
    """A story from a file, or one of those that are shipped by its name.

    Raises:
        StoryError: If there is no such file, or it is no story.
    """
    path = Path(story)
    if not path.exists():
        if str(story) not in shipped():
            raise StoryError(f"{story}: no such file, and none of {', '.join(shipped())}")
        path = shipped()[str(story)]
    try:
        written = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise StoryError(f"{path}: {error}") from error
    return parse(written, path.name)


def parse(written: str, name: str) -> Story:
    """A story from its text.

    Args:
        written: TOML.
        name: What messages call it.

    Raises:
        StoryError: If it is no story.
    """
    try:
        table = tomllib.loads(written, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise StoryError(f"{name}: {error}") from error
    _check_words(table, ("title", "world", "market", "steps"), name)
    title = _read(text, table.get("title", name), Cast(), f"{name}, title")
    world = _section(table, "world", name)
    _check_words(world, _WORLD, f"{name}, world")
    setting = {
        word: _read(_WORLD[word].kind, value, Cast(), f"{name}, world, {word}")
        for word, value in world.items()
    }
    listings = _listings(setting.pop("markets", None), _section(table, "market", name), name)
    people = setting.get("people", PEOPLE)
    if len(set(people)) != len(people) or len(people) > MAX_PEOPLE:
        raise StoryError(f"{name}, world, people: each once, and {MAX_PEOPLE} at most")
    cast = Cast(people, tuple(one.symbol for one in listings))
    return Story(
        name, title, listings=listings, steps=_steps(table.get("steps"), cast, name), **setting
    )


def _steps(written: Any, cast: Cast, name: str) -> tuple[Step, ...]:
    if not isinstance(written, list) or not written:
        raise StoryError(f"{name}, steps: a list of steps")
    steps: list[Step] = []
    for number, table in enumerate(written, 1):
        where = f"{name}, step {number}"
        if not isinstance(table, dict):
            raise StoryError(f"{where}: {table!r} is no step: {{ verb = ..., word = ... }}")
        found = [word for word in table if word in VERBS]
        if len(found) != 1:
            said = " and ".join(found) or "none"
            raise StoryError(f"{where}: one verb, not {said}; verbs are {', '.join(VERBS)}")
        (verb,) = found
        step = _step(number, verb, table, cast, f"{where} ({verb})")
        if "name" in step.words:
            cast = cast.with_order(step.words["name"])
        steps.append(step)
    return tuple(steps)


def _step(number: int, verb: str, table: Mapping[str, Any], cast: Cast, where: str) -> Step:
    known = dict(VERBS[verb])
    if verb == "expect":
        subject = _read(known[verb].kind, table[verb], cast, f"{where}, {verb}")
        known |= EXPECTATIONS[subject]
    _check_words(table, (*known, REFUSED), where)
    for word, rule in known.items():
        if rule.is_required and word not in table:
            raise StoryError(f"{where}, {word}: missing")
    words = {
        word: _read(known[word].kind if word in known else text, value, cast, f"{where}, {word}")
        for word, value in table.items()
    }
    return Step(number, verb, words)


def _listings(
    symbols: Iterable[str] | None, terms: Mapping[str, Any], name: str
) -> tuple[Listing, ...]:
    known = {listing.symbol: listing for listing in DEMO_LISTINGS}
    wanted = tuple(symbols) if symbols is not None else (*known, *(set(terms) - set(known)))
    for symbol in terms:
        if symbol not in wanted:
            raise StoryError(f"{name}, market, {symbol}: not one of the world's markets")
    if not wanted or len(set(wanted)) != len(wanted):
        raise StoryError(f"{name}, world, markets: at least one, each once")
    return tuple(_listing(symbol, known, terms.get(symbol, {}), name) for symbol in wanted)


def _listing(symbol: str, known: Mapping[str, Listing], written: Any, name: str) -> Listing:
    where = f"{name}, market, {symbol}"
    if not isinstance(written, dict):
        raise StoryError(f"{where}: a table")
    _check_words(written, ("like", "terms", *_LISTING), where)
    like = written.get("like", symbol)
    if like not in known:
        raise StoryError(f"{where}, like: one of {', '.join(known)}")
    changes: dict[str, Any] = {"symbol": symbol}
    for word in written.keys() & _LISTING:
        changes[word] = _read(_LISTING[word], written[word], Cast(), f"{where}, {word}")
    terms = written.get("terms", {})
    if not isinstance(terms, dict):
        raise StoryError(f"{where}, terms: a table")
    _check_words(terms, Terms._fields, f"{where}, terms")
    numbers = {
        word: _read(count, value, Cast(), f"{where}, terms, {word}")
        for word, value in terms.items()
    }
    return known[like]._replace(**changes, terms=known[like].terms._replace(**numbers))


def _section(table: Mapping[str, Any], word: str, name: str) -> dict[str, Any]:
    found = table.get(word, {})
    if not isinstance(found, dict):
        raise StoryError(f"{name}, {word}: a table")
    return found


def _check_words(table: Iterable[str], known: Iterable[str], where: str) -> None:
    allowed = tuple(known)
    for word in table:
        if word not in allowed:
            raise StoryError(f"{where}, {word}: no such word; there are {', '.join(allowed)}")


def _read(kind: Any, value: Any, cast: Cast, where: str) -> Any:
    try:
        return kind(value, cast)
    except (TypeError, ValueError) as error:
        raise StoryError(f"{where}: {error}") from error
