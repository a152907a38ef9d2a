"""Everything that can be asked of the exchange, as programs of reads.

A query yields the calls it needs next and is sent their results. Any transport can run it, at one
block, one call at a time or all of a step at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from bulkhead import errors, valuation
from bulkhead.accounts import AccountView, HouseView, Position, SettingsView, account_view, vault_of
from bulkhead.contracts import Contracts
from bulkhead.markets import MarketState, market_of, state_of
from bulkhead.orders import OrderStatus, status_of
from bulkhead.protocol import words
from bulkhead.protocol.words import OrderState, OrderTerms

if TYPE_CHECKING:
    from bulkhead.chain import Query


class Face(NamedTuple):
    """What never changes about a market."""

    symbol: str
    lot_size: int


Faces = dict[int, Face]
"""What is known so far about markets; queries add to it."""


def market_count(contracts: Contracts) -> Query[int]:
    """How many markets are listed."""
    (count,) = yield (contracts.clearinghouse.call("market_count"),)
    return int(count)


def market_states(
    contracts: Contracts, faces: Faces, ids: Iterable[int], now: int
) -> Query[dict[int, MarketState]]:
    """The states of some markets.

    Raises:
        MarketUnknown: If one of them is not listed.
    """
    wanted = tuple(ids)
    unseen = [market for market in wanted if market not in faces]
    found = yield tuple(
        call
        for market in unseen
        for call in (
            contracts.clearinghouse.call("market_symbol", market),
            contracts.price_oracle.call("lot_size", market),
        )
    )
    for market, symbol, lot_size in zip(unseen, found[::2], found[1::2], strict=True):
        if not symbol:
            raise errors.MarketUnknown
        faces[market] = Face(symbol, lot_size)
    found = yield tuple(
        call
        for market in wanted
        for call in (
            contracts.clearinghouse.call("market_words", market),
            contracts.price_oracle.call("price_word", market),
        )
    )
    # Only a feed that the oracle reads itself can be ahead of the oracle.
    read = [
        market
        for market, price_word in zip(wanted, found[1::2], strict=True)
        if words.unpack_price(price_word).kind == words.CHAINLINK
    ]
    answers = yield tuple(contracts.price_oracle.call("is_latest", market) for market in read)
    behind = {market for market, latest in zip(read, answers, strict=True) if not latest}
    states: dict[int, MarketState] = {}
    for market, market_words, price_word in zip(wanted, found[::2], found[1::2], strict=True):
        face = faces[market]
        shape = market_of(market, face.symbol, face.lot_size, market_words)
        states[market] = state_of(
            shape, market_words, price_word, now, is_latest=market not in behind
        )
    return states


def account(contracts: Contracts, faces: Faces, address: str, now: int) -> Query[AccountView]:
    """An account with all its positions."""
    word, count = yield (
        contracts.clearinghouse.call("account_word", address),
        contracts.clearinghouse.call("market_count"),
    )
    held = words.unpack_account(word)
    keys = list(valuation.leg_keys(held))
    if held.vaults:
        # The word counts vaults without naming them.
        keys += [
            (market, slot)
            for market in range(count)
            for slot in (words.ISOLATED_LONG, words.ISOLATED_SHORT)
        ]
    found = yield from positions(contracts, address, keys)
    legs = {key: one for key, one in found.items() if not valuation.is_isolated(key[1])}
    vaults = {key: one for key, one in found.items() if valuation.is_isolated(key[1])}
    states = yield from market_states(contracts, faces, valuation.markets_of(found), now)
    return account_view(address, held, legs, vaults, states, now)


def position(
    contracts: Contracts, faces: Faces, address: str, market: int, slot: int, now: int
) -> Query[Position | None]:
    """The position in a slot, or None. A cross one is valued with its whole account."""
    if not valuation.is_isolated(slot):
        view = yield from account(contracts, faces, address, now)
        return view.position(market, slot)
    found = yield from positions(contracts, address, [(market, slot)])
    if not found:
        return None
    states = yield from market_states(contracts, faces, [market], now)
    return vault_of(address, states[market], slot, found[market, slot])


def positions(
    contracts: Contracts, address: str, keys: Iterable[tuple[int, int]]
) -> Query[dict[tuple[int, int], words.Position]]:
    """Those of some slots of an account that are open, by market and slot."""
    wanted = tuple(keys)
    number = int(address, 16)
    found = yield tuple(
        contracts.clearinghouse.call("position_word", words.position_id(number, *key))
        for key in wanted
    )
    unpacked = zip(wanted, map(words.unpack_position, found), strict=True)
    return {key: one for key, one in unpacked if one.size}


def settings(contracts: Contracts, address: str, market: int) -> Query[SettingsView]:
    """An account's settings for a market."""
    (word,) = yield (contracts.clearinghouse.call("settings_word", address, market),)
    return SettingsView(words.unpack_settings(word))


def house(contracts: Contracts) -> Query[HouseView]:
    """Pool cash, insurance and unclaimed fees."""
    (word,) = yield (contracts.clearinghouse.call("house_word"),)
    return HouseView(words.unpack_house(word))


def order_state(contracts: Contracts, order_hash: bytes) -> Query[OrderState]:
    """All that the chain keeps of an order."""
    (word,) = yield (contracts.order_book.call("order_word", order_hash),)
    return words.unpack_order_state(word)


def order_words(contracts: Contracts, hashes: Iterable[bytes]) -> Query[tuple[OrderState, ...]]:
    """All that the chain keeps of some orders."""
    found = yield tuple(contracts.order_book.call("order_word", one) for one in hashes)
    return tuple(map(words.unpack_order_state, found))


def order_status(contracts: Contracts, order_hash: bytes) -> Query[OrderStatus]:
    """The chain's word for an order's state."""
    (word,) = yield (contracts.order_book.call("order_word", order_hash),)
    return status_of(word)


def order_terms(contracts: Contracts, market: int) -> Query[OrderTerms]:
    """When a market's orders may fill and what that costs."""
    (word,) = yield (contracts.order_book.call("order_terms_word", market),)
    return words.unpack_order_terms(word)


def market_id(contracts: Contracts, symbol: str) -> Query[int]:
    """The id of the market a symbol names."""
    (found,) = yield (contracts.clearinghouse.call("market_id", symbol),)
    return int(found)
