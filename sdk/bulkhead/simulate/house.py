"""Insurance, the treasury's fees, the pool's money: `HouseLogic.vy`, `modules/insurance.vy`."""

from dataclasses import replace

from bulkhead.deleveraging import owed_by
from bulkhead.protocol import house_math, price_validity
from bulkhead.simulate.backing import require_backed
from bulkhead.simulate.cross_margin import require_firm
from bulkhead.simulate.custody import require_receiver, require_small, to_quote
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger

NOTICE = 3 * 86_400  # seconds from an announced withdrawal of insurance to the first moment for it
WINDOW = 7 * 86_400  # seconds it may be made after that


def fund_insurance(ledger: Ledger, payer: str, amount: int) -> None:
    """Gives to the insurance fund."""
    quote, house = to_quote(amount), ledger.house
    word = ledger.store_house(replace(house, insurance=house.insurance + quote))
    ledger.log("InsuranceFunded", payer=payer, amount=quote, house_word=word)


def request_insurance(ledger: Ledger, amount: int) -> None:
    """Announces the owner's withdrawal from insurance; 0 withdraws the announcement."""
    _require_covered(ledger.house.insurance, amount)
    claimable_at = ledger.now + NOTICE if amount else 0
    ledger.set("insurance_request", (amount, claimable_at))
    ledger.log("InsuranceRequested", amount=amount, claimable_at=claimable_at)


def withdraw_insurance(ledger: Ledger, receiver: str) -> None:
    """Sends what was announced, as far as what stays covers open positions."""
    requested, claimable_at = ledger.state.insurance_request
    require(requested != 0, "insurance: none requested")
    require(ledger.now >= claimable_at, "insurance: too early")
    require(ledger.now <= claimable_at + WINDOW, "insurance: lapsed")
    house = ledger.house
    require(house.pool_cash >= 0, "pool: short of cash")
    # Liquidations may have used some of what was announced.
    quote = to_quote(min(requested, house.insurance))
    house = replace(house, insurance=house.insurance - quote)
    _require_covered(house.insurance, _needed(ledger))
    ledger.set("insurance_request", (0, 0))
    word = ledger.store_house(house)
    ledger.log("InsuranceWithdrawn", receiver=receiver, amount=quote, house_word=word)
    require_receiver(receiver)


def claim_fees(ledger: Ledger, receiver: str) -> None:
    """Sends the treasury's unclaimed fees."""
    house = ledger.house
    quote = to_quote(house.fees)
    word = ledger.store_house(replace(house, fees=house.fees - quote))
    ledger.log("FeesClaimed", receiver=receiver, amount=quote, house_word=word)
    require_receiver(receiver)


def add_liquidity(ledger: Ledger, amount: int) -> None:
    """Counts money that the pool has brought in as pool cash."""
    require_small(amount)
    house = ledger.house
    word = ledger.store_house(replace(house, pool_cash=house.pool_cash + amount))
    ledger.log("LiquidityAdded", amount=amount, house_word=word)


def remove_liquidity(ledger: Ledger, amount: int) -> None:
    """Moves pool cash to the pool's own account, from which it withdraws."""
    require_small(amount)
    house = ledger.house
    word = ledger.store_house(replace(house, pool_cash=house.pool_cash - amount))
    ledger.pay(ledger.state.liquidity_pool, amount)
    ledger.log("LiquidityRemoved", amount=amount, house_word=word)


def stop_opening(ledger: Ledger, stopped: bool) -> None:
    """Stops all opening and growing, or lets it go on."""
    word = ledger.store_house(replace(ledger.house, flags=int(stopped)))
    ledger.log("OpeningStopped", stopped=stopped, house_word=word)


def _needed(ledger: Ledger) -> int:
    """What open positions may need of insurance, quote, up: a penalty on every larger side.

    All must have firm prices and be backed by their shares of the pool.
    """
    needed = 0
    for market in sorted(ledger.state.markets):
        state = ledger.market_state(market)
        size = max(state.long.size, state.short.size)
        if not size:
            continue
        may_move = price_validity.may_move_liquidity(state.price, ledger.now)
        require_firm(may_move and state.is_latest)
        require_backed(ledger, owed_by(state), state.market.terms.pool_share)
        penalty = state.market.liquidation_terms.penalty
        needed += house_math.insurance_need(size, state.price.price, penalty)
    return needed


def _require_covered(insurance: int, amount: int) -> None:
    require(amount <= insurance, "insurance: too little")
