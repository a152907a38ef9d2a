"""What the word lens answers, as the exchange's state at one block. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from eth_utils.address import to_checksum_address

from bulkhead import accounts, errors, valuation
from bulkhead.accounts import AccountView
from bulkhead.markets import MarketState, market_of, state_of
from bulkhead.protocol import words
from bulkhead.state import ExchangeState

ACCOUNTS = 1024  # that one call may ask for
MARKETS = 64
BATCH = 1024  # of positions or orders

_WIDTH = 3  # words of a position: id, position, settings


class Page(NamedTuple):
    """One answer of the lens.

    Attributes:
        moment: Of which block it is, the house, and how many markets are listed.
        accounts: Those that it finished.
        words: Of each of them its word, then three of each of its positions.
        markets: Some of the markets.
    """

    moment: Mapping[str, int]
    accounts: tuple[str, ...]
    words: tuple[int, ...]
    markets: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Some accounts and markets of the exchange, all at one block.

    Attributes:
        number: The block's, as contracts see it: on some rollups that of the chain beneath.
        timestamp: The block's, seconds.
        market_count: How many markets are listed.
        state: What was read: the house, accounts with their open positions and their settings in
            these positions' markets, markets. Nothing else.
        markets: The listed ones among those that were read, by id.
    """

    number: int
    timestamp: int
    market_count: int
    state: ExchangeState
    markets: Mapping[int, MarketState]

    def market_state(self, market: int) -> MarketState:
        """A market's state.

        Raises:
            MarketUnknown: If it is not listed, or was not read.
        """
        if market not in self.markets:
            raise errors.MarketUnknown
        return self.markets[market]

    def account_view(self, address: str) -> AccountView:
        """An account with all its positions.

        Raises:
            KeyError: If it was not read.
        """
        account = to_checksum_address(address)
        word = self.state.accounts[account]
        # The word counts vaults without naming them.
        in_vaults = [
            (market, slot)
            for market in (self.markets if word.vaults else ())
            for slot in (words.ISOLATED_LONG, words.ISOLATED_SHORT)
            if (account, market, slot) in self.state.positions
        ]
        return accounts.account_view(
            address,
            word,
            {key: self.state.positions[account, *key] for key in valuation.leg_keys(word)},
            {key: self.state.positions[account, *key] for key in in_vaults},
            self.markets,
            self.timestamp,
        )


def accounts_page(addresses: Sequence[str], answer: tuple[Any, ...]) -> Page:
    """The answer to a call of `accounts`."""
    moment, finished, found, markets = answer
    return Page(moment, tuple(addresses[:finished]), found, markets)


def markets_page(answer: tuple[Any, ...]) -> Page:
    """The answer to a call of `markets` or `markets_from`."""
    moment, markets = answer
    return Page(moment, (), (), markets)


def unread_markets(pages: Iterable[Page]) -> tuple[int, ...]:
    """The markets that positions are in and that no page has."""
    touched: set[int] = set()
    read: set[int] = set()
    for page in pages:
        read.update(market["market"] for market in page.markets)
        for _, held in _holdings(page):
            touched.update(words.split_position_id(one[0])[1] for one in held)
    return tuple(sorted(touched - read))


def snapshot_of(pages: Sequence[Page], liquidity_pool: str) -> Snapshot:
    """All that some pages say.

    Args:
        pages: At least one; of one block.
        liquidity_pool: The pool's address.

    Raises:
        MovedOn: If they are of several blocks.
    """
    moment = pages[0].moment
    if any(page.moment != moment for page in pages):
        raise errors.MovedOn("the node answered parts of one question at several blocks")
    state = ExchangeState(liquidity_pool, house=words.unpack_house(moment["house"]))
    markets: dict[int, MarketState] = {}
    for page in pages:
        for found in page.markets:
            if found["symbol"] and found["market"] not in markets:
                _take_market(state, found)
                markets[found["market"]] = _market_state(found, moment["timestamp"])
        for (address, word), held in _holdings(page):
            account = to_checksum_address(address)
            state.accounts[account] = words.unpack_account(word)
            for id, position, settings in held:  # noqa: A001 - the contract's word
                _, market, slot = words.split_position_id(id)
                state.positions[account, market, slot] = words.unpack_position(position)
                state.settings[account, market] = words.unpack_settings(settings)
    return Snapshot(
        moment["block_number"], moment["timestamp"], moment["market_count"], state, markets
    )


def _holdings(page: Page) -> Iterator[tuple[tuple[str, int], list[tuple[int, int, int]]]]:
    """A page's accounts with their words, and the three words of each of their positions."""
    at = 0
    for address in page.accounts:
        word = page.words[at]
        account = words.unpack_account(word)
        end = at + 1 + _WIDTH * (account.legs.bit_count() + account.vaults)
        held = page.words[at + 1 : end]
        yield (address, word), list(zip(held[::3], held[1::3], held[2::3], strict=True))
        at = end


def _take_market(state: ExchangeState, found: Mapping[str, Any]) -> None:
    market: int = found["market"]
    state.take_market(market, found["symbol"], found["lot_size"], found["state"], found["price"])
    state.order_terms[market] = words.unpack_order_terms(found["order_terms"])


def _market_state(found: Mapping[str, Any], now: int) -> MarketState:
    shape = market_of(found["market"], found["symbol"], found["lot_size"], found["state"])
    return state_of(shape, found["state"], found["price"], now, is_latest=bool(found["is_latest"]))
