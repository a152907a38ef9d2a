# pragma version 0.4.3
"""
@title Providers
@license MIT
@notice A liquidity provider comes and goes. 11: what a share is worth never falls by it, and what
        is claimable is what the pool's own account holds.
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC4626

from contracts.interfaces import ILens
from contracts.interfaces import ILiquidityPool
from . import books
from . import stage

uses: books
uses: stage

VIRTUAL_SHARES: constant(uint256) = 10**6
LAPSE: constant(uint256) = 86_400  # seconds a mature request may stay unfixed
FEMTO: constant(int256) = 10**9  # in a quote unit

_requests: DynArray[uint256, 8]  # that are neither fixed nor lapsed


struct Worth:
    equity: int256  # femto
    shares: uint256


@external
def add_liquidity(seed: bytes32):
    stage._begin(seed)
    if stage._chance(90):
        stage._refresh()
    before: Worth = self._worth()
    amount: uint256 = stage._amount()
    if books._house().pool_cash > convert(stage.exchange.pool_size, int256):
        amount = 1 + stage._draw(stage.USD)
    success: bool = False
    if stage._chance(50):
        success = stage._attempt(
            "add_liquidity",
            stage.PROVIDER,
            stage.pool,
            abi_encode(amount, stage.PROVIDER, method_id=method_id("deposit(uint256,address)")),
        )[0]
    else:
        success = stage._attempt(
            "mint",
            stage.PROVIDER,
            stage.pool,
            abi_encode(
                amount * VIRTUAL_SHARES,
                stage.PROVIDER,
                method_id=method_id("mint(uint256,address)"),
            ),
        )[0]
    if success:
        self._require_no_dilution(before)
    books._close(books.NOBODY)


@external
def request_exit(seed: bytes32):
    stage._begin(seed)
    if len(self._requests) < 8:
        shares: uint256 = staticcall IERC20(stage.pool).balanceOf(stage.PROVIDER)
        part: uint256 = shares // (1 + stage._draw(1_000))
        if part != 0 and stage._chance(90):
            part = part // 100 + 1
        if len(self._requests) == 0:
            part = max(part, self._spare_part(shares))
        if part != 0:
            self._requests.append(
                stage._must(
                    "request_exit",
                    stage.PROVIDER,
                    stage.pool,
                    abi_encode(
                        part,
                        stage.PROVIDER,
                        stage.PROVIDER,
                        method_id=method_id("requestRedeem(uint256,address,address)"),
                    ),
                )
            )
    books._close(books.NOBODY)


@external
def fix_exit(seed: bytes32):
    """
    @notice The oldest request: fixed and claimed when its time has come, lapsed when that is over.
    """
    stage._begin(seed)
    if len(self._requests) != 0:
        if stage._chance(60):
            stage._advance(stage.COOLDOWN)
        stage._refresh()
        id: uint256 = self._requests[0]
        controller: address = empty(address)
        shares: uint256 = 0
        matures_at: uint256 = 0
        controller, shares, matures_at = staticcall ILiquidityPool(stage.pool).request(id)
        if stage.now > matures_at + LAPSE:
            stage._must(
                "lapse",
                stage.KEEPER,
                stage.pool,
                abi_encode(id, method_id=method_id("lapse(uint256)")),
            )
            self._requests = self._rest()
        else:
            before: Worth = self._worth()
            success: bool = stage._attempt(
                "fix_exit",
                stage.KEEPER,
                stage.pool,
                abi_encode(id, method_id=method_id("fix(uint256)")),
            )[0]
            if success:
                assert stage.now >= matures_at, "pool: fixed before its maturity"
                self._require_no_dilution(before)
                self._requests = self._rest()
                self._claim()
    books._close(books.NOBODY)


@internal
@view
def _spare_part(shares: uint256) -> uint256:
    """
    @notice The part of some shares that is worth what the pool has above its size and can spare.
    """
    house: ILens.House = staticcall stage.lens.house()
    worth: int256 = house.pool_equity - convert(house.pool_premium + house.pool_band, int256)
    spare: int256 = worth - convert(stage.exchange.pool_size, int256)
    if house.reserved < 2**64:
        spare = min(spare, house.pool_cash - convert(house.reserved, int256))
    if spare <= 0:
        return 0
    return min(shares * convert(spare, uint256) // convert(worth, uint256), shares)


@internal
def _claim():
    """
    @notice What is fixed can be claimed, whatever the prices are: by assets, by shares, or by whom the
            provider lets claim for it.
    """
    claimable: uint256 = staticcall IERC4626(stage.pool).maxWithdraw(stage.PROVIDER)
    assert books._account(stage.pool).cash == convert(claimable, int256), "pool: claims not held"
    if claimable == 0 or stage._chance(20):
        return
    is_operated: bool = stage._chance(30)
    claimant: address = stage.KEEPER if is_operated else stage.PROVIDER
    stage._must(
        "let claim",
        stage.PROVIDER,
        stage.pool,
        abi_encode(stage.KEEPER, is_operated, method_id=method_id("setOperator(address,bool)")),
    )
    if not is_operated:
        assert not stage._attempt(
            "claim another's",
            stage.KEEPER,
            stage.pool,
            abi_encode(
                claimable,
                stage.KEEPER,
                stage.PROVIDER,
                method_id=method_id("withdraw(uint256,address,address)"),
            ),
        )[0], "pool: anybody may claim"
    if stage._chance(50):
        stage._must(
            "claim",
            claimant,
            stage.pool,
            abi_encode(
                claimable if stage._chance(50) else 1 + stage._draw(claimable),
                stage.PROVIDER,
                stage.PROVIDER,
                method_id=method_id("withdraw(uint256,address,address)"),
            ),
        )
    else:
        shares: uint256 = staticcall ILiquidityPool(stage.pool).claimableRedeemRequest(
            0, stage.PROVIDER
        )
        stage._must(
            "redeem",
            claimant,
            stage.pool,
            abi_encode(
                shares if stage._chance(50) else 1 + stage._draw(shares),
                stage.PROVIDER,
                stage.PROVIDER,
                method_id=method_id("redeem(uint256,address,address)"),
            ),
        )


@internal
@view
def _rest() -> DynArray[uint256, 8]:
    rest: DynArray[uint256, 8] = []
    for i: uint256 in range(len(self._requests), bound=8):
        if i != 0:
            rest.append(self._requests[i])
    return rest


@internal
@view
def _worth() -> Worth:
    return Worth(equity=books._pool_equity(), shares=staticcall IERC20(stage.pool).totalSupply())


@internal
@view
def _require_no_dilution(before: Worth):
    after: Worth = self._worth()
    # The virtual shares and the virtual unit stand beside everybody's.
    assert (after.equity + FEMTO) * convert(before.shares + VIRTUAL_SHARES, int256) >= (
        before.equity + FEMTO
    ) * convert(after.shares + VIRTUAL_SHARES, int256), "pool: others were diluted"
