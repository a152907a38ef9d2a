# pragma version 0.4.3
"""
@title Liquidation
@license MIT
@notice Closes what can no longer carry itself, at the mark price and without impact. The penalty
        shrinks rather than cause a deficit; a deficit is paid by insurance, then by the pool,
        never by another position, account or vault.
"""

from ..interfaces import ILiquidation
from ..lib import fixed_point
from ..lib import house_math
from ..lib import liquidation_math
from ..lib import market_math
from ..lib import position_math
from ..lib import words
from . import cross_margin
from . import fills
from . import ledger
from . import markets

uses: cross_margin
uses: ledger
uses: markets

MAX_VAULTS: constant(uint256) = 64  # in one batch
MAX_ACCOUNTS: constant(uint256) = 32


struct Leg:
    account: address
    market: uint256
    slot: uint256
    position: words.Position
    price: uint256  # mark, femto per lot
    state: words.Market  # accrued
    equity: int256  # quote, what the penalty may draw on
    liquidator: address


@internal
def _liquidate_isolated(ids: DynArray[uint256, MAX_VAULTS], liquidator: address) -> uint256:
    rewards: uint256 = 0
    closed: uint256 = 0
    for id: uint256 in ids:
        leg: Leg = empty(Leg)
        leg.account, leg.market, leg.slot = words.split_position_id(id)
        leg.position = ledger._position(id)
        if leg.slot < words.ISOLATED_LONG or leg.position.size == 0:
            continue
        price: words.Price = markets._price(leg.market)
        if not markets._is_fresh(price):
            continue
        leg.price = price.price
        leg.state = markets._accrued(leg.market, price)
        vault: cross_margin.Valuation = cross_margin._value_vault(
            leg.market, leg.state, leg.price, leg.slot, leg.position
        )
        if not liquidation_math.is_liquidatable(vault.worth, vault.maintenance):
            continue
        leg.equity = fixed_point.quote_down(vault.worth)
        leg.liquidator = liquidator
        account: words.Account = ledger._account(leg.account)
        account.vaults -= 1
        account.cash += max(leg.equity, 0)
        reward: uint256 = 0
        account, reward = self._close(
            leg,
            account,
            leg.equity - convert(leg.position.margin, int256),
            convert(max(-leg.equity, 0), uint256),
        )
        ledger._store_account(leg.account, account)
        rewards += reward
        closed += 1
    self._reward(liquidator, rewards)
    return closed


@internal
def _liquidate_cross(accounts: DynArray[address, MAX_ACCOUNTS], liquidator: address) -> uint256:
    rewards: uint256 = 0
    closed: uint256 = 0
    for account: address in accounts:
        state: words.Account = ledger._account(account)
        if state.legs == 0:
            continue
        legs: cross_margin.Valuation = cross_margin._value_legs(account, state.legs)
        equity: int256 = (
            state.cash + convert(state.escrow, int256)
        ) * fixed_point.FEMTO_INT + legs.worth
        if not legs.is_current or not liquidation_math.is_liquidatable(
            equity, legs.maintenance
        ):
            continue
        after: words.Account = empty(words.Account)
        reward: uint256 = 0
        after, reward = self._close_legs(
            account, state, fixed_point.quote_down(equity), liquidator
        )
        if after.legs == state.legs:
            continue
        self._settle_account(account, after)
        rewards += reward
        closed += 1
    self._reward(liquidator, rewards)
    return closed


@internal
def _close_legs(
    account: address, state: words.Account, equity: int256, liquidator: address
) -> (words.Account, uint256):
    """
    @notice Closes every leg whose price is fresh. Their penalties draw on one equity.
    """
    after: words.Account = state
    rewards: uint256 = 0
    left: int256 = equity
    legs: uint256 = state.legs
    for _: uint256 in range(fills.MAX_LEGS):
        if legs == 0:
            break
        index: uint256 = words.lowest_bit_index(legs)
        legs ^= 1 << index
        market: uint256 = index >> 1
        price: words.Price = markets._price(market)
        if not markets._is_fresh(price):
            continue
        leg: Leg = Leg(
            account=account,
            market=market,
            slot=index & 1,
            position=ledger._position(words.position_id(account, market, index & 1)),
            price=price.price,
            state=markets._accrued(market, price),
            equity=left,
            liquidator=liquidator,
        )
        realised: int256 = fixed_point.quote_down(
            position_math.value_of(
                leg.position, leg.slot == 0, leg.price, leg.state.funding_index
            )
        )
        before: int256 = after.cash + realised
        after.legs ^= 1 << index
        after.cash = before
        reward: uint256 = 0
        after, reward = self._close(leg, after, realised, 0)
        left -= before - after.cash
        rewards += reward
    return after, rewards


@internal
def _close(
    leg: Leg, account: words.Account, realised: int256, deficit: uint256
) -> (words.Account, uint256):
    """
    @notice Ends one position at the mark price: takes the penalty from its account's cash, pays
            it out, and settles with the house.
    @param account With the position's end already counted, but for the penalty.
    @param realised Quote, what the pool owes the position.
    @param deficit Quote, what a vault lost beyond its margin.
    @return The account less the penalty, and the liquidator's reward.
    """
    after: words.Account = account
    is_long: bool = leg.slot & 1 == 0
    house: words.House = ledger._load_house()
    penalty: uint256 = 0
    reward: uint256 = 0
    top_up: uint256 = 0
    penalty, reward, top_up = liquidation_math.split_penalty(
        leg.equity,
        unsafe_mul(leg.position.size, leg.price),
        markets._liquidation_terms(leg.market),
    )
    after.cash -= convert(penalty, int256)
    house.insurance += penalty - reward
    top_up = min(top_up, house.insurance)
    house.insurance -= top_up
    reward += top_up
    house.pool_cash -= realised
    house = house_math.cover_deficit(house, deficit)

    ended: words.Position = empty(words.Position)
    ended.generation = position_math.next_generation(leg.position)
    position_word: uint256 = ledger._store_position(
        words.position_id(leg.account, leg.market, leg.slot), ended
    )
    side: words.Side = fills._replace(
        markets._side(leg.market, is_long), leg.position, ended
    )
    side_word: uint256 = markets._store_side(leg.market, is_long, side)
    market_word: uint256 = self._store_market(leg.market, leg.state, is_long, side.size)
    house_word: uint256 = ledger._store_house(house)
    log ILiquidation.PositionLiquidated(
        account=leg.account,
        market=leg.market,
        liquidator=leg.liquidator,
        slot=leg.slot,
        size=leg.position.size,
        price=leg.price,
        realised=realised,
        penalty=penalty,
        reward=reward,
        deficit=deficit,
        position_word=position_word,
        account_word=words.pack_account(after),
        side_word=side_word,
        market_word=market_word,
        house_word=house_word,
    )
    return after, reward


@internal
def _store_market(
    market: uint256, state: words.Market, is_long: bool, size: uint256
) -> uint256:
    """
    @notice Stores an accrued market with the drift that its new skew asks for.
    """
    terms: words.TradeTerms = markets._trade_terms(market)
    skew: int256 = market_math.skew_of(size, markets._side(market, not is_long).size)
    if not is_long:
        skew = -skew
    after: words.Market = state
    after.funding_drift = market_math.funding_drift(
        terms.funding_velocity, skew, terms.skew_scale
    )
    return markets._store_market(market, after)


@internal
def _settle_account(account: address, state: words.Account):
    """
    @notice Stores a liquidated account. With its last leg gone its debt goes too: its own escrow
            pays first, then insurance, then the pool.
    """
    if state.legs != 0 or state.cash >= 0:
        ledger._store_account(account, state)
        return
    after: words.Account = state
    debt: uint256 = convert(-state.cash, uint256)
    escrow: uint256 = min(debt, state.escrow)
    after.escrow -= escrow
    after.cash = 0
    account_word: uint256 = ledger._store_account(account, after)
    house_word: uint256 = ledger._store_house(
        house_math.cover_deficit(ledger._load_house(), debt - escrow)
    )
    log ILiquidation.DebtWrittenOff(
        account=account,
        escrow=escrow,
        deficit=debt - escrow,
        account_word=account_word,
        house_word=house_word,
    )


@internal
def _reward(liquidator: address, amount: uint256):
    if amount != 0:
        ledger._pay(liquidator, amount)
        log ILiquidation.LiquidatorPaid(liquidator=liquidator, amount=amount)
