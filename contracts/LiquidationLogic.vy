# pragma version 0.4.3
# pragma nonreentrancy on
"""
@title Liquidation logic
@license MIT
@notice The clearinghouse's code for liquidation, deleveraging and settlement. It runs in the clearinghouse's storage; called
        directly it finds its own, which is empty.
"""

from snekmate.auth import ownable
from snekmate.auth import ownable_2step

from .interfaces import ILiquidation
from .modules import closing
from .modules import cross_liquidation
from .modules import cross_margin
from .modules import deleveraging
from .modules import isolated_liquidation
from .modules import ledger
from .modules import liquidation
from .modules import markets
from .modules import roles
from .modules import settlement
from .modules import top_up

implements: ILiquidation

initializes: ownable
initializes: ownable_2step[ownable := ownable]
initializes: ledger
initializes: roles[ownable := ownable, ledger := ledger]
initializes: markets
initializes: cross_margin[ledger := ledger, markets := markets]
initializes: closing[ledger := ledger, markets := markets]
initializes: liquidation[ledger := ledger]
initializes: top_up[ledger := ledger, cross_margin := cross_margin]
initializes: isolated_liquidation[
    ledger := ledger,
    markets := markets,
    cross_margin := cross_margin,
    closing := closing,
    liquidation := liquidation,
    top_up := top_up,
]
initializes: cross_liquidation[
    ledger := ledger,
    markets := markets,
    cross_margin := cross_margin,
    closing := closing,
    liquidation := liquidation,
]
initializes: deleveraging[ledger := ledger, markets := markets, closing := closing]
initializes: settlement[ledger := ledger, markets := markets, closing := closing]


@deploy
def __init__(price_oracle: address):
    ownable.__init__()
    ownable_2step.__init__()
    ownable._transfer_ownership(empty(address))
    markets.__init__(price_oracle)


@external
def liquidate_isolated(ids: DynArray[uint256, 64]) -> uint256:
    return isolated_liquidation._liquidate_isolated(ids, msg.sender)


@external
def liquidate_cross(accounts: DynArray[address, 32]) -> uint256:
    return cross_liquidation._liquidate_cross(accounts, msg.sender)


@external
def auto_deleverage(market: uint256, ids: DynArray[uint256, 64]) -> uint256:
    return deleveraging._auto_deleverage(market, ids)


@external
def settle_positions(ids: DynArray[uint256, 64]) -> uint256:
    return settlement._settle_positions(ids)
