"""Accounts and positions as people look at them. Pure: built from words and market states."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bulkhead import valuation
from bulkhead.markets import Market, MarketState
from bulkhead.protocol import (
    fixed_point,
    liquidation_math,
    margin_math,
    position_math,
    price_bounds,
    words,
)
from bulkhead.protocol.price_bounds import Exposure
from bulkhead.protocol.words import Account, House
from bulkhead.protocol.words import Position as PositionWord
from bulkhead.valuation import Legs, Valuation
from bulkhead.values import femto_to_usd, from_ppm, to_usd


@dataclass(frozen=True, slots=True)
class Position:
    """One slot of an account in a market, valued.

    Attributes:
        account: Whose.
        state: Its market, at the moment of the valuation.
        slot: 0 cross long, 1 cross short, 2 isolated long, 3 isolated short.
        word: What the chain holds.
        liquidatable_below: Femto per lot: liquidatable at or below it; 0 if there is none.
        liquidatable_above: Femto per lot: liquidatable at or above it; None if there is none.
    """

    account: str
    state: MarketState
    slot: int
    word: PositionWord
    liquidatable_below: int
    liquidatable_above: int | None

    @property
    def market(self) -> Market:
        """Its market."""
        return self.state.market

    @property
    def id(self) -> int:
        """Its name in liquidations."""
        return words.position_id(int(self.account, 16), self.market.id, self.slot)

    @property
    def is_long(self) -> bool:
        """Its side."""
        return valuation.is_long(self.slot)

    @property
    def is_isolated(self) -> bool:
        """Its margin mode."""
        return valuation.is_isolated(self.slot)

    @property
    def size(self) -> Decimal:
        """Base units."""
        return self.market.size_of(self.word.size)

    @property
    def notional(self) -> Decimal:
        """USD, at the mark price."""
        return self.market.notional_of(self.word.size, self.state.price.price)

    @property
    def entry_price(self) -> Decimal:
        """USD per base unit, the average of its fills; 0 while closed."""
        if not self.word.size:
            return Decimal(0)
        return to_usd(self.word.entry_notional) / self.size

    @property
    def value(self) -> Decimal:
        """USD: unrealised PnL less funding owed."""
        return femto_to_usd(valuation.value_of(self.state, self.slot, self.word))

    @property
    def margin(self) -> Decimal:
        """USD assigned to it; 0 in a cross slot."""
        return to_usd(self.word.margin if self.is_isolated else 0)

    @property
    def vault(self) -> Valuation:
        """An isolated position's equity and requirements, femto."""
        return valuation.value_vault(self.state, self.slot, self.word)

    @property
    def equity(self) -> Decimal:
        """USD: margin and value; of a cross leg its value."""
        return femto_to_usd(self.vault.worth) if self.is_isolated else self.value

    @property
    def maintenance_margin(self) -> Decimal:
        """USD, of this position alone."""
        return femto_to_usd(self.vault.maintenance)

    @property
    def initial_margin(self) -> Decimal:
        """USD, of this position alone, by the tiers."""
        return femto_to_usd(self.vault.initial)

    @property
    def liquidation_price(self) -> Decimal | None:
        """USD per base unit, the one on the side where the position loses; None if none."""
        femto = self.liquidatable_below if self.is_long else self.liquidatable_above
        return self.market.price_of(femto) if femto else None

    @property
    def is_liquidatable(self) -> bool:
        """Whether its vault is; a cross leg is never on its own."""
        vault = self.vault
        return self.is_isolated and liquidation_math.is_liquidatable(vault.worth, vault.maintenance)


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account at one moment.

    Attributes:
        address: Whose.
        word: What the chain holds of its cross ledger.
        cross: Its cross positions.
        isolated: Its isolated positions.
        legs: The cross positions' valuation together, femto.
        now: The chain's time, seconds.
    """

    address: str
    word: Account
    cross: tuple[Position, ...]
    isolated: tuple[Position, ...]
    legs: Valuation
    now: int

    @property
    def positions(self) -> tuple[Position, ...]:
        """All open positions."""
        return self.cross + self.isolated

    @property
    def cash(self) -> Decimal:
        """USD, the cross ledger's money; may be negative while equity is not."""
        return to_usd(self.word.cash)

    @property
    def escrow(self) -> Decimal:
        """USD that waits for the keepers of pending orders."""
        return to_usd(self.word.escrow)

    @property
    def is_hedge(self) -> bool:
        """Whether orders name their position's side."""
        return bool(self.word.flags & words.FLAG_HEDGE)

    @property
    def cross_equity(self) -> Decimal:
        """USD: cash, escrow and the cross positions' value."""
        return femto_to_usd(valuation.cross_equity(self.word, self.legs))

    @property
    def equity(self) -> Decimal:
        """USD: all of it, vaults and escrow included."""
        vaults = sum(one.vault.worth for one in self.isolated)
        return femto_to_usd(valuation.cross_equity(self.word, self.legs) + vaults)

    @property
    def initial_margin(self) -> Decimal:
        """USD that the cross positions require to open more."""
        return femto_to_usd(self.legs.initial)

    @property
    def maintenance_margin(self) -> Decimal:
        """USD below which the cross ledger is liquidated."""
        return femto_to_usd(self.legs.maintenance)

    @property
    def free_collateral(self) -> Decimal:
        """USD that may leave the cross ledger: for a withdrawal, or into a vault."""
        return to_usd(valuation.withdrawable(self.word, self.legs))

    @property
    def margin_ratio(self) -> Decimal | None:
        """Maintenance margin / equity of the cross ledger; liquidatable at 1. None without legs."""
        if not self.legs.maintenance:
            return None
        equity = valuation.cross_equity(self.word, self.legs)
        return Decimal("Infinity") if equity <= 0 else Decimal(self.legs.maintenance) / equity

    @property
    def is_liquidatable(self) -> bool:
        """Whether its cross ledger is."""
        return liquidation_math.is_liquidatable(
            valuation.cross_equity(self.word, self.legs), self.legs.maintenance
        )

    def position(self, market: int, slot: int) -> Position | None:
        """The open position in a slot, or None."""
        for one in self.positions:
            if one.market.id == market and one.slot == slot:
                return one
        return None


@dataclass(frozen=True, slots=True)
class HouseView:
    """What belongs to no account."""

    word: House

    @property
    def pool_cash(self) -> Decimal:
        """USD of the liquidity pool, before what it owes traders."""
        return to_usd(self.word.pool_cash)

    @property
    def insurance(self) -> Decimal:
        """USD of the insurance fund."""
        return to_usd(self.word.insurance)

    @property
    def fees(self) -> Decimal:
        """USD that the treasury has not claimed."""
        return to_usd(self.word.fees)


@dataclass(frozen=True, slots=True)
class SettingsView:
    """An account's wishes for one market."""

    word: words.Settings

    @property
    def is_isolated_by_default(self) -> bool:
        """What DEFAULT means in its orders."""
        return self.word.isolated_by_default

    def leverage(self, *, is_isolated: bool, is_long: bool) -> Decimal:
        """Times; 0 for as much as the tiers allow, in cross."""
        if not is_isolated:
            return from_ppm(self.word.cross_leverage)
        return from_ppm(margin_math.isolated_leverage(self.word, is_long))


def vault_of(account: str, state: MarketState, slot: int, word: PositionWord) -> Position:
    """An isolated position, with its own liquidation prices."""
    long, short = word, valuation.CLOSED
    if not valuation.is_long(slot):
        long, short = short, long
    below, above = _bounds(state, long, short, word.margin * fixed_point.FEMTO)
    return Position(account, state, slot, word, below, above)


def account_view(
    address: str,
    word: Account,
    legs: Legs,
    vaults: Legs,
    states: Mapping[int, MarketState],
    now: int,
) -> AccountView:
    """An account from its words.

    Args:
        address: Whose.
        word: Its cross ledger.
        legs: Its open cross positions.
        vaults: Its open isolated positions.
        states: Every market either is in.
        now: The chain's time.
    """
    total = valuation.value_legs(legs, states)
    equity = valuation.cross_equity(word, total)
    cross = []
    for (market, slot), position in sorted(legs.items()):
        state = states[market]
        long = legs.get((market, words.CROSS_LONG), valuation.CLOSED)
        short = legs.get((market, words.CROSS_SHORT), valuation.CLOSED)
        pair = valuation.value_pair(state, long, short)
        elsewhere = total.maintenance - pair.maintenance
        below, above = _bounds(state, long, short, equity - pair.worth - elsewhere)
        cross.append(Position(address, state, slot, position, below, above))
    isolated = tuple(
        vault_of(address, states[market], slot, position)
        for (market, slot), position in sorted(vaults.items())
    )
    return AccountView(address, word, tuple(cross), isolated, total, now)


def _bounds(
    state: MarketState, long: PositionWord, short: PositionWord, backing: int
) -> tuple[int, int | None]:
    # Backing: femto, of what bears the legs' maintenance margin, without the legs' own value.
    exposure = Exposure(
        long_size=long.size,
        short_size=short.size,
        equity=backing
        + position_math.value_of(long, True, 0, 0)
        + position_math.value_of(short, False, 0, 0),
        funding_index=state.stored.funding_index,
        area=state.area,
    )
    lower, upper = price_bounds.liquidation_prices(exposure, state.tiers)
    return lower, None if upper == price_bounds.NO_PRICE else upper
