# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Liquidity pool
@license MIT
@notice The LP share token. The money sits in the clearinghouse, so settling a trade moves no tokens.
@dev Virtual shares and counted cash make the share price proof against donations. Claims wait in the
     pool's own account in the clearinghouse.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC165
from snekmate.auth import ownable
from snekmate.tokens import erc20

from .interfaces import ICustody
from .interfaces import IHouse
from .interfaces import ILiquidityPool
from .lib import fixed_point
from .lib import words
from .modules import custody
from .modules import pool_valuation

implements: IERC165
implements: IERC20
implements: ILiquidityPool

initializes: ownable
initializes: erc20[ownable := ownable]
initializes: custody
initializes: pool_valuation

# Without the lock: shares move no value of the pool, and these call nobody.
exports: (
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.totalSupply,
    erc20.balanceOf,
    erc20.allowance,
    erc20.transfer,
    erc20.transferFrom,
    erc20.approve,
    erc20.permit,
    erc20.nonces,
    erc20.DOMAIN_SEPARATOR,
    erc20.eip712Domain,
)

VIRTUAL_SHARES: constant(uint256) = 10**6  # so a share starts at 1e-6 quote units
LAPSE: constant(uint256) = 86_400  # seconds a mature request may stay unfixed
REWARD: constant(uint256) = 100_000  # quote: 0.10 USD to whoever fixes a request
MAX_COOLDOWN: constant(uint256) = 30 * 86_400

CLEARINGHOUSE: public(immutable(address))
COOLDOWN: public(immutable(uint256))  # seconds from request to maturity
SUPPORTED_INTERFACES: constant(bytes4[4]) = [
    0x01FFC9A7,  # ERC-165
    0xE3BC4E65,  # ERC-7540 operators
    0x620EE8E4,  # ERC-7540 asynchronous redemption
    0x2F0A18C5,  # ERC-7575
]


struct Request:
    controller: address
    shares: uint256
    matures_at: uint256  # seconds


_requests: HashMap[uint256, Request]
request_count: public(uint256)
_claimable_shares: HashMap[address, uint256]  # of fixed requests, by controller
_claimable_assets: HashMap[address, uint256]  # token units
isOperator: public(HashMap[address, HashMap[address, bool]])


@deploy
def __init__(clearinghouse: address, token: address, price_oracle: address, cooldown: uint256):
    assert cooldown != 0 and cooldown <= MAX_COOLDOWN, "pool: bad cooldown"
    ownable.__init__()
    erc20.__init__("Bulkhead Liquidity", "BLP", 12, "Bulkhead Liquidity", "1")
    erc20.is_minter[msg.sender] = False
    ownable._transfer_ownership(empty(address))
    custody.__init__(token)
    pool_valuation.__init__(clearinghouse, price_oracle)
    CLEARINGHOUSE = clearinghouse
    COOLDOWN = cooldown


@external
def deposit(assets: uint256, receiver: address) -> uint256:
    quote: uint256 = custody._to_quote(assets)
    shares: uint256 = self._to_shares(quote, self._equity_for_entry())
    self._enter(assets, quote, shares, receiver)
    return shares


@external
def mint(shares: uint256, receiver: address) -> uint256:
    assert shares < 2**128, "shares: too many"
    quote: uint256 = fixed_point.div_up(
        shares * (self._equity_for_entry() + 1), erc20.totalSupply + VIRTUAL_SHARES
    )
    assets: uint256 = custody._to_tokens_up(quote)
    self._enter(assets, custody._to_quote(assets), shares, receiver)
    return assets


@external
def requestRedeem(shares: uint256, controller: address, owner: address) -> uint256:
    assert shares != 0, "shares: zero"
    assert controller != empty(address), "controller: zero"
    if msg.sender != owner and not self.isOperator[owner][msg.sender]:
        erc20._spend_allowance(owner, msg.sender, shares)
    erc20._transfer(owner, self, shares)
    id: uint256 = self.request_count + 1
    self.request_count = id
    self._requests[id] = Request(
        controller=controller, shares=shares, matures_at=block.timestamp + COOLDOWN
    )
    log ILiquidityPool.RedeemRequest(
        controller=controller, owner=owner, request_id=id, sender=msg.sender, shares=shares
    )
    return id


@external
def fix(request_id: uint256) -> uint256:
    request: Request = self._requests[request_id]
    assert request.shares != 0, "request: unknown"
    assert block.timestamp >= request.matures_at, "request: not mature"
    assert block.timestamp <= request.matures_at + LAPSE, "request: lapsed"
    pool: pool_valuation.Valuation = self._firm_pool()
    assert pool.oldest >= request.matures_at, "price: before maturity"
    equity: int256 = fixed_point.quote_down(pool.equity - convert(pool.band + pool.premium, int256))
    assert equity > 0, "pool: insolvent"
    quote: uint256 = (
        request.shares * (convert(equity, uint256) + 1) // (erc20.totalSupply + VIRTUAL_SHARES)
    )
    assert (
        pool.cash >= 0
        and convert(pool.cash, uint256) >= quote
        and convert(pool.cash, uint256) - quote >= pool.reserved
    ), "pool: reserve"
    reward: uint256 = custody._to_tokens(min(REWARD, quote // 2))
    assets: uint256 = custody._to_tokens(quote) - reward

    self._requests[request_id] = empty(Request)
    self._claimable_shares[request.controller] += request.shares
    self._claimable_assets[request.controller] += assets
    erc20._burn(self, request.shares)
    log ILiquidityPool.RedeemFixed(
        controller=request.controller,
        request_id=request_id,
        fixer=msg.sender,
        assets=assets,
        reward=reward,
    )
    if assets + reward != 0:
        extcall IHouse(CLEARINGHOUSE).remove_liquidity(custody._to_quote(assets + reward))
    if reward != 0:
        extcall ICustody(CLEARINGHOUSE).withdraw(reward, msg.sender)
    return assets


@external
def lapse(request_id: uint256):
    request: Request = self._requests[request_id]
    assert request.shares != 0, "request: unknown"
    assert block.timestamp > request.matures_at + LAPSE, "request: not lapsed"
    self._requests[request_id] = empty(Request)
    erc20._transfer(self, request.controller, request.shares)
    log ILiquidityPool.RedeemLapsed(
        controller=request.controller, request_id=request_id, shares=request.shares
    )


@external
def redeem(shares: uint256, receiver: address, controller: address) -> uint256:
    self._require_controller(controller)
    claimable: uint256 = self._claimable_shares[controller]
    assert shares != 0 and shares <= claimable, "claim: too large"
    assets: uint256 = self._claimable_assets[controller] * shares // claimable
    self._claim(assets, shares, receiver, controller)
    return assets


@external
def withdraw(assets: uint256, receiver: address, controller: address) -> uint256:
    self._require_controller(controller)
    claimable: uint256 = self._claimable_assets[controller]
    assert assets != 0 and assets <= claimable, "claim: too large"
    shares: uint256 = fixed_point.div_up(self._claimable_shares[controller] * assets, claimable)
    self._claim(assets, shares, receiver, controller)
    return shares


@external
def setOperator(operator: address, approved: bool) -> bool:
    assert operator != msg.sender, "operator: bad address"
    self.isOperator[msg.sender][operator] = approved
    log ILiquidityPool.OperatorSet(controller=msg.sender, operator=operator, approved=approved)
    return True


@external
@view
def pendingRedeemRequest(request_id: uint256, controller: address) -> uint256:
    request: Request = self._requests[request_id]
    return request.shares if request.controller == controller else 0


@external
@view
def claimableRedeemRequest(request_id: uint256, controller: address) -> uint256:
    return self._claimable_shares[controller]


@external
@view
def request(request_id: uint256) -> (address, uint256, uint256):
    request: Request = self._requests[request_id]
    return request.controller, request.shares, request.matures_at


@external
@view
def equity() -> (int256, uint256, bool):
    pool: pool_valuation.Valuation = pool_valuation._value_pool()
    return pool.equity, pool.band, pool.is_live


@external
@view
def asset() -> address:
    return custody.TOKEN.address


@external
@view
def share() -> address:
    return self


@external
@view
def totalAssets() -> uint256:
    return custody._to_tokens(self._equity_now())


@external
@view
def convertToShares(assets: uint256) -> uint256:
    return self._to_shares(custody._to_quote(assets), self._equity_now())


@external
@view
def convertToAssets(shares: uint256) -> uint256:
    assert shares < 2**128, "shares: too many"
    return custody._to_tokens(
        shares * (self._equity_now() + 1) // (erc20.totalSupply + VIRTUAL_SHARES)
    )


@external
@view
def maxDeposit(receiver: address) -> uint256:
    return self._max_entry() * custody.UNIT


@external
@view
def maxMint(receiver: address) -> uint256:
    limit: uint256 = self._max_entry()
    if limit == 0:
        return 0
    return self._to_shares(limit, self._equity_for_entry())


@external
@view
def maxRedeem(controller: address) -> uint256:
    return self._claimable_shares[controller]


@external
@view
def maxWithdraw(controller: address) -> uint256:
    return self._claimable_assets[controller]


@external
@view
def previewDeposit(assets: uint256) -> uint256:
    return self._to_shares(custody._to_quote(assets), self._equity_for_entry())


@external
@view
def previewMint(shares: uint256) -> uint256:
    assert shares < 2**128, "shares: too many"
    return custody._to_tokens_up(
        fixed_point.div_up(
            shares * (self._equity_for_entry() + 1), erc20.totalSupply + VIRTUAL_SHARES
        )
    )


@external
@view
def previewRedeem(shares: uint256) -> uint256:
    raise "pool: redemption is requested"


@external
@view
def previewWithdraw(assets: uint256) -> uint256:
    raise "pool: redemption is requested"


@external
@view
def supportsInterface(interface_id: bytes4) -> bool:
    return interface_id in SUPPORTED_INTERFACES


@internal
def _enter(assets: uint256, quote: uint256, shares: uint256, receiver: address):
    assert shares != 0, "shares: zero"
    erc20._mint(receiver, shares)
    log ILiquidityPool.Deposit(sender=msg.sender, owner=receiver, assets=assets, shares=shares)
    extcall IHouse(CLEARINGHOUSE).add_liquidity(quote)
    custody._pull(msg.sender, CLEARINGHOUSE, assets)


@internal
def _claim(assets: uint256, shares: uint256, receiver: address, controller: address):
    self._claimable_shares[controller] -= shares
    self._claimable_assets[controller] -= assets
    log ILiquidityPool.Withdraw(
        sender=msg.sender, receiver=receiver, owner=controller, assets=assets, shares=shares
    )
    if assets != 0:
        extcall ICustody(CLEARINGHOUSE).withdraw(assets, receiver)


@internal
@view
def _firm_pool() -> pool_valuation.Valuation:
    pool: pool_valuation.Valuation = pool_valuation._value_pool()
    assert pool.is_firm, "price: not firm"
    return pool


@internal
@view
def _equity_for_entry() -> uint256:
    """
    @notice The equity an entrant buys into, quote, up and at the upper edge of the prices.
    """
    pool: pool_valuation.Valuation = self._firm_pool()
    upper: int256 = fixed_point.quote_ceiling(pool.equity + convert(pool.band, int256))
    assert upper >= 0, "pool: insolvent"
    return convert(upper, uint256)


@internal
@view
def _equity_now() -> uint256:
    """
    @notice The equity between the edges, quote, down, zero where the pool is insolvent.
    """
    pool: pool_valuation.Valuation = pool_valuation._value_pool()
    return convert(max(0, fixed_point.quote_down(pool.equity)), uint256)


@internal
@view
def _to_shares(quote: uint256, equity: uint256) -> uint256:
    # Down, against the entrant.
    return quote * (erc20.totalSupply + VIRTUAL_SHARES) // (equity + 1)


@internal
@view
def _max_entry() -> uint256:
    """
    @notice The most one deposit may bring in quote units, zero where the pool takes none.
    """
    pool: pool_valuation.Valuation = pool_valuation._value_pool()
    if not pool.is_firm or pool.equity < 0:
        return 0
    return words.MAX_CASH


@internal
@view
def _require_controller(controller: address):
    assert msg.sender == controller or self.isOperator[controller][msg.sender], (
        "caller: not allowed"
    )
