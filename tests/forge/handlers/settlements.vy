# pragma version 0.4.3
"""
@title Settlements
@license MIT
@notice Markets end. From the beginning of an announced hour on nothing trades or is liquidated there;
        once its price is final everybody's positions are closed at it, and then nobody has any. The
        pool loses nothing by it, but for deficits that insurance can not pay.
"""

from contracts.lib import price_validity
from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage

DAY: constant(uint256) = 86_400
PATIENCE: constant(uint256) = 3 * DAY  # seconds that an hour without a price is waited for one
SILENCE: constant(uint256) = 7 * DAY + 3_600  # after which a feed is dead


@external
def announce_settlement(seed: bytes32):
    """
    @notice The owner announces that a market ends, or takes it back.
    """
    stage._begin(seed)
    market: uint256 = stage._draw(stage.MARKETS)
    price: words.Price = stage._quoted(market)
    if price.settles_at == 0:
        hour: uint256 = stage.now // words.HOUR + stage._draw(24)
        if stage._chance(15):
            hour += 25
        is_soon: bool = hour * words.HOUR < stage.now + DAY
        if self._attempt(
            "announce_settlement",
            abi_encode(market, hour, method_id=method_id("announce_settlement(uint256,uint256)")),
        ):
            assert not is_soon, "settlement: no notice"
    elif stage._chance(50):
        if self._attempt(
            "cancel_settlement",
            abi_encode(market, method_id=method_id("cancel_settlement(uint256)")),
        ):
            assert not price_validity.is_settling(price, stage.now), "settlement: taken back late"
    books._close(books.NOBODY)


@external
def await_settlement(seed: bytes32):
    """
    @notice Time passes up to, into or through an announced hour, with prices or in silence.
    """
    stage._begin(seed)
    market: uint256 = self._ending()
    start: uint256 = stage._quoted(market).settles_at * words.HOUR
    if start != 0 and not stage.is_over[market]:
        if stage.now < start and stage._chance(60):
            ahead: uint256 = start - stage.now
            stage._advance(ahead - min(stage._draw(1_800), ahead))
        elif stage.now < start:
            stage._advance(start + words.HOUR - stage.now)
        elif stage.now < start + words.HOUR:
            stage._advance(stage._draw(words.HOUR) + 1)
        elif stage._chance(50):
            stage._advance(PATIENCE)
        if stage._chance(80):
            stage._refresh()
    books._close(books.NOBODY)


@external
def fix_settlement(seed: bytes32):
    stage._begin(seed)
    market: uint256 = self._ending()
    start: uint256 = stage._quoted(market).settles_at * words.HOUR
    if self._attempt(
        "fix_settlement", abi_encode(market, method_id=method_id("fix_settlement(uint256)"))
    ):
        assert start != 0 and stage.now >= start + words.HOUR, "settlement: fixed too soon"
        self._end(market)
    if stage.is_over[market]:
        self._settle(market)
    self._close(market)


@external
def settle_dead(seed: bytes32):
    """
    @notice Seldom after a week of silence of one market, or of both.
    """
    stage._begin(seed)
    market: uint256 = stage._draw(stage.MARKETS)
    last: uint256 = stage._quoted(market).published_at
    if stage._chance(2):
        stage._advance(SILENCE + 1)
        if stage._chance(50):
            stage._publish(1 - market)
    if self._attempt(
        "settle_dead", abi_encode(market, method_id=method_id("settle_dead(uint256)"))
    ):
        assert stage.now > last + SILENCE, "settlement: not dead"
        self._end(market)
        self._settle(market)
    self._close(market)


@external
def settle_positions(seed: bytes32):
    """
    @notice Anybody, at any time: before a price is final none is closed.
    """
    stage._begin(seed)
    market: uint256 = stage._draw(stage.MARKETS)
    self._settle(market)
    self._close(market)


@internal
def _close(market: uint256):
    """
    @notice Before a market is over no trader has a part in its settlement.
    """
    books._close(books.EVERYBODY if stage.is_over[market] else books.NOBODY)


@internal
def _ending() -> uint256:
    """
    @notice Any market; but if that is not to end and another is, the other.
    """
    market: uint256 = stage._draw(stage.MARKETS)
    if stage._quoted(market).settles_at == 0 or stage.is_over[market]:
        return 1 - market
    return market


@internal
def _settle(market: uint256):
    """
    @notice A keeper closes everybody's positions of a market, or some.
    """
    ids: DynArray[uint256, 64] = []
    is_all: bool = stage._chance(70)
    for trader: uint256 in range(stage.TRADERS):
        for slot: uint256 in range(4):
            if is_all or stage._chance(30):
                ids.append(words.position_id(stage._trader(trader), market, slot))
    equity: int256 = books._pool_equity()
    closed: uint256 = stage._must(
        "try to settle",
        stage.KEEPER,
        stage.clearinghouse,
        abi_encode(ids, method_id=method_id("settle_positions(uint256[])")),
    )
    if not stage.is_over[market]:
        assert closed == 0, "settlement: before its price is final"
        stage._count("settle_positions refused")
        return
    if closed != 0:
        stage._count("settle_positions")
        if books._house().insurance != 0:
            assert books._pool_equity() >= equity, "settlement: the pool lost"
    if is_all:
        self._require_empty(market)


@internal
def _end(market: uint256):
    price: words.Price = stage._quoted(market)
    assert price_validity.is_settled(price), "settlement: price not final"
    first: uint256 = stage.FIRST_PRICES[market] * 10**15 // stage.LOTS[market]
    assert price.price >= first // 3 - 1 and price.price <= 2 * first, "settlement: no such price"
    stage._settle(market)


@internal
@view
def _require_empty(market: uint256):
    for trader: uint256 in range(stage.TRADERS):
        account: words.Account = books._account(stage._trader(trader))
        assert (account.legs >> (2 * market)) & 3 == 0, "settlement: a leg is left"
        for slot: uint256 in range(4):
            assert books._position(stage._trader(trader), market, slot).size == 0, (
                "settlement: a position is left"
            )
    sides: words.Side[2] = books._sides(market)
    for side: words.Side in sides:
        assert side.size == 0 and side.basis == 0, "settlement: a side is left"


@internal
def _attempt(name: String[32], data: Bytes[5120]) -> bool:
    return stage._attempt(name, stage.OWNER, stage.oracle.address, data)[0]
