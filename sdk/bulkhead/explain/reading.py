"""Reads from a chain what an explanation needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bulkhead import queries, valuation
from bulkhead.explain.liquidation import Face, told
from bulkhead.explain.tale import Explanation
from bulkhead.protocol import words
from bulkhead.replay import LedgerReplay

if TYPE_CHECKING:
    from bulkhead.chain import Query
    from bulkhead.contracts import Contracts
    from bulkhead.interfaces import Event
    from bulkhead.reader import Reader

LIQUIDATIONS = ("MarginToppedUp", "PairNetted", "PositionLiquidated")


def explain_liquidation(reader: Reader, transaction: str) -> Explanation:
    """Explains the liquidations of a transaction.

    Args:
        reader: The exchange, on a node that still has the state of the block before.
        transaction: Its hash.

    Raises:
        NotFound: If no such transaction is mined.
        ValueError: If it liquidated nothing.
    """
    receipt = reader.chain.receipt(transaction)
    at = reader.block(receipt.block)
    order = reader.chain.transactions(at.number)
    before = order[: order.index(receipt.transaction)]
    events = reader.events(at.number, at.number)
    mine = [event for event in events if event.transaction == receipt.transaction]
    # Log indices are no order on eth-tester, where every transaction's begin at zero.
    earlier = [event for one in before for event in events if event.transaction == one]
    due = [event for event in mine if event.name in LIQUIDATIONS]
    if not due:
        raise ValueError(f"transaction {transaction} liquidated nothing")
    replay = LedgerReplay(reader.contracts.liquidity_pool.address)
    named = {event["market"] for event in (*earlier, *mine) if "market" in event.arguments}
    load = _load(reader.contracts, replay, due, named)
    markets = reader.chain.run(load, reader.block(at.number - 1))
    faces = {
        market: Face(state.market.symbol, state.market.lot_size, state.is_latest)
        for market, state in reader.market_states(markets, at).items()
    }
    replay.take_all(earlier)
    return told(replay, faces, mine, at.timestamp)


def _load(
    contracts: Contracts, replay: LedgerReplay, due: Iterable[Event], named: Iterable[int]
) -> Query[tuple[int, ...]]:
    """Fills a replay with the words that liquidations of some accounts need.

    Returns:
        The markets it knows.
    """
    house = contracts.clearinghouse
    accounts = sorted({event["account"] for event in due})
    found = yield (house.call("house_word"), *(house.call("account_word", one) for one in accounts))
    replay.house = words.unpack_house(found[0])
    markets = set(named)
    for account, word in zip(accounts, found[1:], strict=True):
        held = replay.accounts[account] = words.unpack_account(word)
        keys = set(valuation.leg_keys(held))
        mine = (event for event in due if event["account"] == account)
        keys |= {(one["market"], one["slot"]) for one in mine if "slot" in one.arguments}
        positions = yield from queries.positions(contracts, account, sorted(keys))
        replay.positions |= {(account, *key): one for key, one in positions.items()}
        markets |= {market for market, _ in keys}
        for market in sorted({market for market, _ in keys}):
            settings = yield from queries.settings(contracts, account, market)
            replay.settings[account, market] = settings.word
    known = tuple(sorted(markets))
    found = yield tuple(
        call
        for market in known
        for call in (
            house.call("market_words", market),
            contracts.price_oracle.call("price_word", market),
        )
    )
    for market, market_words, price_word in zip(known, found[::2], found[1::2], strict=True):
        replay.store_market(market, market_words)
        replay.prices[market] = words.unpack_price(price_word)
    return known
