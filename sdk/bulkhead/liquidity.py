"""What liquidity providers do: enter at once, leave by request."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from bulkhead.actors import ActorVerbs
from bulkhead.chain import Awaiting, Blocking, Program, Receipt, verb
from bulkhead.values import Amount, from_units, to_quote, to_units

if TYPE_CHECKING:
    from bulkhead.chain import Signer
    from bulkhead.reader import AsyncReader, Reader

SHARE_DECIMALS = 12
LAPSE = 86_400  # seconds a mature request may stay unfixed
REWARD = 100_000  # quote, to whoever fixes a request, if it brings twice as much


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


class LiquidityVerbs(ActorVerbs):
    """One signer who owns pool shares. Amounts are USD, shares whole ones of the token."""

    @verb
    def deposit(self, amount: Amount, receiver: str | None = None) -> Program[Receipt]:
        """Brings USD in for shares.

        Approves the pool first where its allowance is too low.
        """
        to_quote(amount)  # refuses what is not whole quote units
        units = to_units(amount, self.exchange.deployment.token_decimals)
        pool = self.exchange.contracts.liquidity_pool
        yield from self._allow(pool.address, units)
        return (yield from self._send(pool.call("deposit", units, receiver or self.address)))

    @verb
    def mint(self, shares: Amount, receiver: str | None = None) -> Program[Receipt]:
        """Brings in the USD that exactly so many shares cost now.

        Approves the pool first where its allowance is too low.
        """
        units = to_units(shares, SHARE_DECIMALS, "shares")
        pool = self.exchange.contracts.liquidity_pool
        cost = yield from self.exchange.node.read(pool.call("previewMint", units))
        yield from self._allow(pool.address, cost)
        return (yield from self._send(pool.call("mint", units, receiver or self.address)))

    @verb
    def preview_deposit(self, amount: Amount) -> Program[Decimal]:
        """The shares that a deposit of USD would bring now."""
        to_quote(amount)
        units = to_units(amount, self.exchange.deployment.token_decimals)
        pool = self.exchange.contracts.liquidity_pool
        found = yield from self.exchange.node.read(pool.call("previewDeposit", units))
        return from_units(found, SHARE_DECIMALS)

    @verb
    def preview_mint(self, shares: Amount) -> Program[Decimal]:
        """The USD that exactly so many shares would cost now."""
        units = to_units(shares, SHARE_DECIMALS, "shares")
        pool = self.exchange.contracts.liquidity_pool
        found = yield from self.exchange.node.read(pool.call("previewMint", units))
        return from_units(found, self.exchange.deployment.token_decimals)

    @verb
    def request_redeem(
        self, shares: Amount, controller: str | None = None, owner: str | None = None
    ) -> Program[RedeemRequest]:
        """Locks shares until anyone fixes the request from its maturity on.

        Args:
            shares: How many.
            controller: Who claims what they bring; the signer where it is None.
            owner: Whose they are; the signer's where it is None, else the signer is an operator.
        """
        units = to_units(shares, SHARE_DECIMALS, "shares")
        pool = self.exchange.contracts.liquidity_pool
        receipt = yield from self._send(
            pool.call("requestRedeem", units, controller or self.address, owner or self.address)
        )
        events = self.exchange.contracts.decode_logs(receipt.logs)
        found = next(event for event in events if event.name == "RedeemRequest")
        return (yield from self.request(found["request_id"]))

    @verb
    def fix(self, request_id: int) -> Program[Receipt]:
        """Turns a mature request into a claim, at the pool's equity now. Anyone may."""
        return self._send(self.exchange.contracts.liquidity_pool.call("fix", request_id))

    @verb
    def lapse(self, request_id: int) -> Program[Receipt]:
        """Returns the shares of a request that nobody fixed in time. Anyone may."""
        return self._send(self.exchange.contracts.liquidity_pool.call("lapse", request_id))

    @verb
    def redeem(
        self, shares: Amount, receiver: str | None = None, controller: str | None = None
    ) -> Program[Receipt]:
        """Claims what fixed requests are worth."""
        units = to_units(shares, SHARE_DECIMALS, "shares")
        call = self.exchange.contracts.liquidity_pool.call(
            "redeem", units, receiver or self.address, controller or self.address
        )
        return self._send(call)

    @verb
    def withdraw(
        self, amount: Amount, receiver: str | None = None, controller: str | None = None
    ) -> Program[Receipt]:
        """Claims USD of fixed requests."""
        units = to_units(amount, self.exchange.deployment.token_decimals)
        call = self.exchange.contracts.liquidity_pool.call(
            "withdraw", units, receiver or self.address, controller or self.address
        )
        return self._send(call)

    @verb
    def set_operator(self, operator: str, approved: bool = True) -> Program[Receipt]:
        """Lets an operator request and claim for the signer, or no longer."""
        call = self.exchange.contracts.liquidity_pool.call("setOperator", operator, approved)
        return self._send(call)

    @verb
    def request(self, request_id: int) -> Program[RedeemRequest]:
        """A request as it is now."""
        call = self.exchange.contracts.liquidity_pool.call("request", request_id)
        controller, shares, matures_at = yield from self.exchange.node.read(call)
        return RedeemRequest(request_id, controller, shares, matures_at)

    @verb
    def shares(self) -> Program[Decimal]:
        """Shares in the wallet."""
        return self._units("balanceOf")

    @verb
    def claimable_shares(self) -> Program[Decimal]:
        """Shares of the signer's fixed requests."""
        return self._units("maxRedeem")

    @verb
    def claimable(self) -> Program[Decimal]:
        """What the signer's fixed requests are worth, USD."""
        call = self.exchange.contracts.liquidity_pool.call("maxWithdraw", self.address)
        return from_units(
            (yield from self.exchange.node.read(call)), self.exchange.deployment.token_decimals
        )

    @verb
    def worth(self) -> Program[Decimal]:
        """What the signer's shares are worth at the last prices, USD; leaving may bring less."""
        pool = self.exchange.contracts.liquidity_pool
        shares = yield from self.exchange.node.read(pool.call("balanceOf", self.address))
        units = yield from self.exchange.node.read(pool.call("convertToAssets", shares))
        return from_units(units, self.exchange.deployment.token_decimals)

    def _units(self, view: str) -> Program[Decimal]:
        call = self.exchange.contracts.liquidity_pool.call(view, self.address)
        return from_units((yield from self.exchange.node.read(call)), SHARE_DECIMALS)


class LiquidityProvider(Blocking, LiquidityVerbs):
    """One signer who owns pool shares.

    Args:
        reader: The exchange.
        signer: Who sends.
    """

    verbs: LiquidityVerbs

    def __init__(self, reader: Reader, signer: Signer) -> None:
        self.reader = reader
        self.transport = reader.transport
        self.verbs = LiquidityVerbs(reader.verbs, signer)


class AsyncLiquidityProvider(Awaiting, LiquidityVerbs):
    """One signer who owns pool shares; everything is awaited.

    Args:
        reader: The exchange.
        signer: Who sends.
    """

    verbs: LiquidityVerbs

    def __init__(self, reader: AsyncReader, signer: Signer) -> None:
        self.reader = reader
        self.transport = reader.transport
        self.verbs = LiquidityVerbs(reader.verbs, signer)
