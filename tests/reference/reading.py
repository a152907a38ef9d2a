"""The chain's words as the model's values."""

from dataclasses import astuple, fields
from fractions import Fraction
from functools import cache
from typing import Any

from tests.helpers.chain import now
from tests.helpers.protocol import Ledger as Words
from tests.helpers.protocol import Market as Listed
from tests.helpers.protocol import Protocol, mapped
from tests.helpers.protocol import Terms as Named
from tests.reference import layouts
from tests.reference.book import Book
from tests.reference.providers import Shares
from tests.reference.ramps import tiers_at
from tests.reference.state import (
    FEMTO,
    HOUR,
    ISOLATED,
    PPM,
    USD,
    Account,
    House,
    Market,
    Position,
    Price,
    Ramp,
    Slot,
    State,
    Terms,
    Tier,
)

SETTLED = 15  # of a price's kinds
WHOLE = {"skew_scale", "keeper_floor", "keeper_cap", "partial_above"}


def terms_of(named: Named) -> Terms:
    values = dict(zip([field.name for field in fields(named)], astuple(named), strict=True))
    exact: dict[str, Any] = {
        name: v if name in WHOLE else Fraction(v, PPM) for name, v in values.items()
    }
    return Terms(**exact | {"min_notional": values["min_notional"] * USD})


def tiers_of(listed: tuple[tuple[int, int, int], ...]) -> tuple[Tier, ...]:
    return tuple(
        Tier(floor * 1_000 * USD, Fraction(mmr, PPM), Fraction(imr, PPM))
        for floor, mmr, imr in listed
    )


class Reader:
    """Reads whole states; terms are what their owner named.

    Nobody but `accounts` trades, so only theirs are read. What has not changed is not decoded
    again: values that were read are never written to.
    """

    def __init__(self, protocol: Protocol, accounts: list[str], listed: list[Listed]) -> None:
        self._words = Words(protocol)
        self._storage = protocol.clearinghouse.storage
        self._slots = slots = protocol.clearinghouse.slots
        self.protocol = protocol
        self.others = [protocol.keeper, protocol.pool.address, protocol.owner]
        self._accounts = {
            name: mapped(slots["ledger._accounts"], int(name, 16))
            for name in [*accounts, *self.others]
        }
        self._positions = {
            (name, market, slot): mapped(
                slots["ledger._positions"], position_id(name, market, slot)
            )
            for name in accounts
            for market in range(len(listed))
            for slot in range(4)
        }
        self._held: dict[Slot, tuple[int, Position]] = {}
        self.terms: list[Terms] = [terms_of(market.terms) for market in listed]

    def state(self, book: Book, shares: Shares) -> State:
        words = self._words
        house, slots = layouts.HOUSE.read(words.house), self._slots
        announced_at = self._storage(slots["ledger._insurance_claimable_at"])
        return State(
            now(),
            words.tokens(self.protocol.clearinghouse.address),
            House(
                *(house["pool_cash"], house["insurance"], house["fees"], bool(house["flags"])),
                (self._storage(slots["ledger._insurance_requested"]), announced_at),
            ),
            {name: self._account(at) for name, at in self._accounts.items()},
            [self._market(market) for market in range(len(self.terms))],
            [self._price(market) for market in range(len(self.terms))],
            {place: self._position(place, at) for place, at in self._positions.items()},
            book,
            shares,
        )

    def shares_of(self, holder: str) -> int:
        pool = self.protocol.pool
        return pool.storage(mapped(pool.slots["erc20.balanceOf"], int(holder, 16)))

    def order(self, name: bytes) -> dict[str, int]:
        return layouts.ORDER.read(self._words.order(name))

    def operator(self, account: str, operator: str) -> dict[str, int]:
        book = self.protocol.book
        outer = mapped(book.slots["operators._operators"], int(account, 16))
        return layouts.OPERATOR.read(book.storage(mapped(outer, int(operator, 16))))

    def _account(self, at: int) -> Account:
        word = layouts.ACCOUNT.read(self._storage(at))
        return Account(word["cash"], word["escrow"], bool(word["flags"] & 1), word["epoch"])

    def _market(self, number: int) -> Market:
        words = self._words.market_words(number)
        market = layouts.MARKET.read(words[0])
        ramp = ramp_of(market["mmr"], market["imr"], market["ramping"], tuple(words[5:10]))
        return Market(
            self.terms[number],
            tiers_at(ramp, now()),
            ramp,
            Fraction(market["index"], FEMTO),
            Fraction(market["rate"], 10**12),
            Fraction(market["drift"], 10**12),
            market["since"],
            [layouts.SIDE.read(word)["size"] for word in words[1:3]],
            [layouts.SIDE.read(word)["basis"] for word in words[1:3]],
            bool(words[3] & 15),
        )

    def _price(self, number: int) -> Price:
        word = layouts.PRICE.read(self._words.price(number))
        return Price(
            Fraction(word["price"], FEMTO),
            word["published_at"],
            word["silence"],
            word["trade_age"],
            word["max_age"],
            word["settles_at"] * HOUR,
            word["kind"] == SETTLED,
            word["caution"],
            Fraction(word["confidence"], PPM),
        )

    def _position(self, place: Slot, at: int) -> Position:
        raw = self._storage(at)
        held = self._held.get(place)
        if held is None or held[0] != raw:
            held = self._held[place] = raw, position_of(raw, is_vault=place[2] >= ISOLATED)
        return held[1]


@cache
def ramp_of(mmr: int, imr: int, is_ramping: int, words: tuple[int, ...]) -> Ramp:
    """The first tier's rates are in the market's and the ramp's word, the others' in two each."""
    target = tiers_of(((0, mmr, imr), *_further(words[0:2])))
    if not is_ramping:
        return Ramp(target, target)
    ramp = layouts.RAMP.read(words[2])
    before = tiers_of(((0, ramp["mmr"], ramp["imr"]), *_further(words[3:5])))
    return Ramp(before, target, ramp["began_at"], ramp["ends_at"])


def _further(words: tuple[int, ...]) -> list[tuple[int, int, int]]:
    tiers = [layouts.TIER.read(word >> 64 * i & 2**64 - 1) for word in words for i in range(4)]
    return [(tier["floor"], tier["mmr"], tier["imr"]) for tier in tiers if tier["floor"]]


def position_of(raw: int, *, is_vault: bool) -> Position:
    word = layouts.POSITION.read(raw)
    return Position(
        word["size"],
        word["entry"],
        word["margin"] if is_vault else 0,
        Fraction(word["index"], FEMTO),
        bool(word["auto"]),
        word["generation"],
        0 if is_vault else word["margin"],
    )


def position_id(account: str, market: int, slot: int) -> int:
    return int(account, 16) << 32 | market << 8 | slot
