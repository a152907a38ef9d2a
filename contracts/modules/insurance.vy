# pragma version 0.4.3
"""
@title Insurance
@license MIT
@notice The fund that pays what liquidations leave unpaid. Anyone gives to it; the owner takes from
        it what he announced days before, and never what open positions may need.
"""

from snekmate.auth import ownable

from ..interfaces import IHouse
from ..lib import house_math
from ..lib import price_validity
from ..lib import words
from . import backing
from . import custody
from . import ledger
from . import markets

uses: backing
uses: custody
uses: ledger
uses: markets
uses: ownable

NOTICE: constant(uint256) = 3 * 86_400  # seconds from the announcement to the first withdrawal
WINDOW: constant(uint256) = 7 * 86_400  # seconds an announcement may be acted on after that


@internal
def _fund(amount: uint256):
    quote: uint256 = custody._to_quote(amount)
    house: words.House = ledger._load_house()
    house.insurance += quote
    house_word: uint256 = ledger._store_house(house)
    log IHouse.InsuranceFunded(payer=msg.sender, amount=quote, house_word=house_word)
    custody._pull(msg.sender, self, amount)


@internal
def _request(amount: uint256):
    ownable._check_owner()
    self._require_covered(ledger._load_house().insurance, amount)
    claimable_at: uint256 = 0
    if amount != 0:
        claimable_at = block.timestamp + NOTICE
    ledger._insurance_requested = amount
    ledger._insurance_claimable_at = claimable_at
    log IHouse.InsuranceRequested(amount=amount, claimable_at=claimable_at)


@internal
def _withdraw(receiver: address):
    ownable._check_owner()
    requested: uint256 = ledger._insurance_requested
    claimable_at: uint256 = ledger._insurance_claimable_at
    assert requested != 0, "insurance: none requested"
    assert block.timestamp >= claimable_at, "insurance: too early"
    assert block.timestamp <= claimable_at + WINDOW, "insurance: lapsed"
    house: words.House = ledger._load_house()
    assert house.pool_cash >= 0, "pool: short of cash"
    # Liquidations may have used some of what was announced.
    amount: uint256 = custody._to_tokens(min(requested, house.insurance))
    quote: uint256 = custody._to_quote(amount)
    house.insurance -= quote
    self._require_covered(house.insurance, self._needed())

    ledger._insurance_requested = 0
    ledger._insurance_claimable_at = 0
    house_word: uint256 = ledger._store_house(house)
    log IHouse.InsuranceWithdrawn(receiver=receiver, amount=quote, house_word=house_word)
    custody._push(receiver, amount)


@internal
@view
def _needed() -> uint256:
    """
    @notice What open positions may need of the fund in quote units, up: a penalty on the larger side of
            every market, all of which must have firm prices and be backed by their shares of the pool.
    """
    needed: uint256 = 0
    for market: uint256 in range(markets.count, bound=words.MAX_MARKETS):
        size: uint256 = max(markets._side(market, True).size, markets._side(market, False).size)
        if size == 0:
            continue
        price: words.Price = markets._price(market)
        assert (
            price_validity.may_move_liquidity(price, block.timestamp)
            and (price.kind != words.CHAINLINK or markets._is_latest(market))
        ), "price: not firm"
        owed: int256 = backing._owed(market, markets._accrued(market, price), price.price)
        backing._require_backed(owed, markets._trade_terms(market).pool_share)
        needed += house_math.insurance_need(
            size, price.price, markets._liquidation_terms(market).penalty
        )
    return needed


@internal
@pure
def _require_covered(insurance: uint256, amount: uint256):
    assert amount <= insurance, "insurance: too little"
