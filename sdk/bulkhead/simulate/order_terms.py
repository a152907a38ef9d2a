"""When a market's orders may fill and what that costs: `OrderLogic.set_order_terms`."""

from bulkhead.protocol import words
from bulkhead.protocol.words import OrderTerms
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger

MAX_KEEPER_FEE = 10 * 10**6  # 10 USD
MAX_DELAY = 600  # seconds
MIN_WINDOW = 10  # seconds


def set_order_terms(
    ledger: Ledger, market: int, keeper_fee: int, delay: int, window: int, max_age: int
) -> None:
    """Sets a market's order terms.

    Args:
        ledger: The words.
        market: Whose.
        keeper_fee: Quote.
        delay: Seconds from commit to the first price that may fill.
        window: Seconds a market order stays executable after that.
        max_age: Seconds any other order may rest, 0 for as long as it likes.
    """
    ledger.require_listed(market)
    require(keeper_fee <= MAX_KEEPER_FEE, "keeper: fee too high")
    require(0 < delay <= MAX_DELAY, "order: bad delay")
    require(MIN_WINDOW <= window < 2**16, "order: bad window")
    require(max_age < 2**32 and (max_age == 0 or max_age > delay), "order: bad maximum age")
    terms = OrderTerms(keeper_fee=keeper_fee, delay=delay, window=window, max_age=max_age)
    words.pack_order_terms(terms)
    ledger.put(ledger.state.order_terms, market, terms)
    ledger.log(
        "OrderTermsSet",
        market=market,
        keeper_fee=keeper_fee,
        delay=delay,
        window=window,
        max_age=max_age,
    )
