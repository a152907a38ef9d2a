"""Spread an order over prices, or over time.

Both make plain orders out of one, of sizes that sum to it exactly. They send nothing: place the
orders when it suits.
"""

from bulkhead.listings import BTC
from bulkhead.local import advance_time, memory_chain
from bulkhead.order_plans import scale_orders, twap_orders
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
reader, alice = world.reader, world.traders["alice"]
alice.deposit(5_000)
market = reader.market("BTC-PERP")

ladder = alice.order(market, "0.06", is_buy=True)
for rung in scale_orders(ladder, market.price_exact(99_000), market.price_exact(97_000), count=3):
    alice.place_order(rung)
    print(f"{market.size_of(rung.size):.3f} at {market.price_of(rung.acceptable_price):,}")

whole = alice.order(market, "0.02", is_buy=True)
for part in twap_orders(whole, count=2, start=reader.now() + 60, interval=300):
    advance_time(w3, part.at - reader.now())
    alice.place_order(part.order)
    world.fill()
    print(f"{reader.account(alice.address).positions[0].size:.2f}")  # 0.02
