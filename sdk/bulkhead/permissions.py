"""Who else may trade for an account, and what front-ends may charge it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bulkhead.actors import ActorVerbs
from bulkhead.chain import Program, Receipt, verb
from bulkhead.orders import Permission
from bulkhead.values import Amount, to_ppm, to_quote

if TYPE_CHECKING:
    from bulkhead.reader import MarketName


class PermissionVerbs(ActorVerbs):
    """Rights that one account gives to others."""

    @verb
    def set_operator(
        self,
        operator: str,
        permissions: Permission,
        *,
        markets: Iterable[MarketName] = (),
        notional: Amount = 0,
        expiry: int,
    ) -> Program[Receipt]:
        """Lets an operator trade for the signer, and replaces what it was allowed.

        Args:
            operator: Who.
            permissions: What it may do.
            markets: Where, unless `Permission.ALL_MARKETS` is among them.
            notional: USD that its orders may open in all.
            expiry: Seconds, the last it may act in.
        """
        bits = 0
        for market in markets:
            bits |= 1 << (yield from self.exchange.market_id(market))
        quote = to_quote(notional, "notional")
        call = ("set_operator", operator, int(permissions), bits, quote, expiry)
        return (yield from self._order_book(*call))

    @verb
    def revoke_operator(self, operator: str) -> Program[Receipt]:
        """Takes all rights from an operator; its orders end when their price comes."""
        return self._order_book("set_operator", operator, 0, 0, 0, 0)

    @verb
    def approve_builder(self, builder: str, max_fee: Amount) -> Program[Receipt]:
        """Lets a front-end charge up to a part of notional, at most 0.001; 0 revokes."""
        return self._order_book("approve_builder", builder, to_ppm(max_fee, "max_fee"))

    @verb
    def set_referrer(self, referrer: str) -> Program[Receipt]:
        """Names, once, who brought the signer's account."""
        return self._order_book("set_referrer", referrer)

    @verb
    def set_referral_share(self, share: Amount) -> Program[Receipt]:
        """As a builder: what part of its fees goes to the referrers of those who pay them."""
        return self._order_book("set_referral_share", to_ppm(share, "share"))

    def _order_book(self, name: str, *arguments: object) -> Program[Receipt]:
        return self._send(self.exchange.contracts.order_book.call(name, *arguments))
