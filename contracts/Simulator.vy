# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Simulator
@license MIT
@notice Previews a trade without a second copy of any rule: it loads the words the trade would touch
        into the core's own modules, lets them trade, looks at what they stored, and reverts.
@dev Stateless: what it stores never outlives the call.
"""

from .interfaces import ILens
from .interfaces import ISimulator
from .interfaces import ITrading
from .lib import words
from .modules import cross_margin
from .modules import fills
from .modules import ledger
from .modules import lens_reading
from .modules import markets
from .modules import trade_checks
from .modules import trade_plan
from .modules import trading

implements: ISimulator

initializes: ledger
initializes: markets
initializes: cross_margin[ledger := ledger, markets := markets]
initializes: trade_plan[ledger := ledger, markets := markets]
initializes: trade_checks[cross_margin := cross_margin]
initializes: trading[
    ledger := ledger,
    markets := markets,
    cross_margin := cross_margin,
    trade_checks := trade_checks,
    trade_plan := trade_plan,
]
initializes: lens_reading

SLOTS: constant(uint256) = 4
ANSWER: constant(uint256) = 1_024  # bytes
SEEN: constant(Bytes[4]) = b"seen"  # ahead of an outcome: no refusal begins so
RUN: constant(Bytes[4]) = method_id(
    "run((address,uint256,bool,uint256,bool,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,address,uint256,address,uint256,bytes32,address,uint256,bool,uint256),bool)"
)


@deploy
def __init__(clearinghouse: address, price_oracle: address):
    markets.__init__(price_oracle)
    lens_reading.__init__(clearinghouse, price_oracle)


@external
@reentrant
def simulate(trade: ITrading.Trade, is_placed: bool) -> ISimulator.Outcome:
    success: bool = False
    answer: Bytes[ANSWER] = b""
    success, answer = raw_call(
        self,
        abi_encode(trade, is_placed, method_id=RUN),
        max_outsize=ANSWER,
        revert_on_failure=False,
    )
    self._require_answer(answer)
    if slice(answer, 0, 4) != SEEN:
        raw_revert(answer)
    return abi_decode(slice(answer, 4, len(answer) - 4), ISimulator.Outcome)


@external
def run(trade: ITrading.Trade, is_placed: bool):
    lens_reading._require_listed(trade.market)
    self._load_account(trade)
    if trade.is_escrowed and not is_placed:
        self._escrow(trade.account, trade.keeper_fee)
    outcome: ISimulator.Outcome = self._fill(trade)
    result: ITrading.Result = trading._execute_trade(trade)
    outcome.reason = result.reason
    outcome.builder_fee = result.builder_fee
    if result.receiver == trade.keeper:
        outcome.keeper_fee = result.keeper_fee
    outcome.words = self._words_of(trade.account, trade.market)
    raw_revert(abi_encode(outcome, method_id=SEEN))


@internal
def _load_account(trade: ITrading.Trade):
    """
    @notice Copies every word that trading may read.
    """
    ledger._store_house(words.unpack_house(staticcall lens_reading.CLEARINGHOUSE.house_word()))
    state: words.Account = lens_reading._account(trade.account)
    ledger._store_account(trade.account, state)
    self._load_market(trade.account, trade.market)
    left: uint256 = state.legs
    for _: uint256 in range(fills.MAX_LEGS):
        if left == 0:
            break
        market: uint256 = words.lowest_bit_index(left) >> 1
        left &= ~(3 << (market << 1))
        self._load_market(trade.account, market)


@internal
def _load_market(account: address, market: uint256):
    found: ILens.Words = lens_reading._words(account, market)
    for kind: uint256 in range(markets.KINDS):
        markets._store_word(market, kind, found.market[kind])
    for slot: uint256 in range(SLOTS):
        ledger._store_position(
            words.position_id(account, market, slot),
            words.unpack_position(found.positions[slot]),
        )


@internal
def _escrow(account: address, keeper_fee: uint256):
    """
    @notice As `Clearinghouse.escrow_order`.
    """
    state: words.Account = ledger._account(account)
    state.cash -= convert(keeper_fee, int256)
    state.escrow += keeper_fee
    ledger._store_account(account, state)


@internal
@view
def _fill(trade: ITrading.Trade) -> ISimulator.Outcome:
    """
    @notice The figures of the fill: the core returns none but its reason.
    """
    conditions: fills.Conditions = trade_plan._conditions(
        trade.market, trade.price_word, trade.builder_rate
    )
    desk: fills.Desk = trade_plan._open_desk(
        trade.account,
        conditions.long.size,
        conditions.short.size,
        trade.keeper_fee if trade.is_escrowed else 0,
    )
    plan: trade_plan.Plan = trade_plan._plan(desk, conditions, trade)
    reduction: fills.Fill = empty(fills.Fill)
    increase: fills.Fill = empty(fills.Fill)
    if plan.reduction.size != 0:
        reduction = fills._reduce(desk, conditions, plan.reduction)
        desk = reduction.desk
    if plan.increase.size != 0:
        increase = fills._increase(desk, conditions, plan.increase)
    outcome: ISimulator.Outcome = empty(ISimulator.Outcome)
    outcome.slot = plan.increase.slot
    if plan.reduction.size != 0 and plan.increase.size == 0:
        outcome.slot = plan.reduction.slot
    outcome.reduced = plan.reduction.size
    outcome.increased = plan.increase.size
    outcome.impact = reduction.impact + increase.impact
    outcome.fee = reduction.fee + increase.fee
    outcome.realised = reduction.realised
    outcome.deficit = reduction.deficit
    if outcome.slot >= words.ISOLATED_LONG:
        outcome.margin = convert(increase.margin, int256)
        if plan.reduction.size != 0:
            outcome.margin += convert(reduction.position.margin, int256) - convert(
                plan.reduction.position.margin, int256
            )
    return outcome


@internal
@view
def _words_of(account: address, market: uint256) -> ILens.Words:
    found: ILens.Words = empty(ILens.Words)
    found.account = ledger._accounts[account]
    for kind: uint256 in range(markets.KINDS):
        found.market[kind] = markets._word(market, kind)
    for slot: uint256 in range(SLOTS):
        found.positions[slot] = ledger._positions[words.position_id(account, market, slot)]
    return found


@internal
@pure
def _require_answer(answer: Bytes[ANSWER]):
    assert len(answer) >= 4, "simulation: failed"
