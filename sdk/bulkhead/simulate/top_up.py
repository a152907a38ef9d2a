"""Margin that a liquidation adds to a vault before anything is closed: `modules/top_up.vy`.

Where its owner lets it: all that brings it back to initial margin, or nothing. No other position is
touched.
"""

from dataclasses import replace

from bulkhead import decisions
from bulkhead.decisions import Vault
from bulkhead.simulate import cross_margin
from bulkhead.simulate.closing import Book
from bulkhead.simulate.ledger import Ledger
from bulkhead.simulate.liquidation import Cut
from bulkhead.valuation import is_long


def top_up(ledger: Ledger, liquidator: str, book: Book, cut: Cut) -> bool:
    """Adds margin out of the allowance and of what is withdrawable, the reward on top.

    What cannot be valued counts as nothing: the liquidation goes on.

    Args:
        ledger: The words.
        liquidator: Whom the batch pays.
        book: The market's.
        cut: Of a vault with equity below initial margin.

    Returns:
        Whether it was added.
    """
    account, slot, position = cut.account, cut.slot, cut.position
    if not position.auto_margin:
        return False
    settings, owner = ledger.settings(account, book.market), ledger.account(account)
    legs = cross_margin.value_legs(ledger, account, owner.legs)
    added = decisions.top_up_of(
        Vault(account, book.market, slot, position), book.state, settings, owner, legs
    )
    if added is None:
        return False
    total = added.amount + added.reward
    if is_long(slot):
        settings = replace(settings, long_allowance=settings.long_allowance - total)
    else:
        settings = replace(settings, short_allowance=settings.short_allowance - total)
    fed = replace(position, margin=position.margin + added.amount)
    ledger.log(
        "MarginToppedUp",
        account=account,
        market=book.market,
        liquidator=liquidator,
        slot=slot,
        amount=added.amount,
        reward=added.reward,
        position_word=ledger.store_position(account, book.market, slot, fed),
        account_word=ledger.store_account(account, replace(owner, cash=owner.cash - total)),
        settings_word=ledger.store_settings(account, book.market, settings),
    )
    return True
