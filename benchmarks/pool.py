"""Gas of a liquidity provider's way in and out, with few and with many markets to value."""

from __future__ import annotations

from benchmarks.world import BTC_SIZE, COOLDOWN, ETH_SIZE, USD, Figures, World
from bulkhead.chain import Receipt
from bulkhead.local import advance_time

ACCOUNTS = 10
FEW, MANY = 2, 32


def figures(world: World) -> Figures:
    """All markets have open interest on both sides, and a skew; another's claim waits already."""
    long, short = (world.newcomer() for _ in range(2))
    for account in (long, short):
        world.deposit(account, 10**5 * USD)
    leave(world, world.liquidity_provider, 10**12)
    figures: Figures = {}
    opened = 0
    for count in (FEW, MANY):
        world.list_up_to(count)
        for market in range(opened, count):
            size = BTC_SIZE if market == 0 else ETH_SIZE
            world.trade(long, market, size)
            world.trade(short, market, size // 2, is_buy=False)
        opened = count
        way = way_of_newcomer(world)
        figures |= {f"{name}_{count}_markets": gas for name, gas in way.items()}
    return figures


def way_of_newcomer(world: World) -> Figures:
    """In with 10,000 USD, out with half of it."""
    provider = world.newcomer()
    refresh(world)
    deposit = world.send(provider, world.pool.call("deposit", 10_000 * USD, provider))
    (event,) = world.expect(deposit, "Deposit")
    half = event["shares"] // 2
    request, fix = leave(world, provider, half)
    claim = world.send(provider, world.pool.call("redeem", half, provider, provider))
    world.expect(claim, "Withdraw")
    return {
        "pool_deposit": deposit.gas_used,
        "pool_request": request.gas_used,
        "pool_fix": fix.gas_used,
        "pool_claim": claim.gas_used,
    }


def leave(world: World, provider: str, shares: int) -> tuple[Receipt, Receipt]:
    """Requests, waits, and has the keeper fix what was requested."""
    request = world.send(provider, world.pool.call("requestRedeem", shares, provider, provider))
    (event,) = world.expect(request, "RedeemRequest")
    advance_time(world.w3, COOLDOWN)
    refresh(world)
    fix = world.send(world.keeper, world.pool.call("fix", event["request_id"]))
    world.expect(fix, "RedeemFixed")
    return request, fix


def refresh(world: World) -> None:
    """Publishes every market's price again."""
    for market in world.prices:
        world.push(market, tick=0)
