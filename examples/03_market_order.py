"""Place a market order and follow its handle.

An order is committed first and filled later, at a price published after it: a mined transaction is
not a fill. Whoever has the hash can build the handle again.
"""

from bulkhead import OrderState
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)

order = alice.place("BTC-PERP", "0.1", is_buy=True, leverage=5)
print(order.state())  # pending
print(order.waits_for())  # price: too early

world.fill()  # publishes a newer price, and a keeper passes by
print(order.state())  # executed
for fill in order.outcome().fills:
    print(f"bought {fill.size:.2f} at {fill.price:,.2f}")  # bought 0.10 at 100,000.03

(position,) = world.reader.account(alice.address).positions
print(f"{position.size:.2f} BTC, liquidated at {position.liquidation_price:,.0f}")
assert world.reader.handle(order.hash).state() is OrderState.EXECUTED
