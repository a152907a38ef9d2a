"""The whole state rebuilt from the logs alone, without one call.

Every event carries the words it left behind, or an amount to add; folding them in order gives
what the contracts hold, bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from bulkhead.interfaces import Event
from bulkhead.markets import OPEN, tier_words
from bulkhead.orders import NO_GROUP, OrderStatus
from bulkhead.protocol import words
from bulkhead.state import NO_ACCOUNT, ExchangeState, Slot

Struct = TypeVar("Struct", words.TradeTerms, words.LiquidationTerms, words.OrderTerms)


def positions_of(event: Event) -> dict[Slot, int]:
    """The words of the positions that an event carries."""
    arguments = event.arguments
    found: dict[int, int] = {}
    if "position_word" in arguments:
        found[event["slot"]] = event["position_word"]
    if event.name == "PositionConverted":
        found[event["slot"] ^ 2] = event["target_word"]
    if event.name == "PairNetted":
        found[words.CROSS_LONG] = event["long_position_word"]
        found[words.CROSS_SHORT] = event["short_position_word"]
    return {(event["account"], event["market"], slot): word for slot, word in found.items()}


@dataclass(slots=True)
class LedgerReplay(ExchangeState):
    """What the exchange holds, but for orders, according to its logs. Takes them in their order.

    It may begin anywhere with what it held there: no event asks for an earlier one.
    """

    def take_all(self, events: Iterable[Event]) -> None:
        """Takes in events, in their order."""
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Takes in one event: first the words it carries, then what it says and pays."""
        arguments = event.arguments
        if "account_word" in arguments:
            self.accounts[event["account"]] = words.unpack_account(event["account_word"])
        for slot, word in positions_of(event).items():
            self.positions[slot] = words.unpack_position(word)
        if "settings_word" in arguments:
            key = (event["account"], event["market"])
            self.settings[key] = words.unpack_settings(event["settings_word"])
        if "side_word" in arguments:
            self._store_side(event["market"], event["slot"] % 2 == 0, event["side_word"])
        if "long_word" in arguments:
            self._store_side(event["market"], True, event["long_word"])
            self._store_side(event["market"], False, event["short_word"])
        if "market_word" in arguments:
            self.markets[event["market"]] = words.unpack_market(event["market_word"])
        if "price_word" in arguments:
            self.prices[event["market"]] = words.unpack_price(event["price_word"])
        if "check_word" in arguments:
            self.checks[event["market"]] = event["check_word"]
        if "settlement_word" in arguments:
            self.settlements[event["market"]] = event["settlement_word"]
        if "sequencer_word" in arguments:
            self.sequencer = event["sequencer_word"]
        if "house_word" in arguments:
            self.house = words.unpack_house(event["house_word"])
        if event.name in ("TiersRamped", "TiersReplaced"):
            self.tiers[event["market"]] = (event["first_word"], event["second_word"])
        if event.name == "TiersRamped":
            self.ramps[event["market"]] = (
                event["ramp_word"],
                event["first_before_word"],
                event["second_before_word"],
            )
        if event.name == "InsuranceRequested":
            self.insurance_request = (event["amount"], event["claimable_at"])
        if event.name == "InsuranceWithdrawn":
            self.insurance_request = (0, 0)
        if event.name in ("MarketListed", "TermsChanged", "StatusChanged", "OrderTermsSet"):
            self._set_terms(event)
        self._permit(event)
        self._pay(event)

    def _set_terms(self, event: Event) -> None:
        market: int = event["market"]
        match event.name:
            case "MarketListed":
                self.symbols[market], self.lot_sizes[market] = event["symbol"], event["lot_size"]
                self.tiers[market] = tier_words(words.Tier(**tier) for tier in event["tiers"])
                self._store_terms(market, OPEN, event["terms"])
            case "TermsChanged":
                self._store_terms(market, self.trade_terms[market].status, event["terms"])
            case "StatusChanged":
                terms = self.trade_terms[market]
                self.trade_terms[market] = replace(terms, status=event["status"])
            case "OrderTermsSet":
                self.order_terms[market] = _of(words.OrderTerms, event.arguments)

    def _pay(self, event: Event) -> None:
        match event.name:
            case "OrderPlaced":
                state = words.unpack_order_state(event["order_word"])
                if state.escrowed:
                    self._add(event["account"], -state.keeper_fee, state.keeper_fee)
            case "OrderExecuted":
                self._add(event["keeper"], event["keeper_fee"])
            case "BuilderPaid":
                self._add(event["builder"], event["builder_fee"])
                self._add(event["referrer"], event["referral"])
            case "OrderCancelled":
                self._add(event["account"], 0, -event["keeper_fee"])
                self._add(event["receiver"], event["keeper_fee"])
            case "LiquidatorPaid":
                self._add(event["liquidator"], event["amount"])
            case "LiquidityRemoved":
                self._add(self.liquidity_pool, event["amount"])

    def _add(self, address: str, cash: int, escrow: int = 0) -> None:
        if cash or escrow:
            old = self.accounts.get(address, NO_ACCOUNT)
            self.accounts[address] = replace(old, cash=old.cash + cash, escrow=old.escrow + escrow)

    def _permit(self, event: Event) -> None:
        match event.name:
            case "OperatorSet" if (
                "operator_word" in event.arguments
            ):  # the pool has such an event, too
                key = (event["account"], event["operator"])
                self.operators[key] = words.unpack_operator(event["operator_word"])
            case "NoncesSpent":
                self.nonces[event["signer"], event["index"]] = event["nonce_word"]
            case "BuilderApproved":
                key = (event["account"], event["builder"])
                self.max_builder_fees[key] = event["max_fee"]
            case "ReferralShareSet":
                self.referral_shares[event["builder"]] = event["share"]
            case "ReferrerSet":
                self.referrers[event["account"]] = event["referrer"]

    def _store_terms(self, market: int, status: int, terms: Mapping[str, Any]) -> None:
        self.trade_terms[market] = _of(words.TradeTerms, {**terms, "status": status})
        self.liquidation_terms[market] = _of(words.LiquidationTerms, terms)

    def _store_side(self, market: int, is_long: bool, word: int) -> None:
        self.sides[market, is_long] = words.unpack_side(word)


@dataclass(frozen=True, slots=True)
class Placement:
    """What an order's later events do not repeat."""

    account: str
    placer: str
    market: int
    group: bytes


@dataclass(slots=True)
class Replay(LedgerReplay):
    """What the exchange holds, according to its logs from the first on. Takes them in order.

    Attributes:
        placements: Of every order, by its hash.
    """

    placements: dict[bytes, Placement] = field(default_factory=dict)
    # Market, lots opened and generation, by the hash of an order whose execution is yet to be told.
    _fills: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Takes in one event."""
        LedgerReplay.take(self, event)
        match event.name:
            case "PositionIncreased":
                position = words.unpack_position(event["position_word"])
                fill = (event["market"], event["size"], position.generation)
                self._fills[event["order_hash"]] = fill
            case "PositionDecreased":
                self._fills[event["order_hash"]] = (event["market"], 0, 0)
            case "OrderPlaced":
                state = words.unpack_order_state(event["order_word"])
                self.orders[event["order_hash"]] = state
                order = event["order"]
                self.placements[event["order_hash"]] = Placement(
                    order["account"], order["placer"], order["market"], order["group"]
                )
            case "OrderRatcheted":
                state = words.unpack_order_state(event["order_word"])
                self.orders[event["order_hash"]] = state
            case "OrderExecuted":
                self._execute(event["order_hash"])
            case "OrderCancelled":
                ended = self.orders[event["order_hash"]]
                cancelled = replace(ended, status=int(OrderStatus.CANCELLED))
                self.orders[event["order_hash"]] = cancelled

    def _execute(self, order_hash: bytes) -> None:
        """An order has filled, and says so after the positions that it changed."""
        market, filled, generation = self._fills.pop(order_hash)
        state = self.orders[order_hash]
        self.orders[order_hash] = replace(
            state,
            status=int(OrderStatus.EXECUTED),
            executable_from=self.prices[market].published_at + 1,
            filled=filled,
            generation=generation,
        )
        order = self.placements[order_hash]
        if state.is_child:
            self.orders[order.group] = replace(self.orders[order.group], is_spent=True)
        elif order.group != NO_GROUP:
            self.done_groups.add((order.account, order.placer, order.group))


def _of(struct: type[Struct], table: Mapping[str, Any]) -> Struct:
    """A struct from a table that may hold more than its fields."""
    return struct(**{one.name: table[one.name] for one in fields(struct)})
