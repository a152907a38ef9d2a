"""Money in and out of the cross ledger: `modules/custody.vy`, without the token.

Wallets and allowances are nobody's concern here: who pays has what he pays. All amounts are quote
units, which are the token's own where it has six decimals.
"""

from dataclasses import replace

from bulkhead.orders import NOBODY
from bulkhead.protocol import words
from bulkhead.simulate import cross_margin
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger


def to_quote(amount: int) -> int:
    """What one transfer may bring or take."""
    require(amount != 0, "amount: zero")
    require_small(amount)
    return amount


def require_small(quote: int) -> None:
    """Refuses more than one transfer may bring."""
    require(quote <= words.MAX_CASH, "amount: too large")


def require_receiver(receiver: str) -> None:
    """Refuses to send to nobody."""
    require(receiver != NOBODY, "receiver: bad address")


def deposit(ledger: Ledger, payer: str, account: str, amount: int) -> None:
    """Brings money into an account's cash."""
    quote = to_quote(amount)
    require(account != NOBODY, "account: zero")
    state = ledger.account(account)
    state = replace(state, cash=state.cash + quote)
    ledger.log(
        "Deposited",
        account=account,
        payer=payer,
        amount=quote,
        account_word=ledger.store_account(account, state),
    )


def withdraw(ledger: Ledger, account: str, amount: int, receiver: str) -> None:
    """Sends withdrawable cash out."""
    quote = to_quote(amount)
    state = ledger.account(account)
    cross_margin.require_withdrawable(ledger, account, state, quote)
    state = replace(state, cash=state.cash - quote)
    ledger.log(
        "Withdrawn",
        account=account,
        receiver=receiver,
        amount=quote,
        account_word=ledger.store_account(account, state),
    )
    require_receiver(receiver)
