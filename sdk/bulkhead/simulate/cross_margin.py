"""What an account's cross legs are worth and require together: `modules/cross_margin.vy`."""

from bulkhead import valuation
from bulkhead.protocol.words import Account
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger
from bulkhead.valuation import Valuation


def value_legs(ledger: Ledger, account: str, legs: int) -> Valuation:
    """Values the given cross legs of an account at the current prices.

    Args:
        ledger: The words.
        account: Whose.
        legs: Bits of `Account.legs`.
    """
    keys = valuation.keys_of(legs)
    return valuation.value_legs(
        {key: ledger.position(account, *key) for key in keys},
        {market: ledger.market_state(market) for market, _ in keys},
    )


def require_withdrawable(ledger: Ledger, account: str, state: Account, amount: int) -> None:
    """Refuses unless `amount` quote units may leave the cross ledger now."""
    available = state.cash
    if state.legs:
        legs = value_legs(ledger, account, state.legs)
        require_firm(legs.is_firm)
        available = valuation.free_cash(state.cash, legs)
    require(available >= 0 and available >= amount, "balance: not withdrawable")


def require_firm(is_firm: bool) -> None:
    """Refuses a price that is not fresh or that its oracle doubts."""
    require(is_firm, "price: not firm")
