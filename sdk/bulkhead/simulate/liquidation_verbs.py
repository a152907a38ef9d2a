"""What anyone does to positions that are due: `LiquidationLogic.vy`."""

from collections.abc import Sequence

from bulkhead.simulate import (
    cross_liquidation,
    deleveraging,
    isolated_liquidation,
    settlement,
)
from bulkhead.simulate.calls import Caller, Done


class LiquidationVerbs(Caller):
    """The first argument of each is who calls, the others are the contract's."""

    def liquidate_isolated(self, liquidator: str, ids: Sequence[int]) -> Done[int]:
        """Tops up, reduces or closes the vaults of these ids that are due; returns how many."""
        return self.call(isolated_liquidation.liquidate_isolated, liquidator, tuple(ids))

    def liquidate_cross(self, liquidator: str, accounts: Sequence[str]) -> Done[int]:
        """Nets, reduces or closes the cross ledgers that are due; returns how many."""
        return self.call(cross_liquidation.liquidate_cross, liquidator, tuple(accounts))

    def auto_deleverage(self, sender: str, market: int, ids: Sequence[int]) -> Done[int]:
        """Pays out winners of a market that owes above its share; returns how many."""
        del sender  # anyone may, and nobody is paid
        return self.call(deleveraging.auto_deleverage, market, tuple(ids))

    def settle_positions(self, sender: str, ids: Sequence[int]) -> Done[int]:
        """Closes positions of markets that are over, at the final price; returns how many."""
        del sender  # anyone may, and nobody is paid
        return self.call(settlement.settle_positions, tuple(ids))
