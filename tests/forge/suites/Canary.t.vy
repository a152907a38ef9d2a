# pragma version 0.4.3
"""
@title Canary
@license MIT
@notice Must fail, and for this reason alone: else forge's silence means nothing.
"""

from ..handlers import deployment
from ..handlers import stage

initializes: stage
initializes: deployment[stage := stage]

struct FuzzSelector:
    addr: address
    selectors: DynArray[bytes4, 1]


first: uint256  # token units held before anything happened


@external
def setUp():
    deployment._deploy(1_000 * stage.USD, 1_000 * stage.USD, stage.USD, 300_000)
    self.first = self._held()


@external
@view
def targetContracts() -> DynArray[address, 1]:
    return [self]


@external
@view
def targetSelectors() -> DynArray[FuzzSelector, 1]:
    return [
        FuzzSelector(
            addr=self, selectors=[method_id("fund_insurance(bytes32)", output_type=bytes4)]
        )
    ]


@external
def fund_insurance(seed: bytes32):
    stage._begin(seed)
    stage._must(
        "fund_insurance",
        stage.OWNER,
        stage.clearinghouse,
        abi_encode(1 + stage._draw(stage.USD), method_id=method_id("fund_insurance(uint256)")),
    )


@external
def invariant_canary():
    assert self._held() < self.first + 2 * stage.USD, (
        "canary: must fail"
    )


@internal
@view
def _held() -> uint256:
    return staticcall stage.token.balanceOf(stage.clearinghouse)
