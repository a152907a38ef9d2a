"""Everything that can be asked of the exchange, as programs of reads.

A query yields the calls it needs next and is sent their results. Any transport can run it, at one
block, one call at a time or all of a step at once. What yields one call alone is of one block on
any transport.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from bulkhead import errors
from bulkhead.accounts import AccountView, HouseView, SettingsView
from bulkhead.contracts import Contracts
from bulkhead.interfaces import Call
from bulkhead.markets import MarketState
from bulkhead.orders import OrderStatus, status_of
from bulkhead.protocol import words
from bulkhead.protocol.words import OrderState, OrderTerms
from bulkhead.snapshots import (
    ACCOUNTS,
    BATCH,
    MARKETS,
    Page,
    Snapshot,
    accounts_page,
    markets_page,
    snapshot_of,
    unread_markets,
)

if TYPE_CHECKING:
    from bulkhead.chain import Query

Item = TypeVar("Item")

CALL_GAS = 20_000_000  # what nodes let one call use


def snapshot(
    contracts: Contracts, addresses: Iterable[str] = (), markets: Iterable[int] = ()
) -> Query[Snapshot]:
    """Accounts with their open positions and the markets these are in, and other markets.

    One call where they fit, else as many as it takes.

    Raises:
        OutOfGas: If the node gives a call too little gas for a single account.
        MovedOn: If it does not answer all calls at one block.
    """
    unread: Sequence[int] = tuple(dict.fromkeys(markets))
    waiting: list[tuple[str, ...]] = _chunks(tuple(dict.fromkeys(addresses)), ACCOUNTS)
    if not waiting and not unread:
        waiting = [()]  # for the block and the house
    pages: list[Page] = []
    while waiting or unread:
        answers = yield (
            *(_lens_call(contracts, "accounts", chunk) for chunk in waiting),
            *(_lens_call(contracts, "markets", chunk) for chunk in _chunks(unread, MARKETS)),
        )
        rests = []
        for chunk, answer in zip(waiting, answers, strict=False):
            page = accounts_page(chunk, answer)
            if chunk and not page.accounts:
                raise errors.OutOfGas("the node gives a call too little gas to read an account")
            if rest := chunk[len(page.accounts) :]:
                rests.append(rest)
            pages.append(page)
        pages += map(markets_page, answers[len(waiting) :])
        waiting = rests
        unread = () if waiting else unread_markets(pages)
    return snapshot_of(pages, contracts.liquidity_pool.address)


def account(contracts: Contracts, address: str) -> Query[AccountView]:
    """An account with all its positions."""
    found = yield from snapshot(contracts, [address])
    return found.account_view(address)


def accounts(contracts: Contracts, addresses: Iterable[str]) -> Query[dict[str, AccountView]]:
    """Many accounts with all their positions, by the addresses they were asked for by."""
    wanted = tuple(addresses)
    found = yield from snapshot(contracts, wanted)
    return {address: found.account_view(address) for address in wanted}


def positions(
    contracts: Contracts, address: str, keys: Iterable[tuple[int, int]]
) -> Query[dict[tuple[int, int], words.Position]]:
    """Those of some slots of an account that are open, by market and slot."""
    found = yield from slots(contracts, address, keys)
    return {key: one for key, one in found.items() if one.size}


def slots(
    contracts: Contracts, address: str, keys: Iterable[tuple[int, int]]
) -> Query[dict[tuple[int, int], words.Position]]:
    """Some slots of an account, by market and slot; closed ones keep their generation."""
    wanted = tuple(keys)
    ids = [words.position_id(int(address, 16), *key) for key in wanted]
    found = yield from _words(contracts, "position_words", ids)
    return dict(zip(wanted, map(words.unpack_position, found), strict=True))


def market_states(contracts: Contracts, ids: Iterable[int]) -> Query[dict[int, MarketState]]:
    """The states of some markets.

    Raises:
        MarketUnknown: If one of them is not listed.
    """
    wanted = tuple(ids)
    found = yield from snapshot(contracts, markets=wanted)
    return {market: found.market_state(market) for market in wanted}


def markets(contracts: Contracts) -> Query[dict[int, MarketState]]:
    """The states of all markets, by their ids."""
    (answer,) = yield (_lens_call(contracts, "markets_from", 0),)
    pages = [markets_page(answer)]
    rest = range(MARKETS, pages[0].moment["market_count"], MARKETS)
    if rest:
        answers = yield tuple(_lens_call(contracts, "markets_from", first) for first in rest)
        pages += map(markets_page, answers)
    return dict(snapshot_of(pages, contracts.liquidity_pool.address).markets)


def market_count(contracts: Contracts) -> Query[int]:
    """How many markets are listed."""
    (count,) = yield (contracts.clearinghouse.call("market_count"),)
    return int(count)


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
    found = yield from _words(contracts, "order_words", tuple(hashes))
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


def _words(contracts: Contracts, function: str, keys: Sequence[Any]) -> Query[tuple[int, ...]]:
    """One word for each key, as many as fit in a call."""
    found = yield tuple(_lens_call(contracts, function, chunk) for chunk in _chunks(keys, BATCH))
    return tuple(word for part in found for word in part)


def _lens_call(contracts: Contracts, function: str, argument: Any) -> Call:
    return replace(contracts.word_lens.call(function, argument), gas=CALL_GAS)


def _chunks(items: Sequence[Item], size: int) -> list[tuple[Item, ...]]:
    return [tuple(items[at : at + size]) for at in range(0, len(items), size)]
