"""Run a keeper.

One pass over the orders, one over the trailing stops, one over the positions. Whoever executes is
paid the order's fee. A real keeper repeats this, against a feed that others publish.
"""

from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, names=["alice", "bob", "carol"], listings=[BTC])
for trader in world.traders.values():
    trader.deposit(5_000)
    trader.place("BTC-PERP", "0.05", is_buy=True)
world.refresh_prices()

keeper = world.keeper
for report in keeper.execute_orders():
    print(report.state, report.keeper_fee)  # executed 200000
print(keeper.ratchet(), keeper.liquidate(), keeper.deleverage(), keeper.settle())  # 0 () () ()
print(f"earned {world.reader.account(keeper.address).cash:.2f}")  # earned 0.60
