"""What a transaction offers for gas, and what its replacement does. Pure.

Nodes take a replacement that offers a tenth more of everything. So work stops a whole bump below
the most that may ever be paid: a transfer that cancels it can always outbid it.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulkhead.chain import Fees, GasPrice
from bulkhead.keeper.dispatch.flights import Flight

REPLACEMENT = 10  # percent that nodes ask of a replacement
_MAX_COLUMN = 2**63 - 1  # what the journal's numbers hold


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How transactions are sent, watched and replaced.

    Attributes:
        max_fee: Wei per unit of gas that none ever offers more than.
        bump: Percent that each replacement offers more; nodes ask for ten.
        patience_blocks: After so many blocks a transaction that is not mined is stuck.
        confirmations: After so many blocks a mined one is final.
        in_flight: How many a signer may have on their way at once.

    Raises:
        ValueError: If they can not be kept.
    """

    max_fee: int
    bump: int = 25
    patience_blocks: int = 3
    confirmations: int = 64
    in_flight: int = 4

    def __post_init__(self) -> None:
        if not 0 < self.max_fee <= _MAX_COLUMN:
            raise ValueError("max_fee: between 1 wei and 9 ETH per unit of gas")
        if not REPLACEMENT <= self.bump <= 1_000:
            raise ValueError(f"bump: nodes ask for {REPLACEMENT} percent")
        for name in ("patience_blocks", "confirmations", "in_flight"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: at least 1")

    @property
    def work_fee(self) -> int:
        """The most that work offers, down: raised once more it is not above `max_fee`."""
        return (self.max_fee - 1) * 100 // (100 + self.bump)


@dataclass(frozen=True, slots=True)
class Bid:
    """What takes the place of a stuck transaction.

    Attributes:
        fees: What it offers.
        is_cancel: Whether it is a transfer of nothing, and the work is given up.
    """

    fees: Fees
    is_cancel: bool


def first_fees(price: GasPrice, policy: SendingPolicy) -> Fees | None:
    """What new work offers; None while gas costs more than work may pay."""
    if price.least > policy.work_fee:
        return None
    return price.offer().capped(policy.work_fee)


def next_bid(flight: Flight, price: GasPrice, policy: SendingPolicy) -> Bid | None:
    """What takes the place of a transaction that is stuck; None if it already offers the most.

    Work whose tasks others have done is given up at once.
    """
    last = flight.last
    wanted = _higher(last.fees.raised(policy.bump), price.offer())
    if flight.intents and not last.is_cancel:
        fees = wanted.capped(policy.work_fee)
        if _replaces(fees, last.fees):
            return Bid(fees, is_cancel=False)
    fees = wanted.capped(policy.max_fee)
    return Bid(fees, is_cancel=True) if _replaces(fees, last.fees) else None


def _higher(one: Fees, other: Fees) -> Fees:
    if one.tip is None or other.tip is None:
        return Fees(max(one.most, other.most), None)
    return Fees(max(one.most, other.most), max(one.tip, other.tip))


def _replaces(fees: Fees, old: Fees) -> bool:
    least = old.raised(REPLACEMENT)
    return fees.most >= least.most and (fees.tip or 0) >= (least.tip or 0)
