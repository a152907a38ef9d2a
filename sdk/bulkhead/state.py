"""Everything the exchange holds, word by word, in plain tables.

Whatever knows the whole state keeps it in this one: the replay of the logs, the offline engine, the
index. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field, fields
from typing import Self

from bulkhead.protocol import words

Slot = tuple[str, int, int]  # account, market, slot

NO_ACCOUNT = words.Account(cash=0, legs=0, vaults=0, epoch=0, flags=0, escrow=0)
NO_HOUSE = words.House(pool_cash=0, insurance=0, fees=0, flags=0)
NO_SIDE = words.Side(size=0, basis=0)


@dataclass(slots=True)
class ExchangeState:
    """What the exchange holds.

    Attributes:
        liquidity_pool: The pool's address: what it may claim waits in its own account.
        accounts: By address.
        positions: By account, market and slot; closed slots keep their generation.
        settings: By account and market.
        sides: By market and whether it is the long one.
        markets: By id.
        trade_terms: By market.
        liquidation_terms: By market.
        tiers: By market: the two words of those above the first.
        ramps: By market: the ramp's word and those of the tiers before it.
        symbols: By market.
        lot_sizes: WAD base units per lot, by market.
        prices: By market.
        checks: By market: the words of what its prices are checked against.
        settlements: By market: the words of what its settlement has counted.
        sequencer: The word of the sequencer's uptime feed.
        orders: By hash, ended ones too.
        order_terms: By market.
        done_groups: Of which one order has filled, by account, placer and group.
        operators: By account and operator.
        nonces: The words of spent ones, by signer and index.
        max_builder_fees: Ppm, by account and builder.
        referral_shares: Ppm, by builder.
        referrers: By account.
        house: Pool cash, insurance, fees.
        insurance_request: The announced withdrawal from insurance, quote, and when it may be made.
    """

    liquidity_pool: str
    accounts: dict[str, words.Account] = field(default_factory=dict)
    positions: dict[Slot, words.Position] = field(default_factory=dict)
    settings: dict[tuple[str, int], words.Settings] = field(default_factory=dict)
    sides: dict[tuple[int, bool], words.Side] = field(default_factory=dict)
    markets: dict[int, words.Market] = field(default_factory=dict)
    trade_terms: dict[int, words.TradeTerms] = field(default_factory=dict)
    liquidation_terms: dict[int, words.LiquidationTerms] = field(default_factory=dict)
    tiers: dict[int, tuple[int, int]] = field(default_factory=dict)
    ramps: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    symbols: dict[int, str] = field(default_factory=dict)
    lot_sizes: dict[int, int] = field(default_factory=dict)
    prices: dict[int, words.Price] = field(default_factory=dict)
    checks: dict[int, int] = field(default_factory=dict)
    settlements: dict[int, int] = field(default_factory=dict)
    sequencer: int = 0
    orders: dict[bytes, words.OrderState] = field(default_factory=dict)
    order_terms: dict[int, words.OrderTerms] = field(default_factory=dict)
    done_groups: set[tuple[str, str, bytes]] = field(default_factory=set)
    operators: dict[tuple[str, str], words.Operator] = field(default_factory=dict)
    nonces: dict[tuple[str, int], int] = field(default_factory=dict)
    max_builder_fees: dict[tuple[str, str], int] = field(default_factory=dict)
    referral_shares: dict[str, int] = field(default_factory=dict)
    referrers: dict[str, str] = field(default_factory=dict)
    house: words.House = NO_HOUSE
    insurance_request: tuple[int, int] = (0, 0)

    def market_words(self, market: int) -> tuple[int, ...]:
        """A market's words, as `Clearinghouse.market_words` returns them."""
        return (
            words.pack_market(self.markets[market]),
            words.pack_side(self.sides.get((market, True), NO_SIDE)),
            words.pack_side(self.sides.get((market, False), NO_SIDE)),
            words.pack_trade_terms(self.trade_terms[market]),
            words.pack_liquidation_terms(self.liquidation_terms[market]),
            *self.tiers[market],
            *self.ramps.get(market, (0, 0, 0)),
        )

    def take_market(
        self, market: int, symbol: str, lot_size: int, found: Sequence[int], price_word: int
    ) -> None:
        """Puts in a market as it was read.

        Args:
            market: Its id.
            symbol: Its name.
            lot_size: WAD base units per lot.
            found: Its words, as `Clearinghouse.market_words` returns them.
            price_word: The oracle's.
        """
        state, long, short, trade_terms, liquidation_terms, first, second, *ramp = found
        self.symbols[market], self.lot_sizes[market] = symbol, lot_size
        self.markets[market] = words.unpack_market(state)
        self.sides[market, True] = words.unpack_side(long)
        self.sides[market, False] = words.unpack_side(short)
        self.trade_terms[market] = words.unpack_trade_terms(trade_terms)
        self.liquidation_terms[market] = words.unpack_liquidation_terms(liquidation_terms)
        self.tiers[market] = (first, second)
        self.ramps[market] = (ramp[0], ramp[1], ramp[2])
        self.prices[market] = words.unpack_price(price_word)

    def copy(self) -> Self:
        """The same tables, to go on from; what they hold is never changed in place."""
        twin = copy(self)
        for one in fields(self):
            table = getattr(self, one.name)
            if isinstance(table, dict | set):
                setattr(twin, one.name, table.copy())
        return twin

    def margins(self) -> int:
        """Quote units in all isolated positions together."""
        return sum(
            position.margin
            for (_, _, slot), position in self.positions.items()
            if slot >= words.ISOLATED_LONG
        )
