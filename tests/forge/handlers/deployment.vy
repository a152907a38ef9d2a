# pragma version 0.4.3
"""
@title Deployment
@license MIT
@notice The whole exchange, from its artifacts: two markets, four traders with cash, a pool and its
        insurance.
"""

from contracts.interfaces import ICustody
from contracts.interfaces import IHouse
from contracts.interfaces import ILens
from contracts.interfaces import ILiquidityPool
from contracts.interfaces import IMarkets
from contracts.interfaces import IOrderLogic
from contracts.interfaces import IPriceOracle
from . import IExchange
from . import stage

uses: stage

TRADE_AGE: constant(uint256) = 60  # seconds
MAX_AGE: constant(uint256) = 3_600  # seconds
MAX_DEVIATION: constant(uint256) = 50_000  # ppm between the published price and its second source


@internal
def _deploy(pool_cash: uint256, pool_size: uint256, insurance: uint256, reserve_rate: uint256):
    """
    @param pool_cash Quote, at the beginning.
    @param pool_size Quote, what the provider then wants the pool to be.
    @param insurance Quote, at the beginning, and what the owner wants it to be.
    @param reserve_rate Ppm of a skew, what a market's share of the pool must be worth.
    """
    token: address = self._create(
        "MockPermitToken", abi_encode("USD Coin", "USDC", convert(6, uint8))
    )
    # They name each other: addresses follow from the deployer's nonce.
    nonce: uint256 = convert(staticcall stage.VM.getNonce(self), uint256)
    book: address = staticcall stage.VM.computeCreateAddress(self, nonce + 6)
    pool: address = staticcall stage.VM.computeCreateAddress(self, nonce + 7)
    clearinghouse: address = staticcall stage.VM.computeCreateAddress(self, nonce + 8)
    oracle: address = self._create("PriceOracle", abi_encode(clearinghouse))
    accounts: address = self._create("AccountLogic", abi_encode(token, oracle, book))
    house: address = self._create("HouseLogic", abi_encode(token, oracle, pool))
    liquidations: address = self._create("LiquidationLogic", abi_encode(oracle))
    markets: address = self._create("MarketLogic", abi_encode(oracle))
    orders: address = self._create("OrderLogic", abi_encode(clearinghouse, oracle))
    self._expect(book, self._create("OrderBook", abi_encode(clearinghouse, oracle, orders)))
    self._expect(
        pool,
        self._create("LiquidityPool", abi_encode(clearinghouse, token, oracle, stage.COOLDOWN)),
    )
    self._expect(
        clearinghouse,
        self._create(
            "Clearinghouse",
            abi_encode(
                stage.OWNER, token, book, pool, oracle, accounts, house, liquidations, markets
            ),
        ),
    )
    lens: address = self._create("Lens", abi_encode(clearinghouse, oracle, book, pool))
    second_source: address = self._create("MockAggregator", abi_encode(convert(8, uint8)))
    stage._open(
        IExchange.Exchange(
            token=token,
            oracle=oracle,
            second_source=second_source,
            clearinghouse=clearinghouse,
            book=book,
            pool=pool,
            lens=lens,
            reserve_rate=reserve_rate,
            pool_size=pool_size,
            insurance_size=insurance,
        )
    )
    self._set_feeds()
    for market: uint256 in range(stage.MARKETS):
        self._list(market)
    self._endow(stage.OWNER)
    self._endow(stage.PROVIDER)
    stage._prank(stage.OWNER)
    extcall IHouse(clearinghouse).fund_insurance(insurance)
    stage._prank(stage.PROVIDER)
    extcall ILiquidityPool(pool).deposit(pool_cash, stage.PROVIDER)
    for number: uint256 in range(stage.TRADERS):
        self._admit(number)


@internal
def _set_feeds():
    stage._prank(stage.OWNER)
    extcall stage.oracle.set_published_feed(
        stage.PUBLISHED, stage.WAD // stage.LOTS[stage.PUBLISHED], TRADE_AGE, MAX_AGE
    )
    stage._prank(stage.OWNER)
    extcall stage.oracle.set_check(stage.PUBLISHED, stage.second_source.address, MAX_DEVIATION, 0)
    pyth: address = self._create("MockPyth", abi_encode(empty(uint256)))
    stage._prank(stage.OWNER)
    extcall stage.oracle.set_pyth_feed(
        stage.PYTH,
        stage.WAD // stage.LOTS[stage.PYTH],
        TRADE_AGE,
        MAX_AGE,
        pyth,
        stage.PYTH_ID,
    )


@internal
def _list(market: uint256):
    stage._publish(market)
    stage._prank(stage.OWNER)
    extcall IMarkets(stage.clearinghouse).list_market(
        "BTC-PERP" if market == stage.PUBLISHED else "ETH-PERP",
        self._terms(market),
        self._tiers(stage.PPM),
    )
    stage._prank(stage.OWNER)
    extcall IOrderLogic(stage.book).set_order_terms(
        market, stage.KEEPER_FEE, stage.DELAY, stage.WINDOW, 0
    )


@internal
def _admit(number: uint256):
    """
    @notice A trader with tokens, cash, an operator and a builder; every other one has a referrer.
    """
    trader: address = stage._trader(number)
    assert staticcall stage.VM.addr(stage._key(trader)) == trader, "deployment: wrong key"
    self._endow(trader)
    stage._prank(trader)
    extcall ICustody(stage.clearinghouse).deposit(trader, 3_000 * stage.USD)
    stage._prank(trader)
    extcall IOrderLogic(stage.book).set_operator(stage.BROKER, 15, 0, 2**64 - 1, 2**40 - 1)
    stage._prank(trader)
    extcall IOrderLogic(stage.book).approve_builder(stage.BROKER, 500)
    if number % 2 == 0:
        stage._prank(trader)
        extcall IOrderLogic(stage.book).set_referrer(stage.PROVIDER)


@internal
def _endow(account: address):
    extcall stage.token.mint(account, 2**60)
    stage._prank(account)
    extcall stage.token.approve(stage.clearinghouse, max_value(uint256))
    stage._prank(account)
    extcall stage.token.approve(stage.pool, max_value(uint256))


@internal
def _create(name: String[32], arguments: Bytes[512]) -> address:
    folder: String[64] = staticcall stage.VM.envOr("BULKHEAD_ARTIFACTS", "sdk/bulkhead/artifacts")
    return extcall stage.VM.deployCode(concat(folder, "/", name, ".json"), arguments)


@internal
@pure
def _expect(expected: address, created: address):
    assert created == expected, "deployment: wrong address"


@internal
@view
def _terms(market: uint256) -> IMarkets.Terms:
    return IMarkets.Terms(
        taker_fee=500,
        maker_fee=200,
        insurance_share=100_000,
        treasury_share=200_000,
        skew_scale=stage.SKEW_SCALES[market],
        skew_cap=1_000,
        side_cap=1_250,
        min_notional=10,
        pool_share=200_000,
        reserve_rate=stage.exchange.reserve_rate,
        funding_velocity=2 * 10**8,
        max_funding_rate=10_000,
        penalty=2_500,
        keeper_share=500_000,
        keeper_floor=12_500,
        keeper_cap=100 * stage.USD,
        buffer=200_000,
        partial_above=1_000 * stage.USD,
    )


@internal
@pure
def _tiers(factor: uint256) -> DynArray[IMarkets.Tier, 8]:
    """
    @param factor Of all rates, ppm.
    """
    return [
        IMarkets.Tier(
            floor=0,
            maintenance_rate=5_000 * factor // stage.PPM,
            initial_rate=10_000 * factor // stage.PPM,
        ),
        IMarkets.Tier(
            floor=20,
            maintenance_rate=10_000 * factor // stage.PPM,
            initial_rate=20_000 * factor // stage.PPM,
        ),
        IMarkets.Tier(
            floor=100,
            maintenance_rate=25_000 * factor // stage.PPM,
            initial_rate=50_000 * factor // stage.PPM,
        ),
    ]
