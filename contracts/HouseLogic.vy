# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title House logic
@license MIT
@notice The clearinghouse's code for insurance, fees and the pool's money. It runs in the
        clearinghouse's storage; called directly it finds its own, which is empty.
"""

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import IHouse
from .lib import words
from .modules import backing
from .modules import custody
from .modules import insurance
from .modules import ledger
from .modules import markets
from .modules import roles

implements: IHouse

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: ledger
initializes: roles[ownable := ownable, ledger := ledger]
initializes: markets
initializes: custody
initializes: backing[ledger := ledger, markets := markets]
initializes: insurance[ownable := ownable, ledger := ledger, markets := markets, custody := custody, backing := backing]

LIQUIDITY_POOL: immutable(address)
SELF: immutable(address)  # where this code lies; it runs elsewhere


@deploy
def __init__(token: address, price_oracle: address, liquidity_pool: address):
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(empty(address))
    markets.__init__(price_oracle)
    custody.__init__(token)
    LIQUIDITY_POOL = liquidity_pool
    SELF = self


@external
def fund_insurance(amount: uint256):
    self._require_delegated()
    insurance._fund(amount)


@external
def request_insurance(amount: uint256):
    insurance._request(amount)


@external
def withdraw_insurance(receiver: address):
    insurance._withdraw(receiver)


@external
def claim_fees(receiver: address):
    ownable._check_owner()
    house: words.House = ledger._load_house()
    amount: uint256 = custody._to_tokens(house.fees)
    quote: uint256 = custody._to_quote(amount)
    house.fees -= quote
    house_word: uint256 = ledger._store_house(house)
    log IHouse.FeesClaimed(receiver=receiver, amount=quote, house_word=house_word)
    custody._push(receiver, amount)


@external
def add_liquidity(amount: uint256):
    self._require_pool()
    custody._require_small(amount)
    house: words.House = ledger._load_house()
    house.pool_cash += convert(amount, int256)
    house_word: uint256 = ledger._store_house(house)
    log IHouse.LiquidityAdded(amount=amount, house_word=house_word)


@external
def remove_liquidity(amount: uint256):
    self._require_pool()
    custody._require_small(amount)
    house: words.House = ledger._load_house()
    house.pool_cash -= convert(amount, int256)
    house_word: uint256 = ledger._store_house(house)
    ledger._pay(LIQUIDITY_POOL, amount)
    log IHouse.LiquidityRemoved(amount=amount, house_word=house_word)


@internal
@view
def _require_delegated():
    # Called directly it would take the tokens into a contract that can not give them back.
    assert self != SELF, "logic: called directly"


@internal
@view
def _require_pool():
    assert msg.sender == LIQUIDITY_POOL, "caller: not allowed"
