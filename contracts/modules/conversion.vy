# pragma version 0.4.3
"""
@title Conversion
@license MIT
@notice Moves an open position between cross and isolated margin: size, entry and funding go along, so
        that the account is worth what it was.
"""

from ..interfaces import IIsolatedMargin
from ..lib import fixed_point
from ..lib import margin_math
from ..lib import position_math
from ..lib import price_validity
from ..lib import words
from . import cross_margin
from . import fills
from . import ledger
from . import markets

uses: cross_margin
uses: ledger
uses: markets


struct Move:
    account: address
    market: uint256
    slot: uint256  # where the position is
    is_long: bool
    price: words.Price
    state: words.Market  # accrued
    owner: words.Account
    source: words.Position
    target: words.Position  # what the other slot holds already


@internal
def _to_isolated(account: address, market: uint256, is_long: bool, amount: uint256):
    """
    @notice The margin comes out of what is withdrawable without the leg: its profit stays behind as
            profit of the vault, and backs nothing.
    """
    move: Move = self._open(
        account, market, words.CROSS_LONG if is_long else words.CROSS_SHORT, is_long
    )
    leverage: uint256 = margin_math.isolated_leverage(ledger._settings_of(account, market), is_long)
    least: uint256 = fixed_point.quote_up(self._required(move, leverage, move.source))
    margin: uint256 = amount if amount != 0 else least
    assert margin >= least, "margin: below initial"

    owner: words.Account = move.owner
    owner.legs ^= words.leg_bit(market, move.slot)
    if move.target.size == 0:
        owner.vaults += 1
        assert owner.vaults <= fills.MAX_VAULTS, "account: too many vaults"
    cross_margin._require_withdrawable(account, owner, margin)
    owner.cash -= convert(margin, int256)
    merged: words.Position = self._merge(move)
    merged.margin += margin
    assert merged.margin <= words.MAX_NOTIONAL, "margin: too large"
    assert merged.margin * fixed_point.FEMTO >= self._required(move, leverage, merged), (
        "margin: below initial"
    )
    self._store(move, merged, owner, margin)


@internal
def _to_cross(account: address, market: uint256, is_long: bool):
    """
    @notice The vault's margin becomes cash, its value the ledger's.
    """
    assert market < words.CROSS_MARKETS, "market: isolated only"
    move: Move = self._open(
        account, market, words.ISOLATED_LONG if is_long else words.ISOLATED_SHORT, is_long
    )
    owner: words.Account = move.owner
    owner.vaults -= 1
    owner.cash += convert(move.source.margin, int256)
    merged: words.Position = self._merge(move)
    if move.target.size == 0:
        owner.legs |= words.leg_bit(market, move.slot ^ 2)
        assert words.count_bits(owner.legs) <= fills.MAX_LEGS, "account: too many legs"
        # The legs of a pair share one leverage.
        other: words.Position = ledger._position(words.position_id(account, market, move.slot ^ 3))
        merged.margin = other.margin
        if other.size == 0:
            merged.margin = ledger._settings_of(account, market).cross_leverage
    self._store(move, merged, owner, move.source.margin)
    legs: cross_margin.Valuation = cross_margin._value_legs(account, owner.legs)
    cross_margin._require_firm(legs.is_firm)
    assert owner.cash * fixed_point.FEMTO_INT + legs.worth >= convert(
        legs.initial, int256
    ), "margin: below initial"


@internal
@view
def _open(account: address, market: uint256, slot: uint256, is_long: bool) -> Move:
    markets._require_listed(market)
    price: words.Price = markets._price(market)
    cross_margin._require_firm(
        markets._is_firm(market, price) and not price_validity.is_settling(price, block.timestamp)
    )
    owner: words.Account = ledger._account(account)
    source: words.Position = ledger._position(words.position_id(account, market, slot))
    assert source.size != 0, "position: not open"
    if owner.flags & words.FLAG_HEDGE == 0:
        other: words.Position = ledger._position(words.position_id(account, market, slot ^ 3))
        assert other.size == 0, "position: other side open"
    return Move(
        account=account,
        market=market,
        slot=slot,
        is_long=is_long,
        price=price,
        state=markets._accrued(market, price),
        owner=owner,
        source=source,
        target=ledger._position(words.position_id(account, market, slot ^ 2)),
    )


@internal
@view
def _required(move: Move, leverage: uint256, position: words.Position) -> uint256:
    """
    @notice The margin a vault with this position needs, in femto: initial margin, and its loss.
    """
    notional: uint256 = position.size * move.price.price
    worth: int256 = position_math.value_of(
        position, move.is_long, move.price.price, move.state.funding_index
    )
    return margin_math.initial_margin(
        notional, leverage, markets._tiers(move.market, move.state, notional)
    ) + fixed_point.magnitude(min(worth, 0))


@internal
@pure
def _merge(move: Move) -> words.Position:
    """
    @notice The target with the source added, its own margin or leverage kept.
    """
    assert move.target.size + move.source.size <= words.MAX_SIZE and (
        move.target.entry_notional + move.source.entry_notional <= words.MAX_NOTIONAL
    ), "size: too large"
    return position_math.increase(
        move.target,
        move.is_long,
        move.source.size,
        move.source.entry_notional,
        move.source.funding_index,
    )


@internal
def _store(move: Move, merged: words.Position, owner: words.Account, margin: uint256):
    ended: words.Position = empty(words.Position)
    ended.generation = position_math.next_generation(move.source)
    # The mean of two funding indices is rounded: the side keeps the sum of what its positions say.
    side: words.Side = fills._replace(markets._side(move.market, move.is_long), move.source, ended)
    side = fills._replace(side, move.target, merged)
    side_word: uint256 = markets._store_side(move.market, move.is_long, side)
    position_word: uint256 = ledger._store_position(
        words.position_id(move.account, move.market, move.slot), ended
    )
    target_word: uint256 = ledger._store_position(
        words.position_id(move.account, move.market, move.slot ^ 2), merged
    )
    account_word: uint256 = ledger._store_account(move.account, owner)
    log IIsolatedMargin.PositionConverted(
        account=move.account,
        market=move.market,
        slot=move.slot,
        size=move.source.size,
        margin=margin,
        position_word=position_word,
        target_word=target_word,
        account_word=account_word,
        side_word=side_word,
    )
