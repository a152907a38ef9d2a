"""A liquidity provider's whole way, through the SDK alone."""

from decimal import Decimal

import pytest

from bulkhead import LiquidityProvider, errors
from bulkhead.liquidity import RedeemRequest
from bulkhead.local import advance_time
from tests.sdk.world import World

DAY = 86_400


def matured(world: World, shares: int = 1_000) -> RedeemRequest:
    request = world.provider.request_redeem(shares)
    advance_time(world.w3, request.matures_at - world.reader.now())
    return request


def test_shares_are_entered_by_money_and_by_number(world: World) -> None:
    trader = LiquidityProvider(world.reader, world.wallet.signer)
    before = world.reader.token_balance(trader.address)
    trader.deposit(1_000)
    assert trader.shares() == 1_000
    trader.mint("0.5")
    assert trader.shares() == Decimal("1000.5")
    assert world.reader.token_balance(trader.address) == before - Decimal("1000.5")
    assert trader.worth() == Decimal("1000.5")


def test_a_request_is_fixed_and_claimed_in_parts(world: World) -> None:
    provider = world.provider
    request = matured(world)
    assert (request.controller, request.shares) == (provider.address, 1_000 * 10**12)
    LiquidityProvider(world.reader, world.stranger).fix(request.id)
    assert world.reader.token_balance(world.stranger) == Decimal("0.1")
    assert provider.claimable_shares() == 1_000
    assert provider.claimable() == Decimal("999.9")
    before = world.reader.token_balance(provider.address)
    provider.withdraw("99.9")
    provider.redeem(provider.claimable_shares())
    assert world.reader.token_balance(provider.address) == before + Decimal("999.9")
    assert provider.claimable() == 0
    assert provider.request(request.id).shares == 0


def test_a_request_that_nobody_fixes_lapses(world: World) -> None:
    before = world.provider.shares()
    request = matured(world)
    with pytest.raises(errors.RequestNotLapsed):
        world.provider.lapse(request.id)
    advance_time(world.w3, DAY + 1)
    with pytest.raises(errors.RequestLapsed):
        world.provider.fix(request.id)
    LiquidityProvider(world.reader, world.stranger).lapse(request.id)
    assert world.provider.shares() == before


def test_an_operator_requests_and_claims_for_its_owner(world: World) -> None:
    owner = world.provider
    operator = LiquidityProvider(world.reader, world.stranger)
    with pytest.raises(errors.Erc20InsufficientAllowance):
        operator.request_redeem(10, owner.address, owner.address)
    owner.set_operator(operator.address)
    request = operator.request_redeem(10, owner.address, owner.address)
    advance_time(world.w3, request.matures_at - world.reader.now())
    operator.fix(request.id)
    operator.withdraw(1, controller=owner.address)
    owner.set_operator(operator.address, approved=False)
    with pytest.raises(errors.CallerNotAllowed):
        operator.redeem(1, controller=owner.address)
