"""Checks the books of a live exchange: against its own logs, and against the tokens it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bulkhead.chain import Block
from bulkhead.contracts import Contracts
from bulkhead.interfaces import Call
from bulkhead.protocol import position_math, words
from bulkhead.reader import Reader
from bulkhead.replay import Replay
from bulkhead.values import to_usd

MARKET_WORDS = (
    "state",
    "longs",
    "shorts",
    "trade terms",
    "liquidation terms",
    "tiers",
    "upper tiers",
    "ramp",
    "tiers before",
    "upper tiers before",
)
"""What a market's words are, in the order of `Clearinghouse.market_words`."""


@dataclass(frozen=True, slots=True)
class Audit:
    """The buckets of all money in custody, in quote units, at one block.

    Attributes:
        block: The block.
        tokens: What the clearinghouse holds of the token.
        cash: All accounts' cash, keepers' and the pool's claims included.
        escrow: Keeper fees of pending orders.
        margins: Isolated margins.
        pool_cash: The pool's.
        insurance: The insurance fund's.
        fees: The treasury's, unclaimed.
        mismatches: Where the words on chain differ from those rebuilt from the logs, and sides from
            the sums of their positions.
    """

    block: int
    tokens: int
    cash: int
    escrow: int
    margins: int
    pool_cash: int
    insurance: int
    fees: int
    mismatches: tuple[str, ...]

    @property
    def difference(self) -> int:
        """Tokens held less the sum of the buckets: zero, to the unit."""
        return self.tokens - (
            self.cash + self.escrow + self.margins + self.pool_cash + self.insurance + self.fees
        )

    @property
    def is_clean(self) -> bool:
        """Whether everything adds up and the logs agree with the chain."""
        return self.difference == 0 and not self.mismatches

    def rows(self) -> tuple[tuple[str, Decimal], ...]:
        """The buckets by name, in USD."""
        return tuple(
            (name.replace("_", " "), to_usd(getattr(self, name)))
            for name in ("cash", "escrow", "margins", "pool_cash", "insurance", "fees")
        )


def audit(reader: Reader) -> Audit:
    """Replays all logs, compares the result with the chain word for word, and adds it up."""
    at = reader.block()
    replay = Replay(reader.contracts.liquidity_pool.address)
    replay.take_all(reader.events(last=at.number))
    return compare(reader, replay, at)


def compare(reader: Reader, replay: Replay, at: Block) -> Audit:
    """Compares a replay with the chain at a block, word for word, and adds it up."""
    house = reader.contracts.clearinghouse
    mismatches = [
        name
        for name, call, expected in _expected_words(reader.contracts, replay)
        if reader.chain.read(call, at) != expected
    ]
    for market in replay.markets:
        found = reader.chain.read(house.call("market_words", market), at)
        for name, word, expected in zip(
            MARKET_WORDS, found, replay.market_words(market), strict=True
        ):
            if word != expected:
                mismatches.append(f"{name} of market {market}")
        for is_long, word in ((True, found[1]), (False, found[2])):
            if words.unpack_side(word) != _sum_of(replay, market, is_long):
                side = "longs" if is_long else "shorts"
                mismatches.append(f"sum of {side} in market {market}")

    token = reader.contracts.token
    units = reader.chain.read(token.call("balanceOf", house.address), at)
    decimals = reader.deployment.token_decimals
    return Audit(
        block=at.number,
        tokens=units * 10**6 // 10**decimals,
        cash=sum(account.cash for account in replay.accounts.values()),
        escrow=sum(account.escrow for account in replay.accounts.values()),
        margins=replay.margins(),
        pool_cash=replay.house.pool_cash,
        insurance=replay.house.insurance,
        fees=replay.house.fees,
        mismatches=tuple(mismatches),
    )


def _expected_words(contracts: Contracts, replay: Replay) -> Iterator[tuple[str, Call, int]]:
    """Every word that has a view of its own: its name, the view, what the logs say it holds."""
    house = contracts.clearinghouse
    yield "house", house.call("house_word"), words.pack_house(replay.house)
    for address, account in replay.accounts.items():
        call = house.call("account_word", address)
        yield f"account {address}", call, words.pack_account(account)
    for (address, market, slot), position in replay.positions.items():
        call = house.call("position_word", words.position_id(int(address, 16), market, slot))
        yield f"position {address} {market}/{slot}", call, words.pack_position(position)
    for (address, market), settings in replay.settings.items():
        call = house.call("settings_word", address, market)
        yield f"settings {address} {market}", call, words.pack_settings(settings)
    for market, price in replay.prices.items():
        call = contracts.price_oracle.call("price_word", market)
        yield f"price of market {market}", call, words.pack_price(price)
    oracle = contracts.price_oracle
    yield "sequencer", oracle.call("sequencer_word"), replay.sequencer
    for market, word in replay.checks.items():
        yield f"check of market {market}", oracle.call("check_word", market), word
    for market, word in replay.settlements.items():
        yield f"settlement of market {market}", oracle.call("settlement_word", market), word
    for market, terms in replay.order_terms.items():
        call = contracts.order_book.call("order_terms_word", market)
        yield f"order terms of market {market}", call, words.pack_order_terms(terms)
    for order_hash, state in replay.orders.items():
        call = contracts.order_book.call("order_word", order_hash)
        yield f"order 0x{order_hash.hex()}", call, words.pack_order_state(state)


def _sum_of(replay: Replay, market: int, is_long: bool) -> words.Side:
    held = [
        position
        for (_, where, slot), position in replay.positions.items()
        if where == market and (slot % 2 == 0) == is_long
    ]
    return words.Side(
        size=sum(position.size for position in held),
        basis=sum(position_math.basis_of(position) for position in held),
    )
