"""Trades for an account: one signer, every verb the contracts give an account."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bulkhead.chain import Awaiting, Blocking, Program, Receipt, verb
from bulkhead.handles import AsyncOrderHandle, OrderHandle
from bulkhead.order_desk import Handle
from bulkhead.permits import Permit
from bulkhead.planning import PlanningVerbs
from bulkhead.values import Amount, to_ppm, to_quote

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import AsyncReader, MarketName, Reader


class TraderVerbs(PlanningVerbs[Handle]):
    """Acts for one account. Amounts are USD, sizes base units, prices USD per base unit.

    Its programs run on either transport.
    """

    # Money

    @verb
    def deposit(self, amount: Amount, account: str | None = None) -> Program[Receipt]:
        """Brings USD into an account's cash, the trader's own unless another is named.

        Approves the clearinghouse first where its allowance is too low.
        """
        units = self._token_units(amount)
        yield from self._allow(self.exchange.deployment.clearinghouse, units)
        return (yield from self._clearinghouse("deposit", account or self.account, units))

    @verb
    def deposit_with_permit(self, permit: Permit) -> Program[Receipt]:
        """Brings an account's own tokens in by its signed permit; anyone may send it."""
        return self._clearinghouse("deposit_with_permit", *permit)

    @verb
    def deposit_margin(
        self, market: MarketName, amount: Amount, *, is_long: bool, account: str | None = None
    ) -> Program[Receipt]:
        """Brings USD straight into an open isolated position's margin."""
        units = self._token_units(amount)
        yield from self._allow(self.exchange.deployment.clearinghouse, units)
        market_id = yield from self.exchange.market_id(market)
        owner = account or self.account
        return (yield from self._clearinghouse("deposit_margin", owner, market_id, is_long, units))

    @verb
    def withdraw(self, amount: Amount, receiver: str | None = None) -> Program[Receipt]:
        """Sends USD of the trader's cash out, to itself unless a receiver is named."""
        return (
            yield from self._clearinghouse(
                "withdraw", self._token_units(amount), receiver or self.address
            )
        )

    @verb
    def add_margin(self, market: MarketName, amount: Amount, *, is_long: bool) -> Program[Receipt]:
        """Moves USD of cash into an open isolated position."""
        market_id = yield from self.exchange.market_id(market)
        return (yield from self._clearinghouse("add_margin", market_id, is_long, to_quote(amount)))

    @verb
    def remove_margin(
        self, market: MarketName, amount: Amount, *, is_long: bool
    ) -> Program[Receipt]:
        """Moves USD of an isolated position's margin back to cash."""
        market_id = yield from self.exchange.market_id(market)
        return (
            yield from self._clearinghouse("remove_margin", market_id, is_long, to_quote(amount))
        )

    @verb
    def set_auto_margin(
        self, market: MarketName, allowance: Amount, *, is_long: bool
    ) -> Program[Receipt]:
        """Lets liquidations add margin to an open isolated position before they close it.

        Args:
            market: Where.
            allowance: USD in all, keepers' fees included; 0 revokes. It ends with the position.
            is_long: Which side.
        """
        market_id = yield from self.exchange.market_id(market)
        return (
            yield from self._clearinghouse(
                "set_auto_margin", market_id, is_long, to_quote(allowance, "allowance")
            )
        )

    @verb
    def convert_to_isolated(
        self, market: MarketName, margin: Amount = 0, *, is_long: bool
    ) -> Program[Receipt]:
        """Moves an open cross position into its own vault.

        Args:
            market: Where.
            margin: USD that go with it; 0 for the least: initial margin at the vault's leverage,
                and the unrealised loss.
            is_long: Which side.
        """
        market_id = yield from self.exchange.market_id(market)
        quote = to_quote(margin, "margin")
        return (yield from self._clearinghouse("convert_position", market_id, is_long, True, quote))

    @verb
    def convert_to_cross(self, market: MarketName, *, is_long: bool) -> Program[Receipt]:
        """Moves an open isolated position, and all of its margin, into the cross ledger."""
        market_id = yield from self.exchange.market_id(market)
        return (yield from self._clearinghouse("convert_position", market_id, is_long, False, 0))

    # Settings

    @verb
    def set_leverage(
        self,
        market: MarketName,
        leverage: Amount,
        *,
        is_isolated: bool = False,
        is_long: bool = True,
    ) -> Program[Receipt]:
        """Sets the leverage of an isolated side, or of both cross legs.

        Args:
            market: Where.
            leverage: Times; 0 for as much as the tiers allow.
            is_isolated: Which margin mode.
            is_long: Which side, if isolated.
        """
        market_id = yield from self.exchange.market_id(market)
        ppm = to_ppm(leverage, "leverage")
        return (
            yield from self._clearinghouse("set_leverage", market_id, ppm, is_isolated, is_long)
        )

    @verb
    def set_default_margin_mode(self, market: MarketName, *, is_isolated: bool) -> Program[Receipt]:
        """Sets what DEFAULT means in orders for a market."""
        market_id = yield from self.exchange.market_id(market)
        return (yield from self._clearinghouse("set_default_margin_mode", market_id, is_isolated))

    @verb
    def set_hedge_mode(self, is_hedge: bool) -> Program[Receipt]:
        """Switches between one-way and hedge mode; needs the account to be flat."""
        return self._clearinghouse("set_hedge_mode", is_hedge)

    def _clearinghouse(self, name: str, *arguments: object) -> Program[Receipt]:
        return self._send(self.exchange.contracts.clearinghouse.call(name, *arguments))


class Trader(Blocking, TraderVerbs[OrderHandle]):
    """Acts for one account, and waits for each transaction.

    Args:
        reader: The exchange.
        signer: Who signs: the account itself or its operator.
        account: Whose orders an operator places; the signer's own where it is None.
    """

    verbs: TraderVerbs[OrderHandle]

    def __init__(self, reader: Reader, signer: Signer, account: str | None = None) -> None:
        self.reader = reader
        self.transport = reader.transport
        handle = partial(OrderHandle, reader)
        self.verbs = TraderVerbs(reader.verbs, signer, handle, account)


class AsyncTrader(Awaiting, TraderVerbs[AsyncOrderHandle]):
    """Acts for one account; everything is awaited.

    Args:
        reader: The exchange.
        signer: Who signs: the account itself or its operator.
        account: Whose orders an operator places; the signer's own where it is None.
    """

    verbs: TraderVerbs[AsyncOrderHandle]

    def __init__(self, reader: AsyncReader, signer: Signer, account: str | None = None) -> None:
        self.reader = reader
        self.transport = reader.transport
        handle = partial(AsyncOrderHandle, reader)
        self.verbs = TraderVerbs(reader.verbs, signer, handle, account)
