"""Markets, prices and positions out of thin air: what screens and decisions are compared on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from eth_utils.address import to_checksum_address

from bulkhead import decisions, valuation
from bulkhead.decisions import CrossLedger, Vault
from bulkhead.keeper.screening import Candidates, LiquidationIndex
from bulkhead.markets import Market, MarketState, tier_words
from bulkhead.protocol import words
from bulkhead.protocol.margin_math import Tiers
from bulkhead.protocol.words import Account, Position, Ramp, Side, Tier

NOW = 1_000_000_000
FRESH = 60  # seconds a price may be old to liquidate at
LIVE = 3_600  # seconds a price may be old to count as live
TIERS = (Tier(0, 5_000, 10_000), Tier(100, 10_000, 20_000), Tier(1_000, 25_000, 50_000))
NO_ACCOUNT = words.unpack_account(0)


def state_of(
    price: int,
    index: int = 0,
    *,
    tiers: tuple[Tier, ...] = TIERS,
    ramp: tuple[Ramp, tuple[Tier, ...]] | None = None,
    now: int = NOW,
    **of_price: int,
) -> MarketState:
    """A market at a price, femto per lot; what its price's word says besides, by name."""
    before = None
    if ramp:
        first = ramp[1][0]
        before = Tiers(first.maintenance_rate, first.initial_rate, *tier_words(ramp[1]))
    market = Market(
        id=0,
        symbol="M-PERP",
        lot_size=10**10,
        terms=words.unpack_trade_terms(0),
        liquidation_terms=words.unpack_liquidation_terms(0),
        tiers=tiers,
        ramp=ramp[0] if ramp else None,
        tiers_before=before,
    )
    live = {"published_at": now, "trade_age": FRESH, "max_age": LIVE, "kind": words.PYTH}
    funding = replace(words.unpack_market(0), funding_index=index)
    return MarketState(
        market=market,
        price=replace(words.unpack_price(0), price=price, **(live | of_price)),
        funding=funding,
        stored=funding,
        long=Side(0, 0),
        short=Side(0, 0),
        now=now,
    )


def position_of(size: int, entry: int, margin: int = 0, index: int = 0) -> Position:
    return Position(size, entry, margin, 1, index)


def address_of(number: int) -> str:
    return str(to_checksum_address(f"0x{number:040x}"))


@dataclass
class Held:
    """Accounts and positions as plain dictionaries, and the index that was told of them."""

    accounts: dict[str, Account] = field(default_factory=dict)
    positions: dict[tuple[str, int, int], Position] = field(default_factory=dict)
    index: LiquidationIndex = field(default_factory=LiquidationIndex)

    def set_cash(self, account: str, cash: int, escrow: int = 0) -> None:
        word = replace(NO_ACCOUNT, cash=cash, escrow=escrow)
        self.accounts[account] = word
        self.index.set_account(account, word)

    def set_position(self, account: str, market: int, slot: int, position: Position) -> None:
        self.accounts.setdefault(account, NO_ACCOUNT)
        self.positions[account, market, slot] = position
        if not position.size:
            del self.positions[account, market, slot]
        self.index.set_position(account, market, slot, position)

    def reload(self) -> None:
        self.index.load(self.accounts, self.positions)

    @property
    def vaults(self) -> list[Vault]:
        return [Vault(*key, one) for key, one in self.positions.items() if key[2] >= 2]

    @property
    def ledgers(self) -> list[CrossLedger]:
        found: dict[str, dict[tuple[int, int], Position]] = {}
        for (account, market, slot), position in self.positions.items():
            if slot < 2:
                found.setdefault(account, {})[market, slot] = position
        return [CrossLedger(one, self.accounts[one], legs) for one, legs in found.items()]

    def is_due(self, states: Mapping[int, MarketState]) -> bool:
        """Whether anything is liquidatable."""
        return bool(
            decisions.liquidatable_isolated(self.vaults, states)
            or decisions.liquidatable_cross(self.ledgers, states)
        )

    def check(self, states: Mapping[int, MarketState], limit: int = 1_000) -> Candidates:
        """What the index finds, once it has been seen to miss nothing."""
        found = self.index.candidates(states, states.keys(), limit)
        due = decisions.liquidatable_isolated(self.vaults, states)
        assert set(map(_name, due)) <= set(map(_name, found.vaults))
        assert set(found.vaults) <= set(self.vaults)
        owing = decisions.liquidatable_cross(self.ledgers, states)
        assert {one.account for one in owing} <= {one.account for one in found.ledgers}
        held = {one.account: one for one in self.ledgers}
        assert all(one == held[one.account] for one in found.ledgers)
        return found


def edge(is_due: Callable[[int], bool], low: int, high: int) -> int | None:
    """A price at which it turns, so that the one below gives another answer; None where none."""
    if is_due(low) == is_due(high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_due(middle) == is_due(high) else (middle, high)
    return high


def _name(vault: Vault) -> tuple[str, int, int]:
    assert valuation.is_isolated(vault.slot)
    return vault.account, vault.market, vault.slot
