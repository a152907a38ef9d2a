"""The state read one word at a time and valued from that: what the snapshots must agree with."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bulkhead import valuation
from bulkhead.accounts import AccountView, account_view
from bulkhead.contracts import Contracts
from bulkhead.markets import MarketState, market_of, state_of
from bulkhead.protocol import words

if TYPE_CHECKING:
    from bulkhead.chain import Query


def market_states(
    contracts: Contracts, ids: Iterable[int], now: int
) -> "Query[dict[int, MarketState]]":
    """The states of listed markets."""
    states = {}
    for market in ids:
        symbol, lot_size, market_words, price, is_latest = yield (
            contracts.clearinghouse.call("market_symbol", market),
            contracts.price_oracle.call("lot_size", market),
            contracts.clearinghouse.call("market_words", market),
            contracts.price_oracle.call("price_word", market),
            contracts.price_oracle.call("is_latest", market),
        )
        shape = market_of(market, symbol, lot_size, market_words)
        states[market] = state_of(shape, market_words, price, now, is_latest=is_latest)
    return states


def account(contracts: Contracts, address: str, now: int) -> "Query[AccountView]":
    """An account, found by asking for every slot of every market."""
    word, count = yield (
        contracts.clearinghouse.call("account_word", address),
        contracts.clearinghouse.call("market_count"),
    )
    cross: dict[tuple[int, int], words.Position] = {}
    isolated: dict[tuple[int, int], words.Position] = {}
    for market in range(count):
        found = yield tuple(
            contracts.clearinghouse.call(
                "position_word", words.position_id(int(address, 16), market, slot)
            )
            for slot in range(4)
        )
        for slot, position in enumerate(map(words.unpack_position, found)):
            if position.size:
                kept = isolated if valuation.is_isolated(slot) else cross
                kept[market, slot] = position
    states = yield from market_states(contracts, valuation.markets_of([*cross, *isolated]), now)
    return account_view(address, words.unpack_account(word), cross, isolated, states, now)
