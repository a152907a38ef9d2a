"""Prices that are not in the oracle yet: what bringing them would make of each market.

A feed may be ahead of the oracle, and nobody pays to bring every price there is. So a keeper tries
an update without a transaction, decides at what it would leave, and brings the price only where
there is something to do at it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bulkhead.errors import Refused
from bulkhead.keeper.planning import Sight
from bulkhead.markets import MarketState, state_at
from bulkhead.protocol import words

if TYPE_CHECKING:
    from bulkhead.interfaces import Call
    from bulkhead.keeper.payloads.sources import PayloadSource
    from bulkhead.reader import AsyncReader


@dataclass(frozen=True, slots=True)
class Update:
    """A price that can be brought.

    Attributes:
        market: Whose.
        payload: What brings it.
        fee: Wei that its source asks for.
        state: The market as it would be with it.
    """

    market: int
    payload: bytes
    fee: int
    state: MarketState


class Foresight:
    """Finds what can be brought.

    Args:
        reader: The exchange.
        source: Where the updates of pull feeds come from.
        sender: Who would bring them.
    """

    def __init__(self, reader: AsyncReader, source: PayloadSource, sender: str) -> None:
        self._reader = reader
        self._source = source
        self._sender = sender

    async def updates(self, sight: Sight) -> dict[int, Update]:
        """The updates that would give a market of this sight a newer price, by market."""
        behind = {market: b"" for market, one in sight.states.items() if not one.is_latest}
        wanted = [market for market in sight.states if market not in behind]
        brought = await self._source.payloads(wanted)
        tried = [self._tried(sight, *one) for one in {**behind, **brought}.items()]
        found = await asyncio.gather(*tried)
        return {update.market: update for update in found if update is not None}

    async def _tried(self, sight: Sight, market: int, payload: bytes) -> Update | None:
        fee = await self._source.fee(market, payload)
        call = self._call(market, payload, fee)
        before = sight.states[market]
        try:
            word = await self._reader.chain.read(call, sight.at, sender=self._sender)
        except Refused:
            # What the oracle does not take leaves its market waiting, and no other.
            return None
        price = words.unpack_price(word)
        if price == before.price and before.is_latest:
            return None
        sides = (before.long, before.short)
        after = state_at(before.market, before.stored, sides, price, before.now)
        return Update(market, payload, fee, after)

    def _call(self, market: int, payload: bytes, fee: int) -> Call:
        call = self._reader.contracts.price_oracle.call("update", market, payload)
        return replace(call, value=fee)


def foreseen(sight: Sight, updates: Mapping[int, Update]) -> Sight:
    """What a sight would be with every update brought."""
    ahead = {market: one.state for market, one in updates.items()}
    return replace(sight, states={**sight.states, **ahead})


def needed(needs: Iterable[int], updates: Mapping[int, Update]) -> Collection[Update]:
    """The updates that something which needs some markets waits for."""
    return [updates[market] for market in sorted(set(needs)) if market in updates]
