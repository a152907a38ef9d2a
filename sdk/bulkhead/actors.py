"""What everyone who sends transactions has: an exchange, a signer, and a way to pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkhead.chain import Program, Receipt, Verbs, address_of
from bulkhead.interfaces import Call
from bulkhead.values import QUOTE_DECIMALS, Amount, to_quote, to_units

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import ReaderVerbs

UNLIMITED = 2**256 - 1


class ActorVerbs(Verbs):
    """One signer at one exchange.

    Attributes:
        exchange: What it acts on.
        signer: Who signs.
        address: The signer's.
    """

    def __init__(self, exchange: ReaderVerbs, signer: Signer) -> None:
        self.exchange = exchange
        self.signer = signer
        self.address = address_of(signer)

    def _send(self, call: Call) -> Program[Receipt]:
        return self.exchange.node.send(call, self.signer)

    def _token_units(self, amount: Amount) -> int:
        # Whole quote units only: the ledger takes no part of one.
        quote = to_quote(amount)
        decimals = self.exchange.deployment.token_decimals
        if decimals < QUOTE_DECIMALS:
            return to_units(amount, decimals)
        return quote * int(10 ** (decimals - QUOTE_DECIMALS))

    def _allow(self, spender: str, units: int) -> Program[None]:
        """Approves a spender of the signer's tokens where its allowance is too low."""
        token = self.exchange.contracts.token
        allowance = token.call("allowance", self.address, spender)
        if (yield from self.exchange.node.read(allowance)) < units:
            yield from self._send(token.call("approve", spender, UNLIMITED))
