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

uses: cross_margin
uses: ledger
uses: markets

SHORT: constant(uint256) = 2  # position_side of the short in hedge mode, 1 is the long
USD: constant(uint256) = 10**15  # femto


struct Plan:
    reduction: fills.Part
    increase: fills.Part
    reason: uint256  # what speaks against it, if anything


# The two cross legs of the order's market.
struct Legs:
    long: words.Position
    short: words.Position


@internal
def _execute_trade(trade: ITrading.Trade) -> ITrading.Result:
    conditions: fills.Conditions = self._conditions(
        trade.market, trade.price_word, trade.builder_rate
    )
    desk: fills.Desk = self._open_desk(
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

    plan: Plan = self._plan(desk, conditions, trade)
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
                before: Legs = self._legs(
                    trade.is_buy, plan.reduction.position, plan.increase.position
                )
                after: Legs = self._legs(trade.is_buy, reduction.position, increase.position)
                for _: uint256 in range(2):
                    reason = self._check_cross(
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
            reason = self._check_opened(
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
            reason = self._check_reduced(
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
@view
def _conditions(market: uint256, price_word: uint256, builder_rate: uint256) -> fills.Conditions:
    """
    @notice What the market and the order say: funding accrued.
    """
    quoted: words.Price = words.unpack_price(price_word)
    state: words.Market = markets._accrued(market, quoted)
    initial_rate: uint256 = state.initial_rate
    if state.is_ramping:
        # Asked only here: the question copies the market.
        initial_rate = markets._ramped_initial_rate(market, state)
    return fills.Conditions(
        market=state,
        terms=markets._trade_terms(market),
        long=markets._side(market, True),
        short=markets._side(market, False),
        price=quoted.price,
        caution=quoted.caution,
        initial_rate=initial_rate,
        builder_rate=builder_rate,
    )


@internal
@view
def _open_desk(
    account: address, long_size: uint256, short_size: uint256, escrowed: uint256
) -> fills.Desk:
    """
    @notice The state a fill works on: the keeper's fee taken out of escrow, as far as it is still there.
    """
    state: words.Account = ledger._account(account)
    keeper_fee: uint256 = min(escrowed, state.escrow)
    state.escrow = unsafe_sub(state.escrow, keeper_fee)
    return fills.Desk(
        account=state,
        house=ledger._load_house(),
        skew=market_math.skew_of(long_size, short_size),
        keeper_fee=keeper_fee,
        builder_fee=0,
    )


@internal
@view
def _plan(desk: fills.Desk, conditions: fills.Conditions, trade: ITrading.Trade) -> Plan:
    """
    @notice Which slots an order touches and by how much. In one-way mode it reduces the opposite
            slot first and opens its own with the rest; in hedge mode it names its slot. A
            reduction that would leave less than the minimum closes all of it; a flip whose rest
            would be less only closes.
    """
    plan: Plan = empty(Plan)
    plan.increase.market = trade.market
    plan.increase.slot = 0 if trade.is_buy else 1
    if trade.is_isolated:
        plan.increase.slot += words.ISOLATED_LONG
    plan.increase.margin = trade.margin
    plan.increase.leverage = trade.leverage
    plan.reduction.market = trade.market
    plan.reduction.slot = plan.increase.slot ^ 1
    if not trade.is_escrowed:
        plan.reduction.keeper_fee = trade.keeper_fee

    plan.reason = trade.refusal
    may_reduce: bool = True
    may_increase: bool = not trade.reduce_only
    is_hedge: bool = desk.account.flags & words.FLAG_HEDGE != 0
    if is_hedge != (trade.position_side != 0):
        plan.reason = reasons.WRONG_MODE
    elif is_hedge:
        may_reduce = trade.is_buy == (trade.position_side == SHORT)
        may_increase = may_increase and not may_reduce
    # A cross order needs both legs for the margin of the pair, a vault only its own. What is known
    # to be closed is not read, unless its generation is needed: one-way mode never holds both.
    needs_both: bool = not trade.is_isolated
    open_slots: uint256 = 0
    if trade.is_isolated:
        if desk.account.vaults != 0:
            open_slots = 3
    else:
        open_slots = desk.account.legs >> (trade.market << 1)
    id: uint256 = words.position_id(trade.account, trade.market, 0)
    if may_increase or (needs_both and (open_slots >> (plan.increase.slot & 1)) & 1 != 0):
        plan.increase.position = ledger._position(id | plan.increase.slot)
    if (
        (may_reduce or needs_both)
        and (open_slots >> (plan.reduction.slot & 1)) & 1 != 0
        and (is_hedge or plan.increase.position.size == 0)
    ):
        plan.reduction.position = ledger._position(id | plan.reduction.slot)
    held: uint256 = plan.reduction.position.size
    if may_reduce:
        plan.reduction.size = held
        if trade.size != 0:
            plan.reduction.size = min(trade.size, held)
    if trade.bound_to != 0 and (
        held == 0 or unsafe_add(plan.reduction.position.generation, 1) != trade.bound_to
    ):
        plan.reduction.size = 0
        plan.reason = reasons.POSITION_ENDED
    if may_increase:
        plan.increase.size = trade.size - plan.reduction.size

    least: uint256 = unsafe_mul(conditions.terms.min_notional, USD)
    if plan.reduction.size != 0:
        if unsafe_mul(unsafe_sub(held, plan.reduction.size), conditions.price) < least:
            plan.reduction.size = held
        if plan.increase.size * conditions.price < least:
            plan.increase.size = 0
    elif plan.increase.size == 0:
        if plan.reason == reasons.FILLED:
            plan.reason = reasons.NOTHING_TO_REDUCE
    elif (plan.increase.position.size + plan.increase.size) * conditions.price < least:
        plan.reason = reasons.BELOW_MINIMUM
    if not trade.is_isolated and plan.reduction.size == 0 and held != 0:
        plan.increase.leverage = plan.reduction.position.margin  # the legs of a pair share one
    # While the price says no, nothing else may end the order.
    if trade.acceptable_price != 0:
        # The average fill price, exact, against the acceptable one.
        size: uint256 = max(plan.reduction.size + plan.increase.size, 1)
        delta: int256 = fills._signed_size(size, trade.is_buy)
        paid: int256 = delta * convert(conditions.price, int256) + market_math.impact_cost(
            delta, desk.skew, conditions.terms.skew_scale, conditions.price
        )
        if paid > delta * convert(trade.acceptable_price, int256):
            plan.reason = reasons.PRICE_NOT_ACCEPTABLE
    if plan.increase.size != 0 and (
        conditions.terms.status != markets.OPEN or desk.house.flags & words.FLAG_STOPPED != 0
    ):
        plan.reason = reasons.MARKET_NOT_OPEN
    if plan.increase.size != 0 and conditions.caution != words.NO_CAUTION:
        plan.reason = reasons.PRICE_NOT_FIRM
    return plan


@internal
@view
def _check_opened(
    account: address,
    market: uint256,
    cash_before: int256,
    owner: words.Account,
    state: words.Market,
    price: uint256,
    slot: uint256,
    position: words.Position,
    impact: int256,
) -> uint256:
    """
    @notice What an isolated order takes from the cross ledger must be withdrawable, and the vault
            must hold the tiers' initial margin without the fill's own gain. (The leverage decides
            what an order moves, so that a vault at a loss can still be added to.)
    """
    taken: int256 = unsafe_sub(cash_before, owner.cash)
    if taken > 0:
        available: int256 = cash_before
        if owner.legs != 0:
            legs: cross_margin.Valuation = cross_margin._value_legs(account, owner.legs)
            if not legs.is_firm:
                return reasons.PRICE_NOT_FIRM
            available = cross_margin._withdrawable(cash_before, legs)
        if taken > available:
            return reasons.NOT_WITHDRAWABLE
    vault: cross_margin.Valuation = cross_margin._value_vault(market, state, price, slot, position)
    if unsafe_add(vault.worth, min(0, impact)) < convert(vault.initial, int256):
        return reasons.BELOW_INITIAL
    return reasons.FILLED


@internal
@view
def _check_reduced(
    market: uint256,
    state: words.Market,
    price: uint256,
    slot: uint256,
    before: words.Position,
    after: words.Position,
) -> uint256:
    """
    @notice A vault that paid for its own reduction must be no less healthy than before. (Any other
            shrinks alike in margin, value and requirement.)
    """
    now: cross_margin.Valuation = cross_margin._value_vault(market, state, price, slot, after)
    then: cross_margin.Valuation = cross_margin._value_vault(market, state, price, slot, before)
    if now.worth >= convert(now.initial, int256) or self._is_healthier(now, then):
        return reasons.FILLED
    return reasons.BELOW_INITIAL


@internal
@pure
def _legs(is_buy: bool, reduced: words.Position, increased: words.Position) -> Legs:
    if is_buy:
        return Legs(long=increased, short=reduced)
    return Legs(long=reduced, short=increased)


@internal
@view
def _check_cross(
    account: address,
    market: uint256,
    held: int256,
    owner: words.Account,
    state: words.Market,
    price: uint256,
    before: Legs,
    after: Legs,
    is_increase: bool,
    gain: int256,
) -> uint256:
    """
    @notice The account must hold its initial margin without the fill's own gain. A reduction may
            instead leave equity / maintenance margin no lower: one that does not raise the net
            position of its market.
    @param held Quote, cash and escrow before.
    @param gain Femto, what the fill itself earned.
    """
    others: cross_margin.Valuation = cross_margin._value_legs(
        account, owner.legs & ~(3 << (market << 1))
    )
    if is_increase and not others.is_firm:
        return reasons.PRICE_NOT_FIRM
    now: cross_margin.Valuation = cross_margin._value_pair(
        market, state, price, after.long, after.short
    )
    now.worth = unsafe_add(
        unsafe_add(now.worth, others.worth), unsafe_mul(owner.cash, fixed_point.FEMTO_INT)
    )
    initial: uint256 = unsafe_add(now.initial, others.initial)
    if unsafe_sub(now.worth, gain) >= convert(initial, int256):
        return reasons.FILLED
    if not is_increase and self._net(after) <= self._net(before):
        then: cross_margin.Valuation = cross_margin._value_pair(
            market, state, price, before.long, before.short
        )
        # Escrow counts for maintenance; the keeper's fee was in it, or in the cash, and has left.
        now.worth += convert(owner.escrow, int256) * fixed_point.FEMTO_INT
        then.worth += others.worth + held * fixed_point.FEMTO_INT
        now.maintenance += others.maintenance
        then.maintenance += others.maintenance
        if self._is_healthier(now, then):
            return reasons.FILLED
    return reasons.BELOW_INITIAL


@internal
@pure
def _is_healthier(now: cross_margin.Valuation, then: cross_margin.Valuation) -> bool:
    """
    @notice Whether equity / maintenance margin is not lower than it was.
    """
    return now.worth * convert(then.maintenance, int256) >= then.worth * convert(
        now.maintenance, int256
    )


@internal
@pure
def _net(legs: Legs) -> uint256:
    """
    @notice How many lots of one leg the other does not match.
    """
    return max(legs.long.size, legs.short.size) - min(legs.long.size, legs.short.size)


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
