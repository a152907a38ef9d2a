"""Provide liquidity and leave again.

Entering is at once. Leaving is a request that matures after the cooldown; anyone then fixes it at
the first later price, and the provider claims what it brought.
"""

from bulkhead import LiquidityProvider
from bulkhead.listings import BTC
from bulkhead.local import advance_time, memory_chain
from bulkhead.world import COOLDOWN, create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, names=["alice"], listings=[BTC])
dave = LiquidityProvider(world.reader, w3.eth.accounts[-1])
world.admin.mint(dave.address, 10_000)

dave.deposit(10_000)
print(f"{dave.shares():.2f} {dave.worth():.2f}")  # 10000.00 10000.00

request = dave.request_redeem(dave.shares())
advance_time(w3, COOLDOWN)
world.refresh_prices()
world.liquidity_provider.fix(request.id)  # whoever does it is paid for it
print(f"{dave.claimable():.2f}")  # 9999.90

dave.redeem(dave.claimable_shares())
print(f"{world.reader.token_balance(dave.address):.2f}")  # 9999.90
