"""Moves an open position between cross and isolated margin: `modules/conversion.vy`.

Size, entry and funding go along, so that the account is worth what it was.
"""

from dataclasses import dataclass, replace

from bulkhead import valuation
from bulkhead.markets import MarketState
from bulkhead.protocol import margin_math, position_math, price_validity, words
from bulkhead.protocol.fixed_point import FEMTO, quote_up
from bulkhead.protocol.words import Account, Position
from bulkhead.simulate import cross_margin, fills
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger
from bulkhead.valuation import CLOSED, is_long, slot_of


@dataclass(frozen=True, slots=True)
class Move:
    """A position and where it goes."""

    account: str
    slot: int  # where the position is
    state: MarketState
    owner: Account
    source: Position
    target: Position  # what the other slot holds already

    @property
    def market(self) -> int:
        """Where."""
        return self.state.market.id


def convert_position(
    ledger: Ledger, account: str, market: int, is_long: bool, to_isolated: bool, amount: int
) -> None:
    """Moves a whole position to the other margin mode."""
    if to_isolated:
        _to_isolated(ledger, account, market, is_long, amount)
    else:
        require(amount == 0, "margin: not for cross")
        _to_cross(ledger, account, market, is_long)


def _to_isolated(ledger: Ledger, account: str, market: int, is_long: bool, amount: int) -> None:
    """The margin comes out of what is withdrawable without the leg.

    Its profit stays behind as profit of the vault, and backs nothing.
    """
    move = _open(ledger, account, market, slot_of(isolated=False, long=is_long))
    leverage = margin_math.isolated_leverage(ledger.settings(account, market), is_long)
    least = quote_up(_required(move, leverage, move.source))
    margin = amount or least
    require(margin >= least, "margin: below initial")

    owner = move.owner
    owner = replace(owner, legs=owner.legs ^ words.leg_bit(market, move.slot))
    if not move.target.size:
        owner = replace(owner, vaults=owner.vaults + 1)
        require(owner.vaults <= fills.MAX_VAULTS, "account: too many vaults")
    cross_margin.require_withdrawable(ledger, account, owner, margin)
    owner = replace(owner, cash=owner.cash - margin)
    merged = _merge(move)
    merged = replace(merged, margin=merged.margin + margin)
    require(merged.margin <= words.MAX_NOTIONAL, "margin: too large")
    require(merged.margin * FEMTO >= _required(move, leverage, merged), "margin: below initial")
    _store(ledger, move, merged, owner, margin)


def _to_cross(ledger: Ledger, account: str, market: int, is_long: bool) -> None:
    """The vault's margin becomes cash, its value the ledger's."""
    require(market < words.CROSS_MARKETS, "market: isolated only")
    move = _open(ledger, account, market, slot_of(isolated=True, long=is_long))
    owner = replace(
        move.owner, vaults=move.owner.vaults - 1, cash=move.owner.cash + move.source.margin
    )
    merged = _merge(move)
    if not move.target.size:
        owner = replace(owner, legs=owner.legs | words.leg_bit(market, move.slot ^ 2))
        require(words.count_bits(owner.legs) <= fills.MAX_LEGS, "account: too many legs")
        # The legs of a pair share one leverage.
        other = ledger.position(account, market, move.slot ^ 3)
        leverage = other.margin
        if not other.size:
            leverage = ledger.settings(account, market).cross_leverage
        merged = replace(merged, margin=leverage)
    _store(ledger, move, merged, owner, move.source.margin)
    legs = cross_margin.value_legs(ledger, account, owner.legs)
    cross_margin.require_firm(legs.is_firm)
    require(owner.cash * FEMTO + legs.worth >= legs.initial, "margin: below initial")


def _open(ledger: Ledger, account: str, market: int, slot: int) -> Move:
    ledger.require_listed(market)
    state = ledger.market_state(market)
    cross_margin.require_firm(
        state.is_firm and not price_validity.is_settling(state.price, ledger.now)
    )
    owner = ledger.account(account)
    source = ledger.position(account, market, slot)
    require(source.size != 0, "position: not open")
    if not owner.flags & words.FLAG_HEDGE:
        other = ledger.position(account, market, slot ^ 3)
        require(other.size == 0, "position: other side open")
    return Move(account, slot, state, owner, source, ledger.position(account, market, slot ^ 2))


def _required(move: Move, leverage: int, position: Position) -> int:
    """The margin a vault with this position needs, in femto: initial margin, and its loss."""
    notional = position.size * move.state.price.price
    worth = valuation.value_of(move.state, move.slot, position)
    return margin_math.initial_margin(notional, leverage, move.state.tiers) - min(worth, 0)


def _merge(move: Move) -> Position:
    """The target with the source added, its own margin or leverage kept."""
    source, target = move.source, move.target
    require(
        target.size + source.size <= words.MAX_SIZE
        and target.entry_notional + source.entry_notional <= words.MAX_NOTIONAL,
        "size: too large",
    )
    return position_math.increase(
        target, is_long(move.slot), source.size, source.entry_notional, source.funding_index
    )


def _store(ledger: Ledger, move: Move, merged: Position, owner: Account, margin: int) -> None:
    account, market, slot = move.account, move.market, move.slot
    ended = replace(CLOSED, generation=position_math.next_generation(move.source))
    # The mean of two funding indices is rounded: the side keeps the sum of what its positions say.
    side = fills.replaced(ledger.side(market, is_long(slot)), move.source, ended)
    side = fills.replaced(side, move.target, merged)
    ledger.log(
        "PositionConverted",
        account=account,
        market=market,
        slot=slot,
        size=move.source.size,
        margin=margin,
        position_word=ledger.store_position(account, market, slot, ended),
        target_word=ledger.store_position(account, market, slot ^ 2, merged),
        account_word=ledger.store_account(account, owner),
        side_word=ledger.store_side(market, is_long(slot), side),
    )
