"""Trades for an account: one signer, every verb the contracts give an account."""

from __future__ import annotations

from bulkhead.chain import Receipt
from bulkhead.order_desk import OrderDesk
from bulkhead.permits import Permit
from bulkhead.reader import MarketName
from bulkhead.values import Amount, to_ppm, to_quote, to_units

UNLIMITED = 2**256 - 1


class Trader(OrderDesk):
    """Acts for one account. Amounts are USD, sizes base units, prices USD per base unit.

    Args:
        reader: The exchange.
        signer: Who signs: the account itself or its operator.
        account: Whose orders an operator places; the signer's own where it is None.
    """

    # Money

    def deposit(self, amount: Amount, account: str | None = None) -> Receipt:
        """Brings USD into an account's cash, the trader's own unless another is named.

        Approves the clearinghouse first where its allowance is too low.
        """
        units = self._token_units(amount)
        self._allow(units)
        return self._clearinghouse("deposit", account or self.account, units)

    def deposit_with_permit(self, permit: Permit) -> Receipt:
        """Brings an account's own tokens in by its signed permit; anyone may send it."""
        return self._clearinghouse("deposit_with_permit", *permit)

    def deposit_margin(
        self, market: MarketName, amount: Amount, *, is_long: bool, account: str | None = None
    ) -> Receipt:
        """Brings USD straight into an open isolated position's margin."""
        units = self._token_units(amount)
        self._allow(units)
        market_id = self.reader.market_id(market)
        owner = account or self.account
        return self._clearinghouse("deposit_margin", owner, market_id, is_long, units)

    def withdraw(self, amount: Amount, receiver: str | None = None) -> Receipt:
        """Sends USD of the trader's cash out, to itself unless a receiver is named."""
        return self._clearinghouse("withdraw", self._token_units(amount), receiver or self.address)

    def add_margin(self, market: MarketName, amount: Amount, *, is_long: bool) -> Receipt:
        """Moves USD of cash into an open isolated position."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("add_margin", market_id, is_long, to_quote(amount))

    def remove_margin(self, market: MarketName, amount: Amount, *, is_long: bool) -> Receipt:
        """Moves USD of an isolated position's margin back to cash."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("remove_margin", market_id, is_long, to_quote(amount))

    def set_auto_margin(self, market: MarketName, allowance: Amount, *, is_long: bool) -> Receipt:
        """Lets liquidations add margin to an open isolated position before they close it.

        Args:
            market: Where.
            allowance: USD in all, keepers' fees included; 0 revokes. It ends with the position.
            is_long: Which side.
        """
        market_id = self.reader.market_id(market)
        return self._clearinghouse(
            "set_auto_margin", market_id, is_long, to_quote(allowance, "allowance")
        )

    def convert_to_isolated(
        self, market: MarketName, margin: Amount = 0, *, is_long: bool
    ) -> Receipt:
        """Moves an open cross position into its own vault.

        Args:
            market: Where.
            margin: USD that go with it; 0 for the least: initial margin at the vault's leverage,
                and the unrealised loss.
            is_long: Which side.
        """
        market_id = self.reader.market_id(market)
        quote = to_quote(margin, "margin")
        return self._clearinghouse("convert_position", market_id, is_long, True, quote)

    def convert_to_cross(self, market: MarketName, *, is_long: bool) -> Receipt:
        """Moves an open isolated position, and all of its margin, into the cross ledger."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("convert_position", market_id, is_long, False, 0)

    # Settings

    def set_leverage(
        self,
        market: MarketName,
        leverage: Amount,
        *,
        is_isolated: bool = False,
        is_long: bool = True,
    ) -> Receipt:
        """Sets the leverage of an isolated side, or of both cross legs.

        Args:
            market: Where.
            leverage: Times; 0 for as much as the tiers allow.
            is_isolated: Which margin mode.
            is_long: Which side, if isolated.
        """
        market_id = self.reader.market_id(market)
        ppm = to_ppm(leverage, "leverage")
        return self._clearinghouse("set_leverage", market_id, ppm, is_isolated, is_long)

    def set_default_margin_mode(self, market: MarketName, *, is_isolated: bool) -> Receipt:
        """Sets what DEFAULT means in orders for a market."""
        market_id = self.reader.market_id(market)
        return self._clearinghouse("set_default_margin_mode", market_id, is_isolated)

    def set_hedge_mode(self, is_hedge: bool) -> Receipt:
        """Switches between one-way and hedge mode; needs the account to be flat."""
        return self._clearinghouse("set_hedge_mode", is_hedge)

    def _token_units(self, amount: Amount) -> int:
        # Whole quote units only: the ledger takes no part of one.
        quote = to_quote(amount)
        decimals = self.reader.deployment.token_decimals
        return to_units(amount, decimals) if decimals < 6 else quote * 10 ** (decimals - 6)

    def _allow(self, units: int) -> None:
        token, spender = self.reader.contracts.token, self.reader.deployment.clearinghouse
        allowed = self.reader.chain.read(token.call("allowance", self.address, spender))
        if allowed < units:
            self._send(token.call("approve", spender, UNLIMITED))

    def _clearinghouse(self, name: str, *arguments: object) -> Receipt:
        return self._send(self.reader.contracts.clearinghouse.call(name, *arguments))
