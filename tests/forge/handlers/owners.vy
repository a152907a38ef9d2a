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
from . import deployment
from . import stage

uses: books
uses: deployment
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
    terms: IMarkets.Terms = deployment._terms(market)
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
def guard(seed: bytes32):
    """
    @notice The owner names a guardian, who may stop what opens; only the owner lets it go on.
    """
    stage._begin(seed)
    stage._must(
        "set_guardian",
        stage.OWNER,
        stage.clearinghouse,
        abi_encode(stage.BROKER, method_id=method_id("set_guardian(address)")),
    )
    if stage._chance(3):
        stage._must(
            "stop_opening",
            stage.BROKER,
            stage.clearinghouse,
            abi_encode(True, method_id=method_id("stop_opening(bool)")),
        )
    assert not stage._attempt(
        "resume by guardian",
        stage.BROKER,
        stage.clearinghouse,
        abi_encode(False, method_id=method_id("stop_opening(bool)")),
    )[0], "guardian: resumed"
    books._close(books.NOBODY)


@external
def set_order_terms(seed: bytes32):
    """
    @notice Another keeper's fee and another maximum age of what rests; delay and window stay.
    """
    stage._begin(seed)
    fees: uint256[4] = [stage.KEEPER_FEE, stage.USD // 2, 0, 11 * stage.USD]
    ages: uint256[4] = [0, 7_200, 86_400, stage.DELAY]
    stage._attempt(
        "set_order_terms",
        stage.OWNER,
        stage.book,
        abi_encode(
            stage._draw(stage.MARKETS),
            fees[stage._draw(4)],
            stage.DELAY,
            stage.WINDOW,
            ages[stage._draw(4)],
            method_id=method_id("set_order_terms(uint256,uint256,uint256,uint256,uint256)"),
        ),
    )
    books._close(books.NOBODY)


@external
def replace_tiers(seed: bytes32):
    """
    @notice Only where nothing is open.
    """
    stage._begin(seed)
    market: uint256 = stage._draw(stage.MARKETS)
    sides: words.Side[2] = books._sides(market)
    if self._attempt(
        "replace_tiers",
        abi_encode(
            market,
            deployment._tiers(stage.PPM + stage._draw(stage.PPM)),
            method_id=method_id("replace_tiers(uint256,(uint256,uint256,uint256)[])"),
        ),
    ):
        assert sides[0].size + sides[1].size == 0, "owner: replaced tiers of what is open"
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
            deployment._tiers(stage.PPM + stage._draw(stage.PPM)),
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
    amount: uint256 = 1
    if books._house().insurance < stage.exchange.insurance_size:
        amount += stage._draw(stage.exchange.insurance_size // 2)
    stage._must(
        "fund_insurance",
        stage.OWNER,
        stage.clearinghouse,
        abi_encode(amount, method_id=method_id("fund_insurance(uint256)")),
    )
    books._close(books.NOBODY)


@external
def withdraw_insurance(seed: bytes32):
    stage._begin(seed)
    if stage._chance(30):
        amount: uint256 = 1 + stage._draw(100 * stage.USD)
        insurance: uint256 = books._house().insurance
        if insurance > stage.exchange.insurance_size and stage._chance(80):
            amount = insurance // (1 + stage._draw(4))
        self._attempt(
            "request_insurance",
            abi_encode(amount, method_id=method_id("request_insurance(uint256)")),
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
    self._attempt("claim_fees", abi_encode(stage.OWNER, method_id=method_id("claim_fees(address)")))
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
