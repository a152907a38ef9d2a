"""What liquidity providers do: enter at once, leave by request."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead.chain import Receipt, address_of
from bulkhead.interfaces import Call
from bulkhead.reader import Reader
from bulkhead.values import Amount, from_units, to_quote, to_units

if TYPE_CHECKING:
    from bulkhead.chain import Signer

SHARE_DECIMALS = 12


@dataclass(frozen=True, slots=True)
class RedeemRequest:
    """Shares on their way out.

    Attributes:
        id: Its number.
        controller: Who claims what it brings.
        shares: Units of the share token; 0 once fixed or lapsed.
        matures_at: Seconds: anyone may fix it from then on.
    """

    id: int
    controller: str
    shares: int
    matures_at: int


class LiquidityProvider:
    """One signer who owns pool shares. Amounts are USD, shares whole ones of the token."""

    def __init__(self, reader: Reader, signer: Signer) -> None:
        self.reader = reader
        self.signer = signer
        self.address = address_of(signer)

    def deposit(self, amount: Amount, receiver: str | None = None) -> Receipt:
        """Brings USD in for shares.

        Approves the pool first where its allowance is too low.
        """
        to_quote(amount)  # refuses what is not whole quote units
        units = to_units(amount, self.reader.deployment.token_decimals)
        self._allow(units)
        pool = self.reader.contracts.liquidity_pool
        return self._send(pool.call("deposit", units, receiver or self.address))

    def mint(self, shares: Amount, receiver: str | None = None) -> Receipt:
        """Brings in the USD that exactly so many shares cost now.

        Approves the pool first where its allowance is too low.
        """
        units = to_units(shares, SHARE_DECIMALS, "shares")
        pool = self.reader.contracts.liquidity_pool
        self._allow(self.reader.chain.read(pool.call("previewMint", units)))
        return self._send(pool.call("mint", units, receiver or self.address))

    def request_redeem(
        self, shares: Amount, controller: str | None = None, owner: str | None = None
    ) -> RedeemRequest:
        """Locks shares until anyone fixes the request from its maturity on.

        Args:
            shares: How many.
            controller: Who claims what they bring; the signer where it is None.
            owner: Whose they are; the signer's where it is None, else the signer is an operator.
        """
        units = to_units(shares, SHARE_DECIMALS, "shares")
        pool = self.reader.contracts.liquidity_pool
        receipt = self._send(
            pool.call("requestRedeem", units, controller or self.address, owner or self.address)
        )
        events = self.reader.contracts.decode_logs(receipt.logs)
        found = next(event for event in events if event.name == "RedeemRequest")
        return self.request(found["request_id"])

    def fix(self, request_id: int) -> Receipt:
        """Turns a mature request into a claim, at the pool's equity now. Anyone may."""
        return self._send(self.reader.contracts.liquidity_pool.call("fix", request_id))

    def lapse(self, request_id: int) -> Receipt:
        """Returns the shares of a request that nobody fixed in time. Anyone may."""
        return self._send(self.reader.contracts.liquidity_pool.call("lapse", request_id))

    def redeem(
        self, shares: Amount, receiver: str | None = None, controller: str | None = None
    ) -> Receipt:
        """Claims what fixed requests are worth."""
        units = to_units(shares, SHARE_DECIMALS, "shares")
        call = self.reader.contracts.liquidity_pool.call(
            "redeem", units, receiver or self.address, controller or self.address
        )
        return self._send(call)

    def withdraw(
        self, amount: Amount, receiver: str | None = None, controller: str | None = None
    ) -> Receipt:
        """Claims USD of fixed requests."""
        units = to_units(amount, self.reader.deployment.token_decimals)
        call = self.reader.contracts.liquidity_pool.call(
            "withdraw", units, receiver or self.address, controller or self.address
        )
        return self._send(call)

    def set_operator(self, operator: str, approved: bool = True) -> Receipt:
        """Lets an operator request and claim for the signer, or no longer."""
        call = self.reader.contracts.liquidity_pool.call("setOperator", operator, approved)
        return self._send(call)

    def request(self, request_id: int) -> RedeemRequest:
        """A request as it is now."""
        call = self.reader.contracts.liquidity_pool.call("request", request_id)
        controller, shares, matures_at = self.reader.chain.read(call)
        return RedeemRequest(request_id, controller, shares, matures_at)

    def shares(self) -> Decimal:
        """Shares in the wallet."""
        return self._units("balanceOf")

    def claimable_shares(self) -> Decimal:
        """Shares of the signer's fixed requests."""
        return self._units("maxRedeem")

    def claimable(self) -> Decimal:
        """What the signer's fixed requests are worth, USD."""
        call = self.reader.contracts.liquidity_pool.call("maxWithdraw", self.address)
        return from_units(self.reader.chain.read(call), self.reader.deployment.token_decimals)

    def worth(self) -> Decimal:
        """What the signer's shares are worth at the last prices, USD; leaving may bring less."""
        pool = self.reader.contracts.liquidity_pool
        shares = self.reader.chain.read(pool.call("balanceOf", self.address))
        units = self.reader.chain.read(pool.call("convertToAssets", shares))
        return from_units(units, self.reader.deployment.token_decimals)

    def _allow(self, units: int) -> None:
        token, pool = self.reader.contracts.token, self.reader.contracts.liquidity_pool
        if self.reader.chain.read(token.call("allowance", self.address, pool.address)) < units:
            self._send(token.call("approve", pool.address, units))

    def _units(self, view: str) -> Decimal:
        call = self.reader.contracts.liquidity_pool.call(view, self.address)
        return from_units(self.reader.chain.read(call), SHARE_DECIMALS)

    def _send(self, call: Call) -> Receipt:
        return self.reader.chain.send(call, self.signer)
