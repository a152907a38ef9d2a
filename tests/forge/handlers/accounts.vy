# pragma version 0.4.3
"""
@title Accounts
@license MIT
@notice What traders do with money, margin and settings.
"""

from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage


@external
def deposit(seed: bytes32):
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    account: address = stage._trader(trader)
    amount: uint256 = stage._amount()
    if books._account(account).cash > convert(3_000 * stage.USD, int256):
        amount = 1
    stage._must(
        "deposit",
        account,
        stage.clearinghouse,
        abi_encode(account, amount, method_id=method_id("deposit(address,uint256)")),
    )
    books._close(trader)


@external
def withdraw(seed: bytes32):
    stage._begin(seed)
    if stage._chance(80):
        stage._refresh()
    trader: uint256 = stage._draw(stage.TRADERS)
    account: address = stage._trader(trader)
    cash: int256 = books._account(account).cash
    most: uint256 = convert(max(cash, 0), uint256) + 1
    if stage._chance(80):
        most = most // 20 + 1
    amount: uint256 = 1 + stage._draw(most)
    if self._attempt(
        "withdraw",
        account,
        abi_encode(amount, account, method_id=method_id("withdraw(uint256,address)")),
    ):
        assert books._account(account).cash == cash - convert(amount, int256), (
            "withdraw: wrong amount"
        )
        books._require_healthy_ledger(account)
    books._close(trader)


@external
def withdraw_all(seed: bytes32):
    """
    @notice Someone without a cross leg can withdraw all cash, whatever the prices are.
    """
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    account: address = stage._trader(trader)
    state: words.Account = books._account(account)
    if state.legs == 0 and state.cash > 0 and stage._chance(20):
        stage._must(
            "withdraw_all",
            account,
            stage.clearinghouse,
            abi_encode(state.cash, account, method_id=method_id("withdraw(uint256,address)")),
        )
        assert books._account(account).cash == 0, "withdraw: wrong amount"
    books._close(trader)


@external
def deposit_margin(seed: bytes32):
    """
    @notice Anyone can, without a price.
    """
    stage._begin(seed)
    place: books.Place = books._find(words.ISOLATED_LONG, 2)
    if place.trader != books.NOBODY:
        stage._must(
            "deposit_margin",
            stage.OWNER,
            stage.clearinghouse,
            abi_encode(
                place.account,
                place.market,
                place.slot == words.ISOLATED_LONG,
                1 + stage._draw(50 * stage.USD),
                method_id=method_id("deposit_margin(address,uint256,bool,uint256)"),
            ),
        )
    books._close(place.trader)


@external
def add_margin(seed: bytes32):
    stage._begin(seed)
    if stage._chance(90):
        stage._refresh()
    place: books.Place = books._find(words.ISOLATED_LONG, 2)
    if place.trader != books.NOBODY and self._attempt(
        "add_margin",
        place.account,
        abi_encode(
            place.market,
            place.slot == words.ISOLATED_LONG,
            1 + stage._draw(100 * stage.USD),
            method_id=method_id("add_margin(uint256,bool,uint256)"),
        ),
    ):
        books._require_healthy_ledger(place.account)
    books._close(place.trader)


@external
def remove_margin(seed: bytes32):
    stage._begin(seed)
    if stage._chance(95):
        stage._refresh()
    place: books.Place = books._find(words.ISOLATED_LONG, 2)
    if place.trader != books.NOBODY and self._attempt(
        "remove_margin",
        place.account,
        abi_encode(
            place.market,
            place.slot == words.ISOLATED_LONG,
            1 + stage._draw(place.position.margin // 4 + 1),
            method_id=method_id("remove_margin(uint256,bool,uint256)"),
        ),
    ):
        books._require_healthy_vault(place.account, place.market, place.slot)
    books._close(place.trader)


@external
def set_auto_margin(seed: bytes32):
    stage._begin(seed)
    place: books.Place = books._find(words.ISOLATED_LONG, 2)
    if place.trader != books.NOBODY:
        stage._must(
            "set_auto_margin",
            place.account,
            stage.clearinghouse,
            abi_encode(
                place.market,
                place.slot == words.ISOLATED_LONG,
                0 if stage._chance(10) else 100 * stage.USD + stage._amount(),
                method_id=method_id("set_auto_margin(uint256,bool,uint256)"),
            ),
        )
    books._close(place.trader)


@external
def convert_position(seed: bytes32):
    stage._begin(seed)
    if stage._chance(95):
        stage._refresh()
    place: books.Place = books._find(0, 4)
    to_isolated: bool = place.slot < words.ISOLATED_LONG
    if place.trader != books.NOBODY and self._attempt(
        "convert to isolated" if to_isolated else "convert to cross",
        place.account,
        abi_encode(
            place.market,
            place.slot % 2 == 0,
            to_isolated,
            stage._amount() if to_isolated and stage._chance(30) else 0,
            method_id=method_id("convert_position(uint256,bool,bool,uint256)"),
        ),
    ):
        place.slot ^= 2
        if to_isolated:
            books._require_healthy_vault(place.account, place.market, place.slot)
        books._require_healthy_ledger(place.account)
    books._close(place.trader)


@external
def set_leverage(seed: bytes32):
    stage._begin(seed)
    if stage._chance(90):
        stage._refresh()
    trader: uint256 = stage._draw(stage.TRADERS)
    account: address = stage._trader(trader)
    times: uint256[5] = [0, 1, 5, 10, 50]
    market: uint256 = stage._draw(stage.MARKETS)
    is_isolated: bool = stage._chance(50)
    is_taken: bool = self._attempt(
        "set_leverage",
        account,
        abi_encode(
            market,
            times[stage._draw(5)] * stage.PPM,
            is_isolated,
            stage._chance(50),
            method_id=method_id("set_leverage(uint256,uint256,bool,bool)"),
        ),
    )
    if is_taken and not is_isolated and (books._account(account).legs >> (2 * market)) & 3 != 0:
        books._require_healthy_ledger(account)
    books._close(trader)


@external
def set_default_margin_mode(seed: bytes32):
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    stage._must(
        "set_default_margin_mode",
        stage._trader(trader),
        stage.clearinghouse,
        abi_encode(
            stage._draw(stage.MARKETS),
            stage._chance(50),
            method_id=method_id("set_default_margin_mode(uint256,bool)"),
        ),
    )
    books._close(trader)


@external
def set_hedge_mode(seed: bytes32):
    stage._begin(seed)
    trader: uint256 = stage._draw(stage.TRADERS)
    self._attempt(
        "set_hedge_mode",
        stage._trader(trader),
        abi_encode(stage._chance(50), method_id=method_id("set_hedge_mode(bool)")),
    )
    books._close(trader)


@internal
def _attempt(name: String[32], account: address, data: Bytes[5120]) -> bool:
    return stage._attempt(name, account, stage.clearinghouse, data)[0]
