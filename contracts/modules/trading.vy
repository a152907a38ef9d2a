# pragma version 0.4.3
"""
@title Trading
@license MIT
@notice Fills one order at one price: first what it reduces, then what it increases. Everything is
        computed and checked before anything is stored, so a refusal is a value, not a revert.
@dev Unchecked where money, below 2**97 quote or 2**128 femto, is added up.
"""

from ..interfaces import ITrading
from ..lib import fixed_point
from ..lib import market_math
from ..lib import reasons
from ..lib import words
from . import cross_margin
from . import fills
from . import ledger
from . import markets
from . import trade_checks
from . import trade_plan

uses: cross_margin
uses: ledger
uses: markets
uses: trade_checks
uses: trade_plan


@internal
def _execute_trade(trade: ITrading.Trade) -> ITrading.Result:
    conditions: fills.Conditions = trade_plan._conditions(
        trade.market, trade.price_word, trade.builder_rate
    )
    desk: fills.Desk = trade_plan._open_desk(
        trade.account,
        conditions.long.size,
        conditions.short.size,
        trade.keeper_fee if trade.is_escrowed else 0,
    )
    unfilled: words.Account = desk.account
    keeper_fee: uint256 = desk.keeper_fee
    if trade.epoch != words.EPOCHS and trade.epoch != desk.account.epoch:
        # Its owner has ended it: the fee stays with him.
        return self._end(trade.account, unfilled, trade.account, keeper_fee, reasons.BY_OWNER)

    plan: trade_plan.Plan = trade_plan._plan(desk, conditions, trade)
    reduction: fills.Fill = empty(fills.Fill)
    increase: fills.Fill = empty(fills.Fill)
    reason: uint256 = plan.reason
    if reason == reasons.FILLED and plan.reduction.size != 0:
        reduction = fills._reduce(desk, conditions, plan.reduction)
        desk = reduction.desk
        if reduction.realised > 0 and (
            unsafe_add(desk.house.pool_cash, convert(desk.house.insurance, int256)) < 0
        ):
            reason = reasons.POOL_SHORT
    if reason == reasons.FILLED and plan.increase.size != 0:
        increase = fills._increase(desk, conditions, plan.increase)
        reason = fills._limit_reason(increase, conditions, desk.skew)
        desk = increase.desk
    if reason == reasons.FILLED:
        if not trade.is_isolated:
            if desk.account.legs != 0:
                held: int256 = unsafe_add(
                    unfilled.cash, convert(unsafe_add(unfilled.escrow, keeper_fee), int256)
                )
                if reduction.size == 0:
                    reduction.position = plan.reduction.position
                if increase.size == 0:
                    increase.position = plan.increase.position
                before: trade_checks.Legs = trade_checks._legs(
                    trade.is_buy, plan.reduction.position, plan.increase.position
                )
                after: trade_checks.Legs = trade_checks._legs(
                    trade.is_buy, reduction.position, increase.position
                )
                for _: uint256 in range(2):
                    reason = trade_checks._check_cross(
                        trade.account,
                        trade.market,
                        held,
                        desk.account,
                        conditions.market,
                        conditions.price,
                        before,
                        after,
                        increase.size != 0,
                        max(0, unsafe_sub(0, increase.impact)),
                    )
                    if reason != reasons.BELOW_INITIAL or (
                        increase.size != 0 or desk.keeper_fee == 0
                    ):
                        break
                    # The keeper's fee must not be what keeps a position from being closed.
                    desk.account.cash += convert(desk.keeper_fee, int256)
                    desk.keeper_fee = 0
        elif plan.increase.size != 0:
            reason = trade_checks._check_opened(
                trade.account,
                trade.market,
                unfilled.cash,
                desk.account,
                conditions.market,
                conditions.price,
                increase.slot,
                increase.position,
                increase.impact,
            )
        elif reduction.unpaid != 0:
            reason = reasons.BELOW_INITIAL
        elif reduction.from_vault != 0:
            reason = trade_checks._check_reduced(
                trade.market,
                conditions.market,
                conditions.price,
                plan.reduction.slot,
                plan.reduction.position,
                reduction.position,
            )
    if reason == reasons.FILLED:
        if (
            trade.is_isolated
            and trade.is_escrowed
            and desk.account.cash >= unfilled.cash
            and not self._may_leave(trade.account, desk.account, trade.keeper, desk.keeper_fee)
        ):
            # A vault that took nothing from the ledger: nothing has been asked of the ledger yet.
            desk.account.cash += convert(desk.keeper_fee, int256)
            desk.keeper_fee = 0
        conditions.market.funding_drift = market_math.funding_drift(
            conditions.terms.funding_velocity, desk.skew, conditions.terms.skew_scale
        )
        self._store(trade, conditions.market, conditions.price, desk, reduction, increase)
        return ITrading.Result(
            reason=reason,
            receiver=trade.keeper,
            keeper_fee=desk.keeper_fee,
            builder_fee=desk.builder_fee,
            filled=increase.size,
            generation=increase.position.generation if increase.size != 0 else 0,
        )
    if reasons.must_wait(reason):
        waiting: ITrading.Result = empty(ITrading.Result)
        waiting.reason = reason
        return waiting
    return self._end(trade.account, unfilled, trade.keeper, keeper_fee, reason)


@internal
def _end(
    account: address,
    unfilled: words.Account,
    receiver: address,
    keeper_fee: uint256,
    reason: uint256,
) -> ITrading.Result:
    ended: ITrading.Result = empty(ITrading.Result)
    ended.reason = reason
    ended.receiver = self._pay_unfilled(account, unfilled, receiver, keeper_fee)
    ended.keeper_fee = keeper_fee
    return ended


@internal
def _pay_unfilled(
    account: address, state: words.Account, keeper: address, keeper_fee: uint256
) -> address:
    """
    @notice Ends an order unfilled: nothing happens but that its keeper is paid from its escrow. With
            legs open only if the account's initial margin holds without it: else orders that must
            end would be a way out of the ledger. What may not leave returns to the account's cash.
    @param state The account's, with the fee taken out of its escrow.
    @return Who got the fee.
    """
    if keeper == account or not self._may_leave(account, state, keeper, keeper_fee):
        state.cash += convert(keeper_fee, int256)
        ledger._store_account(account, state)
        return account
    ledger._store_account(account, state)
    ledger._pay(keeper, keeper_fee)
    return keeper


@internal
@view
def _may_leave(
    account: address, state: words.Account, keeper: address, keeper_fee: uint256
) -> bool:
    """
    @notice Whether initial margin holds without a keeper's fee that has left the account's escrow.
    """
    if keeper_fee == 0 or keeper == account or state.legs == 0:
        return True
    legs: cross_margin.Valuation = cross_margin._value_legs(account, state.legs)
    return legs.is_firm and cross_margin._withdrawable(state.cash, legs) >= 0


@internal
def _store(
    trade: ITrading.Trade,
    market: words.Market,
    price: uint256,
    desk: fills.Desk,
    reduction: fills.Fill,
    increase: fills.Fill,
):
    market_word: uint256 = markets._store_market(trade.market, market)
    account_word: uint256 = ledger._store_account(trade.account, desk.account)
    house_word: uint256 = ledger._store_house(desk.house)
    id: uint256 = words.position_id(trade.account, trade.market, 0)
    if reduction.size != 0:
        position_word: uint256 = ledger._store_position(id | reduction.slot, reduction.position)
        side_word: uint256 = markets._store_side(
            trade.market, reduction.slot & 1 == 0, reduction.side
        )
        log ITrading.PositionDecreased(
            account=trade.account,
            market=trade.market,
            order_hash=trade.order_hash,
            slot=reduction.slot,
            size=reduction.size,
            price=price,
            impact=reduction.impact,
            fee=reduction.fee,
            realised=reduction.realised,
            deficit=reduction.deficit,
            position_word=position_word,
            account_word=account_word,
            side_word=side_word,
            market_word=market_word,
            house_word=house_word,
        )
    if increase.size != 0:
        position_word: uint256 = ledger._store_position(id | increase.slot, increase.position)
        side_word: uint256 = markets._store_side(
            trade.market, increase.slot & 1 == 0, increase.side
        )
        log ITrading.PositionIncreased(
            account=trade.account,
            market=trade.market,
            order_hash=trade.order_hash,
            slot=increase.slot,
            size=increase.size,
            price=price,
            impact=increase.impact,
            fee=increase.fee,
            margin=increase.margin,
            position_word=position_word,
            account_word=account_word,
            side_word=side_word,
            market_word=market_word,
            house_word=house_word,
        )
    ledger._pay(trade.keeper, desk.keeper_fee)
    if desk.builder_fee != 0:
        # Down for the referrer: the builder has the rest.
        shared: uint256 = desk.builder_fee * trade.referral_share // fixed_point.PPM
        ledger._pay(trade.builder, desk.builder_fee - shared)
        ledger._pay(trade.referrer, shared)
