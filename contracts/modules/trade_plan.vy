# pragma version 0.4.3
"""
@title Trade plan
@license MIT
@notice What an order is about to do: to which state, in which slots, by how much. Nothing is stored.
@dev Unchecked where sizes below 2**56 lots meet prices below 2**64 femto, and where a fee that is at
     most the escrow leaves it.
"""

from ..interfaces import ITrading
from ..lib import market_math
from ..lib import reasons
from ..lib import words
from . import fills
from . import ledger
from . import markets

uses: ledger
uses: markets

SHORT: constant(uint256) = 2  # position_side of the short in hedge mode, 1 is the long
USD: constant(uint256) = 10**15  # femto


struct Plan:
    reduction: fills.Part
    increase: fills.Part
    reason: uint256  # what speaks against it, if anything


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
