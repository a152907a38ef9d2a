# pragma version 0.4.3
"""
@title Suite
@license MIT
@notice What forge calls: it fuzzes the actions of `Everyone`. What must hold is asked at the end
        of every run; every action has asked it, too.
"""

from . import actions
from . import ICheats
from . import IEveryone

VM: constant(ICheats) = ICheats(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D)

everyone: IEveryone
name: String[16]


struct FuzzSelector:
    addr: address
    selectors: DynArray[bytes4, actions.ACTIONS]


@internal
def _set_up(
    name: String[16],
    pool_cash: uint256,
    pool_size: uint256,
    insurance: uint256,
    reserve_rate: uint256,
):
    """
    @param pool_cash USD, at the beginning.
    @param pool_size USD, what the provider then wants the pool to be.
    @param insurance USD.
    @param reserve_rate Ppm of a skew, what a market's share of the pool must be worth.
    """
    self.name = name
    deployed: address = extcall VM.deployCode(
        "Stage.vy", abi_encode(pool_cash, pool_size, insurance, reserve_rate)
    )
    self.everyone = IEveryone(extcall VM.deployCode("Everyone.vy", b""))
    extcall self.everyone.open(deployed)


@external
@view
def targetContracts() -> DynArray[address, 1]:
    return [self.everyone.address]


@external
@view
def targetSelectors() -> DynArray[FuzzSelector, 1]:
    return [FuzzSelector(addr=self.everyone.address, selectors=actions._actions())]


@external
def invariant_books():
    extcall self.everyone.check()


@external
def afterInvariant():
    folder: String[64] = staticcall VM.envOr("BULKHEAD_COUNTS", ".cache/forge")
    extcall self.everyone.report(concat(folder, "/", self.name, ".counts"))
