"""What liquidity providers do: `LiquidityPool.vy`."""

from __future__ import annotations

from bulkhead.simulate import liquidity_pool
from bulkhead.simulate.calls import Caller, Done
from bulkhead.simulate.liquidity_pool import PoolState, PoolValuation


class Pool:
    """The pool beside an engine. Amounts are quote units, shares units of the share token.

    The first argument of each verb is who calls, and what he calls for is his own: the pool's
    operators are left out.

    Args:
        caller: The engine.
        state: Who has which part of the pool; it is changed in place.
    """

    def __init__(self, caller: Caller, state: PoolState) -> None:
        self._caller = caller
        self.state = state

    def deposit(self, sender: str, assets: int, receiver: str) -> Done[int]:
        """Brings money in for shares; returns them."""
        return self._caller.call(liquidity_pool.deposit, self.state, sender, assets, receiver)

    def mint(self, sender: str, shares: int, receiver: str) -> Done[int]:
        """Brings in what exactly so many shares cost; returns it."""
        return self._caller.call(liquidity_pool.mint, self.state, sender, shares, receiver)

    def request_redeem(self, owner: str, shares: int, controller: str) -> Done[int]:
        """Locks shares until anyone fixes the request; returns its id."""
        return self._caller.call(
            liquidity_pool.request_redeem, self.state, owner, shares, controller
        )

    def fix(self, fixer: str, request_id: int) -> Done[int]:
        """Turns a mature request into a claim, for a small reward; returns what it is worth."""
        return self._caller.call(liquidity_pool.fix, self.state, fixer, request_id)

    def lapse(self, request_id: int) -> Done[None]:
        """Returns the shares of a request that nobody fixed in time."""
        return self._caller.call(liquidity_pool.lapse, self.state, request_id)

    def redeem(self, controller: str, shares: int, receiver: str) -> Done[int]:
        """Claims what fixed requests are worth, by shares; returns it."""
        return self._caller.call(liquidity_pool.redeem, self.state, controller, shares, receiver)

    def withdraw(self, controller: str, assets: int, receiver: str) -> Done[int]:
        """Claims what fixed requests are worth, by money; returns the shares it took."""
        return self._caller.call(liquidity_pool.withdraw, self.state, controller, assets, receiver)

    def value(self) -> PoolValuation:
        """What the pool is worth now."""
        return liquidity_pool.value_pool(self._caller.ledger)
