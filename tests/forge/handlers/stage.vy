# pragma version 0.4.3
"""
@title Stage
@license MIT
@notice The whole exchange, deployed from its artifacts, the accounts that act on it, and one way
        for them to act: every call is counted, and a refusal must say why.
"""

from contracts.interfaces import ICustody
from contracts.interfaces import IHouse
from contracts.interfaces import ILiquidityPool
from contracts.interfaces import IMarkets
from contracts.interfaces import IOrderLogic
from contracts.interfaces import IPriceOracle
from contracts.mocks import MockToken
from . import ICheats

VM: constant(ICheats) = ICheats(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D)

OWNER: constant(address) = 0x0000000000000000000000000000000000000a01
KEEPER: constant(address) = 0x0000000000000000000000000000000000000a02
PROVIDER: constant(address) = 0x0000000000000000000000000000000000000a03
# Every trader's operator, who is a builder, too.
BROKER: constant(address) = 0x0000000000000000000000000000000000000a04
FIRST_TRADER: constant(uint256) = 2817  # 0xb01, the others follow
TRADERS: constant(uint256) = 4
MARKETS: constant(uint256) = 2

USD: constant(uint256) = 10**6  # quote units
PPM: constant(uint256) = 10**6
WAD: constant(uint256) = 10**18
START: constant(uint256) = 1_800_000_000  # seconds
COOLDOWN: constant(uint256) = 3_600  # seconds from a redemption's request to its maturity
DELAY: constant(uint256) = 2  # seconds from an order to the first price that may fill it
WINDOW: constant(uint256) = 60  # seconds that a market order may fill in
KEEPER_FEE: constant(uint256) = USD // 5
LOTS: constant(uint256[MARKETS]) = [10**8, 10**7]  # in a base unit
FIRST_PRICES: constant(uint256[MARKETS]) = [50_000, 2_500]  # USD
SKEW_SCALES: constant(uint256[MARKETS]) = [4 * 10**12, 8 * 10**12]  # lots

NAMES: constant(uint256) = 160

token: MockToken.__interface__
oracle: IPriceOracle
clearinghouse: address
book: address
pool: address

now: uint256  # seconds
prices: uint256[MARKETS]  # WAD USD per base unit, the last published
_salt: uint256  # so that suites that are called alike act otherwise
_seed: uint256

_names: DynArray[String[64], NAMES]  # of what was counted
_counts: HashMap[String[64], uint256]


# Setting the scene


@internal
def _deploy(pool_cash: uint256, insurance: uint256):
    self.now = START
    self._salt = pool_cash
    extcall VM.warp(self.now)
    token: address = self._create(
        "MockToken", abi_encode("USD Coin", "USDC", convert(6, uint8))
    )
    self.token = MockToken.__at__(token)
    # They name each other: addresses follow from the deployer's nonce.
    nonce: uint256 = convert(staticcall VM.getNonce(self), uint256)
    self.book = staticcall VM.computeCreateAddress(self, nonce + 6)
    self.pool = staticcall VM.computeCreateAddress(self, nonce + 7)
    self.clearinghouse = staticcall VM.computeCreateAddress(self, nonce + 8)
    oracle: address = self._create("PriceOracle", abi_encode(self.clearinghouse))
    self.oracle = IPriceOracle(oracle)
    accounts: address = self._create("AccountLogic", abi_encode(token, oracle, self.book))
    house: address = self._create("HouseLogic", abi_encode(token, oracle, self.pool))
    liquidations: address = self._create("LiquidationLogic", abi_encode(oracle))
    markets: address = self._create("MarketLogic", abi_encode(oracle))
    orders: address = self._create("OrderLogic", abi_encode(self.clearinghouse, oracle))
    book: address = self._create("OrderBook", abi_encode(self.clearinghouse, oracle, orders))
    pool: address = self._create(
        "LiquidityPool", abi_encode(self.clearinghouse, token, oracle, COOLDOWN)
    )
    clearinghouse: address = self._create(
        "Clearinghouse",
        abi_encode(
            OWNER, token, book, pool, oracle, accounts, house, liquidations, markets
        ),
    )
    assert book == self.book and pool == self.pool and clearinghouse == self.clearinghouse, (
        "stage: wrong address"
    )
    self._prank(OWNER)
    extcall self.oracle.set_publisher(OWNER, True)
    for market: uint256 in range(MARKETS):
        self._list(market)
    self._endow(OWNER)
    self._endow(PROVIDER)
    self._prank(OWNER)
    extcall IHouse(self.clearinghouse).fund_insurance(insurance)
    self._prank(PROVIDER)
    extcall ILiquidityPool(self.pool).deposit(pool_cash, PROVIDER)
    for i: uint256 in range(TRADERS):
        self._admit(self._trader(i))


@internal
def _list(market: uint256):
    self._prank(OWNER)
    extcall self.oracle.set_published_feed(market, WAD // LOTS[market], 60, 3_600)
    self.prices[market] = FIRST_PRICES[market] * WAD
    self._publish(market)
    self._prank(OWNER)
    extcall IMarkets(self.clearinghouse).list_market(
        "BTC-PERP" if market == 0 else "ETH-PERP", self._terms(market), self._tiers(PPM)
    )
    self._prank(OWNER)
    extcall IOrderLogic(self.book).set_order_terms(market, KEEPER_FEE, DELAY, WINDOW, 0)


@internal
def _admit(trader: address):
    """
    @notice A trader with tokens, cash, an operator, a builder and a referrer.
    """
    self._endow(trader)
    self._prank(trader)
    extcall ICustody(self.clearinghouse).deposit(trader, 3_000 * USD)
    self._prank(trader)
    extcall IOrderLogic(self.book).set_operator(BROKER, 15, 0, 2**64 - 1, 2**40 - 1)
    self._prank(trader)
    extcall IOrderLogic(self.book).approve_builder(BROKER, 500)
    self._prank(trader)
    extcall IOrderLogic(self.book).set_referrer(PROVIDER)


@internal
def _endow(account: address):
    extcall self.token.mint(account, 2**60)
    self._prank(account)
    extcall self.token.approve(self.clearinghouse, max_value(uint256))
    self._prank(account)
    extcall self.token.approve(self.pool, max_value(uint256))


@internal
def _create(name: String[32], arguments: Bytes[512]) -> address:
    folder: String[64] = staticcall VM.envOr("BULKHEAD_ARTIFACTS", "sdk/bulkhead/artifacts")
    return extcall VM.deployCode(concat(folder, "/", name, ".json"), arguments)


@internal
@pure
def _terms(market: uint256) -> IMarkets.Terms:
    return IMarkets.Terms(
        taker_fee=500,
        maker_fee=200,
        insurance_share=100_000,
        treasury_share=200_000,
        skew_scale=SKEW_SCALES[market],
        skew_cap=1_000,
        side_cap=1_250,
        min_notional=10,
        pool_share=200_000,
        reserve_rate=300_000,
        funding_velocity=2 * 10**8,
        max_funding_rate=10_000,
        penalty=2_500,
        keeper_share=500_000,
        keeper_floor=12_500,
        keeper_cap=100 * USD,
        buffer=200_000,
        partial_above=1_000 * USD,
    )


@internal
@pure
def _tiers(factor: uint256) -> DynArray[IMarkets.Tier, 8]:
    """
    @param factor Of all rates, ppm.
    """
    return [
        IMarkets.Tier(
            floor=0, maintenance_rate=5_000 * factor // PPM, initial_rate=10_000 * factor // PPM
        ),
        IMarkets.Tier(
            floor=20, maintenance_rate=10_000 * factor // PPM, initial_rate=20_000 * factor // PPM
        ),
        IMarkets.Tier(
            floor=100, maintenance_rate=25_000 * factor // PPM, initial_rate=50_000 * factor // PPM
        ),
    ]


# Chance, time and prices


@internal
def _begin(seed: bytes32):
    """
    @notice Every action begins so. All that it does, by whom, too, is drawn from its seed and its
            sender: of seeds alone the fuzzer likes some too well.
    """
    self._seed = convert(seed, uint256) ^ self._salt ^ convert(msg.sender, uint256) << 96
    extcall VM.warp(self.now)


@internal
def _draw(count: uint256) -> uint256:
    """
    @notice One of 0 to count - 1.
    """
    self._seed = convert(keccak256(convert(self._seed, bytes32)), uint256)
    return self._seed % count


@internal
def _chance(percent: uint256) -> bool:
    return self._draw(100) < percent


@internal
def _amount() -> uint256:
    """
    @notice Quote units, small amounts as likely as large ones: a cent to 5,000 USD.
    """
    return (1 + self._draw(50)) * 10 ** (4 + self._draw(5))


@internal
@pure
def _trader(number: uint256) -> address:
    return convert(convert(FIRST_TRADER + number, uint160), address)


@internal
def _advance(duration: uint256):
    self.now += duration
    extcall VM.warp(self.now)


@internal
def _refresh():
    """
    @notice All prices are published again, a second later.
    """
    self._advance(1)
    for market: uint256 in range(MARKETS):
        self._publish(market)


@internal
def _publish(market: uint256):
    self._prank(OWNER)
    extcall self.oracle.update(market, abi_encode(self.prices[market], self.now))


@internal
def _shift(market: uint256, factor: uint256):
    """
    @notice A market's price, from its next publication on. It stays within a third and twice its
            first.
    @param factor Ppm.
    """
    first: uint256 = FIRST_PRICES[market] * WAD
    self.prices[market] = max(
        min(self.prices[market] * factor // PPM, 2 * first), first // 3
    )


@internal
@view
def _lot_price(market: uint256) -> uint256:
    """
    @notice Femto per lot.
    """
    return self.prices[market] // (1_000 * LOTS[market])


# Calls


@internal
def _prank(sender: address):
    extcall VM.prank(sender)


@internal
def _must(name: String[32], sender: address, target: address, data: Bytes[5120]) -> uint256:
    """
    @notice A call that nothing may refuse.
    @return The first word that it returns, if any.
    """
    self._prank(sender)
    answer: Bytes[32] = raw_call(target, data, max_outsize=32)
    self._count(name)
    return self._word(answer)


@internal
def _attempt(
    name: String[32], sender: address, target: address, data: Bytes[5120]
) -> (bool, uint256):
    """
    @notice A call that may be refused, in words: neither an overflow nor a bad index may be what
            does it.
    @return Whether it was taken, and the first word that it returned.
    """
    self._prank(sender)
    success: bool = False
    answer: Bytes[132] = b""
    success, answer = raw_call(target, data, max_outsize=132, revert_on_failure=False)
    if success:
        self._count(name)
        return True, convert(slice(answer, 0, 32), uint256) if len(answer) >= 32 else 0
    assert len(answer) >= 68 and slice(answer, 0, 4) == method_id("Error(string)"), (
        concat(name, ": refused without a reason")
    )
    reason: String[32] = abi_decode(slice(answer, 4, len(answer) - 4), String[32])
    assert len(reason) != 0, concat(name, ": refused without a reason")
    self._count(concat(name, " refused"))
    self._count(concat("reason ", reason))
    return False, 0


@internal
@pure
def _word(answer: Bytes[32]) -> uint256:
    if len(answer) < 32:
        return 0
    return convert(answer, uint256)


# What became of it


@internal
def _count(name: String[64]):
    count: uint256 = self._counts[name]
    if count == 0:
        self._names.append(name)
    self._counts[name] = count + 1


@internal
def _report(path: String[96]):
    """
    @notice Appends what this run has counted to a file.
    """
    for name: String[64] in self._names:
        extcall VM.writeLine(path, concat(uint2str(self._counts[name]), " ", name))
