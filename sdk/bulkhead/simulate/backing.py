"""What a market owes its traders, against its share of the pool: `modules/backing.vy`."""

from bulkhead.protocol import liquidation_math
from bulkhead.simulate.guards import require
from bulkhead.simulate.ledger import Ledger


def require_backed(ledger: Ledger, owed: int, pool_share: int) -> None:
    """Refuses where auto-deleveraging would begin.

    Args:
        ledger: The words.
        owed: To all traders of a market together, femto.
        pool_share: Ppm.
    """
    excess = liquidation_math.excess_owed(owed, ledger.house.pool_cash, pool_share)
    require(excess == 0, "pool: owes above its share")
