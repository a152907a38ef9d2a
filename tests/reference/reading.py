"""The chain's words as the model's values."""

from dataclasses import astuple, fields
from fractions import Fraction
from typing import Any

from tests.helpers.chain import now
from tests.helpers.protocol import Ledger as Words
from tests.helpers.protocol import Market as Listed
from tests.helpers.protocol import Protocol
from tests.helpers.protocol import Terms as Named
from tests.reference import layouts
from tests.reference.state import (
    FEMTO,
    ISOLATED,
    PPM,
    USD,
    Account,
    House,
    Market,
    Position,
    Price,
    State,
    Terms,
    Tier,
)

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
    """Reads whole states; terms and tiers are what their owner named."""

    def __init__(self, protocol: Protocol, accounts: list[str], listed: list[Listed]) -> None:
        self._words = Words(protocol)
        self.protocol = protocol
        self.accounts = accounts
        self.terms: list[Terms] = [terms_of(market.terms) for market in listed]
        self.tiers = [tiers_of(market.tiers) for market in listed]

    def state(self) -> State:
        words = self._words
        house = layouts.HOUSE.read(words.house)
        return State(
            now(),
            words.tokens(self.protocol.clearinghouse.address),
            House(house["pool_cash"], house["insurance"], house["fees"], bool(house["flags"])),
            {account: self._account(account) for account in self.accounts},
            [self._market(market) for market in range(len(self.terms))],
            [self._price(market) for market in range(len(self.terms))],
            {
                (account, market, slot): self._position(account, market, slot)
                for account in self.accounts
                for market in range(len(self.terms))
                for slot in range(4)
            },
        )

    def _account(self, name: str) -> Account:
        word = layouts.ACCOUNT.read(self._words.account(name))
        return Account(word["cash"], word["escrow"], bool(word["flags"] & 1), word["epoch"])

    def _market(self, number: int) -> Market:
        words = self._words.market_words(number)
        market = layouts.MARKET.read(words[0])
        return Market(
            self.terms[number],
            self.tiers[number],
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
            *(word[name] for name in ("published_at", "silence", "trade_age", "max_age")),
        )

    def _position(self, account: str, market: int, slot: int) -> Position:
        raw = self._words.position(account, market, slot)
        if not raw:
            return Position()
        word = layouts.POSITION.read(raw)
        is_vault = slot >= ISOLATED
        return Position(
            word["size"],
            word["entry"],
            word["margin"] if is_vault else 0,
            Fraction(word["index"], FEMTO),
            bool(word["auto"]),
            word["generation"],
            0 if is_vault else word["margin"],
        )
