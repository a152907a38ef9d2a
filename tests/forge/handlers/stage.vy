# pragma version 0.4.3
"""
@title Stage
@license MIT
@notice The accounts that act on the exchange, chance, time, prices, and one way for anybody to act:
        every call is counted, and a refusal must say why.
"""

from contracts.interfaces import ILens
from contracts.interfaces import IPriceOracle
from contracts.lib import words
from contracts.mocks import MockAggregator
from . import ICheats
from . import IExchange
from . import IToken

VM: constant(ICheats) = ICheats(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D)

OWNER: constant(address) = 0x0000000000000000000000000000000000000a01
KEEPER: constant(address) = 0x0000000000000000000000000000000000000a02
PROVIDER: constant(address) = 0x0000000000000000000000000000000000000a03
# Every trader's operator, who is a builder, too. Like the traders he signs: these are keys' addresses.
BROKER: constant(address) = 0x13943A2e84e66a28FfF57641cF769361F410C0C1
BROKER_KEY: constant(uint256) = 2564  # 0xa04
TRADERS: constant(uint256) = 4
TRADER_ADDRESSES: constant(address[TRADERS]) = [
    0x70435B97f2cfba3076DCF314678729BB3991CA7d,
    0x9F2495062cD959c42e5Bb2867138a125C63fB17A,
    0xb7dcd4FF30040C58edA8Ba3BCA6736FDAD467660,
    0x0E2AcEbC290a9651d55F4A8FfaB9fA48d7427DAD,
]
FIRST_TRADER_KEY: constant(uint256) = 2817  # 0xb01, the others follow
MARKETS: constant(uint256) = 2
# Whose prices the stage sends, and a second source may dispute.
PUBLISHED: constant(uint256) = 0
# Whose prices come from Pyth, with their confidence.
PYTH: constant(uint256) = 1
PYTH_ID: constant(bytes32) = keccak256("ETH")
PYTH_UNIT: constant(uint256) = 10**10  # WAD, at eight decimals

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

NAMES: constant(uint256) = 320

exchange: IExchange.Exchange
token: IToken
oracle: IPriceOracle
second_source: MockAggregator.__interface__  # of the published market, silent until it disputes
lens: ILens
clearinghouse: address
book: address
pool: address

now: uint256  # seconds
prices: uint256[MARKETS]  # WAD USD per base unit, the last published
confidence: uint256  # ppm, of Pyth's price
is_over: bool[MARKETS]  # whether a market has been settled
_salt: uint256  # so that suites that are called alike act otherwise
_seed: uint256

_names: DynArray[String[64], NAMES]  # of what was counted
_counts: HashMap[String[64], uint256]


@internal
def _open(exchange: IExchange.Exchange):
    """
    @notice The exchange is deployed, and time begins.
    """
    self.exchange = exchange
    self.token = IToken(exchange.token)
    self.oracle = IPriceOracle(exchange.oracle)
    self.second_source = MockAggregator.__at__(exchange.second_source)
    self.clearinghouse = exchange.clearinghouse
    self.book = exchange.book
    self.pool = exchange.pool
    self.lens = ILens(exchange.lens)
    for market: uint256 in range(MARKETS):
        self.prices[market] = FIRST_PRICES[market] * WAD
    self.now = START
    self._salt = exchange.pool_size
    extcall VM.warp(self.now)
    self._prank(OWNER)
    extcall self.oracle.set_publisher(self, True)


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
    return (1 + self._draw(50)) * 10**(4 + self._draw(5))


@internal
@pure
def _trader(number: uint256) -> address:
    return TRADER_ADDRESSES[number]


@internal
@pure
def _number(account: address) -> uint256:
    """
    @return A trader's number; TRADERS for anybody else.
    """
    for number: uint256 in range(TRADERS):
        if TRADER_ADDRESSES[number] == account:
            return number
    return TRADERS


@internal
@pure
def _key(account: address) -> uint256:
    """
    @notice What a trader or the broker signs with.
    """
    return BROKER_KEY if account == BROKER else FIRST_TRADER_KEY + self._number(account)


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
    if not self.is_over[market]:
        extcall self.oracle.update(market, self._payload(market))


@internal
def _settle(market: uint256):
    """
    @notice A market's price is final: there is no other.
    """
    self.is_over[market] = True


@internal
def _doubt(confidence: uint256):
    """
    @param confidence Ppm, of Pyth's price from its next publication on.
    """
    self.confidence = confidence


@internal
@view
def _payload(market: uint256) -> Bytes[320]:
    """
    @notice A market's price of now, as its feed wants it.
    """
    if market == PUBLISHED:
        return abi_encode(self.prices[market], self.now)
    price: uint256 = self.prices[market] // PYTH_UNIT
    updates: DynArray[Bytes[160], 1] = [
        abi_encode(
            PYTH_ID,
            convert(price, int64),
            convert(price * self.confidence // PPM, uint64),
            convert(-8, int32),
            self.now,
        )
    ]
    return abi_encode(updates)


@internal
@view
def _quoted(market: uint256) -> words.Price:
    """
    @notice What the oracle says of a market.
    """
    return words.unpack_price(staticcall self.oracle.price_word(market))


@internal
def _shift(market: uint256, factor: uint256):
    """
    @notice A market's price, from its next publication on. It stays within a third and twice its
            first.
    @param factor Ppm.
    """
    first: uint256 = FIRST_PRICES[market] * WAD
    self.prices[market] = max(min(self.prices[market] * factor // PPM, 2 * first), first // 3)


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
    reason: String[48] = abi_decode(slice(answer, 4, len(answer) - 4), String[48])
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
