# pragma version 0.4.3
"""
@title Owners
@license MIT
@notice What the owner does to markets and the house. 14: no trader's words change by it, and nobody
        becomes liquidatable in the block a change lands in.
"""

from contracts.interfaces import IMarkets
from contracts.lib import words
from . import books
from . import stage

uses: books
uses: stage

DAY: constant(uint256) = 86_400


@external
def set_terms(seed: bytes32):
    """
    @notice Fees, funding and a market's share of the pool; the least share brings deleveraging on.
    """
    stage._begin(seed)
    stage._refresh()
    market: uint256 = stage._draw(stage.MARKETS)
    terms: IMarkets.Terms = stage._terms(market)
    fees: uint256[4] = [150, 300, 500, 1_000]
    terms.taker_fee = fees[stage._draw(4)]
    terms.maker_fee = stage._draw(3) * 100
    if stage._chance(30):
        terms.funding_velocity = 0
    if stage._chance(25):
        terms.pool_share = 1 + stage._draw(1_000)
    self._attempt(
        "set_terms",
        abi_encode(
            market,
            terms,
            method_id=method_id(
                "set_terms(uint256,(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256))"
            ),
        ),
    )
    books._close(books.NOBODY)


@external
def set_status(seed: bytes32):
    stage._begin(seed)
    stage._must(
        "set_status",
        stage.OWNER,
        stage.clearinghouse,
        abi_encode(
            stage._draw(stage.MARKETS),
            convert(stage._chance(10), uint256),
            method_id=method_id("set_status(uint256,uint256)"),
        ),
    )
    stage._must(
        "stop_opening",
        stage.OWNER,
        stage.clearinghouse,
        abi_encode(stage._chance(3), method_id=method_id("stop_opening(bool)")),
    )
    books._close(books.NOBODY)


@external
def ramp_tiers(seed: bytes32):
    """
    @notice Rates of up to twice the first ones, a day from now.
    """
    stage._begin(seed)
    stage._refresh()
    market: uint256 = stage._draw(stage.MARKETS)
    healthy: DynArray[address, 32] = self._swept()
    if self._attempt(
        "ramp_tiers",
        abi_encode(
            market,
            stage._tiers(stage.PPM + stage._draw(stage.PPM)),
            DAY,
            method_id=method_id("ramp_tiers(uint256,(uint256,uint256,uint256)[],uint256)"),
        ),
    ):
        assert books._liquidate_ledgers(healthy) == 0, "owner: made a ledger liquidatable"
    books._close(books.EVERYBODY)


@external
def end_ramp(seed: bytes32):
    stage._begin(seed)
    if stage._chance(50):
        for _: uint256 in range(6):
            stage._advance(4 * 3_600)
            stage._refresh()
    self._attempt(
        "end_ramp",
        abi_encode(stage._draw(stage.MARKETS), method_id=method_id("end_ramp(uint256)")),
    )
    books._close(books.NOBODY)


@external
def fund_insurance(seed: bytes32):
    stage._begin(seed)
    stage._must(
        "fund_insurance",
        stage.OWNER,
        stage.clearinghouse,
        abi_encode(
            1 + stage._draw(100 * stage.USD), method_id=method_id("fund_insurance(uint256)")
        ),
    )
    books._close(books.NOBODY)


@external
def withdraw_insurance(seed: bytes32):
    stage._begin(seed)
    if stage._chance(30):
        self._attempt(
            "request_insurance",
            abi_encode(
                1 + stage._draw(100 * stage.USD), method_id=method_id("request_insurance(uint256)")
            ),
        )
        if stage._chance(50):
            for _: uint256 in range(6):
                stage._advance(DAY // 2)
                stage._refresh()
    else:
        stage._refresh()
    self._attempt(
        "withdraw_insurance",
        abi_encode(stage.OWNER, method_id=method_id("withdraw_insurance(address)")),
    )
    books._close(books.NOBODY)


@external
def claim_fees(seed: bytes32):
    stage._begin(seed)
    self._attempt(
        "claim_fees", abi_encode(stage.OWNER, method_id=method_id("claim_fees(address)"))
    )
    books._close(books.NOBODY)


@internal
def _attempt(name: String[32], data: Bytes[5120]) -> bool:
    return stage._attempt(name, stage.OWNER, stage.clearinghouse, data)[0]


@internal
def _swept() -> DynArray[address, 32]:
    """
    @notice Every trader, after keepers have liquidated what was due.
    """
    accounts: DynArray[address, 32] = []
    for trader: uint256 in range(stage.TRADERS):
        accounts.append(stage._trader(trader))
    books._liquidate_ledgers(accounts)
    return accounts
