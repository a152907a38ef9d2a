# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Clearinghouse
@license MIT
@notice Holds all money and all state: custody, ledger and trading. The rest of its code lives in
        logic contracts that run in this storage.
@dev A forwarder takes no lock, because the function it forwards to does: the lock is one transient
     slot, shared by all code that runs here.
"""

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import ICustody
from .interfaces import IHouse
from .interfaces import IIsolatedMargin
from .interfaces import ILedger
from .interfaces import ILiquidation
from .interfaces import ITrading
from .lib import words
from .modules import cross_margin
from .modules import custody
from .modules import ledger
from .modules import markets
from .modules import roles
from .modules import trade_checks
from .modules import trade_plan
from .modules import trading

implements: ICustody
implements: IHouse
implements: IIsolatedMargin
implements: ILedger
implements: ILiquidation
implements: ITrading

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: ledger
initializes: roles[ownable := ownable, ledger := ledger]
initializes: markets
initializes: custody
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

# Without the lock: they move no value and call nobody.
exports: (
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
)

ORDER_BOOK: public(immutable(address))
LIQUIDITY_POOL: public(immutable(address))
PRICE_ORACLE: public(immutable(address))
ACCOUNT_LOGIC: public(immutable(address))
HOUSE_LOGIC: public(immutable(address))
LIQUIDATION_LOGIC: public(immutable(address))
MARKET_LOGIC: public(immutable(address))


@deploy
def __init__(
    owner: address,
    token: address,
    order_book: address,
    liquidity_pool: address,
    price_oracle: address,
    account_logic: address,
    house_logic: address,
    liquidation_logic: address,
    market_logic: address,
):
    assert owner != empty(address), "owner: zero"
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(owner)
    markets.__init__(price_oracle)
    custody.__init__(token)
    ORDER_BOOK = order_book
    LIQUIDITY_POOL = liquidity_pool
    PRICE_ORACLE = price_oracle
    ACCOUNT_LOGIC = account_logic
    HOUSE_LOGIC = house_logic
    LIQUIDATION_LOGIC = liquidation_logic
    MARKET_LOGIC = market_logic


# Custody


@external
def deposit(account: address, amount: uint256):
    quote: uint256 = custody._to_quote(amount)
    assert account != empty(address), "account: zero"
    account_word: uint256 = ledger._credit(account, quote)
    log ICustody.Deposited(
        account=account, payer=msg.sender, amount=quote, account_word=account_word
    )
    custody._pull(msg.sender, self, amount)


# Trading


@external
def escrow_order(
    account: address, market: uint256, keeper_fee: uint256, wants_settings: bool
) -> (uint256, uint256):
    self._require_sender(ORDER_BOOK)
    account_word: uint256 = ledger._accounts[account]
    if keeper_fee != 0:
        assert words.cash_of(account_word) >= convert(keeper_fee, int256), (
            "balance: below keeper fee"
        )
        account_word = words.with_escrow(account_word, keeper_fee)
        ledger._accounts[account] = account_word
    if wants_settings:
        return ledger._settings[words.position_id(account, market, 0)], account_word
    return 0, account_word


@external
def release_escrow(account: address, receiver: address, keeper_fee: uint256) -> (address, uint256):
    self._require_sender(ORDER_BOOK)
    state: words.Account = ledger._account(account)
    released: uint256 = min(keeper_fee, state.escrow)
    state.escrow -= released
    return trading._pay_unfilled(account, state, receiver, released), released


@external
def execute_trade(trade: ITrading.Trade) -> ITrading.Result:
    self._require_sender(ORDER_BOOK)
    return trading._execute_trade(trade)


# Forwarded to account logic


@external
@reentrant
def deposit_margin(account: address, market: uint256, is_long: bool, amount: uint256):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def withdraw(amount: uint256, receiver: address):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def add_margin(market: uint256, is_long: bool, amount: uint256):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def remove_margin(market: uint256, is_long: bool, amount: uint256):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def set_leverage(market: uint256, leverage: uint256, is_isolated: bool, is_long: bool):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def set_default_margin_mode(market: uint256, is_isolated: bool):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def set_hedge_mode(is_hedge: bool):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def set_auto_margin(market: uint256, is_long: bool, allowance: uint256):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def convert_position(market: uint256, is_long: bool, to_isolated: bool, amount: uint256):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def deposit_with_permit(
    account: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32
):
    self._forward(ACCOUNT_LOGIC)


@external
@reentrant
def advance_epoch(account: address):
    self._forward(ACCOUNT_LOGIC)


# Forwarded to liquidation logic


@external
@reentrant
def liquidate_isolated(ids: DynArray[uint256, 64]) -> uint256:
    return self._forward_for(LIQUIDATION_LOGIC)


@external
@reentrant
def liquidate_cross(accounts: DynArray[address, 32]) -> uint256:
    return self._forward_for(LIQUIDATION_LOGIC)


@external
@reentrant
def auto_deleverage(market: uint256, ids: DynArray[uint256, 64]) -> uint256:
    return self._forward_for(LIQUIDATION_LOGIC)


@external
@reentrant
def settle_positions(ids: DynArray[uint256, 64]) -> uint256:
    return self._forward_for(LIQUIDATION_LOGIC)


# Forwarded to house logic


@external
@reentrant
def fund_insurance(amount: uint256):
    self._forward(HOUSE_LOGIC)


@external
@reentrant
def request_insurance(amount: uint256):
    self._forward(HOUSE_LOGIC)


@external
@reentrant
def withdraw_insurance(receiver: address):
    self._forward(HOUSE_LOGIC)


@external
@reentrant
def claim_fees(receiver: address):
    self._forward(HOUSE_LOGIC)


@external
@reentrant
def add_liquidity(amount: uint256):
    self._forward(HOUSE_LOGIC)


@external
@reentrant
def remove_liquidity(amount: uint256):
    self._forward(HOUSE_LOGIC)


# Whatever else: the owner's and the guardian's calls are the market logic's.


@external
@reentrant
@raw_return
def __default__() -> Bytes[32]:
    return raw_call(MARKET_LOGIC, msg.data, max_outsize=32, is_delegate_call=True)


# The state, word by word


@external
@view
def account_word(account: address) -> uint256:
    return ledger._accounts[account]


@external
@view
def position_word(id: uint256) -> uint256:
    return ledger._positions[id]


@external
@view
def settings_word(account: address, market: uint256) -> uint256:
    return ledger._settings[words.position_id(account, market, 0)]


@external
@view
def house_word() -> uint256:
    return ledger._house


@external
@view
def market_words(market: uint256) -> uint256[10]:
    found: uint256[10] = empty(uint256[10])
    if markets._is_listed(market):
        for kind: uint256 in range(markets.KINDS):
            found[kind] = markets._word(market, kind)
    return found


@external
@view
def market_state(market: uint256) -> uint256[4]:
    markets._require_listed(market)
    return [
        markets._word(market, markets.MARKET),
        markets._word(market, markets.LONG),
        markets._word(market, markets.SHORT),
        markets._word(market, markets.TRADE_TERMS),
    ]


@external
@view
def market_count() -> uint256:
    return markets.count


@external
@view
def market_symbol(market: uint256) -> String[16]:
    return markets._symbols[market]


@external
@view
def market_id(symbol: String[16]) -> uint256:
    market: uint256 = markets._ids[symbol]
    assert market != 0, "market: unknown"
    return market - 1


@external
@view
def insurance_request() -> (uint256, uint256):
    return ledger._insurance_requested, ledger._insurance_claimable_at


@external
@view
def guardian() -> address:
    return roles.guardian


@external
@view
def opening_stopped() -> bool:
    return ledger._load_house().flags & words.FLAG_STOPPED != 0


@internal
@view
def _require_sender(sender: address):
    assert msg.sender == sender, "caller: not allowed"


@internal
def _forward(logic: address):
    raw_call(logic, msg.data, is_delegate_call=True)


@internal
def _forward_for(logic: address) -> uint256:
    return abi_decode(raw_call(logic, msg.data, max_outsize=32, is_delegate_call=True), uint256)
