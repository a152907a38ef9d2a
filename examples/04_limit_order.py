"""Place a limit order, replace it, and cancel another.

A limit order waits for a price at which its average fill, impact included, is not worse than its
limit. To replace is one transaction: there is no moment with both orders, or with neither.
"""

from bulkhead import OrderKind
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)

order = alice.place("BTC-PERP", "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=95_000)
world.fill()
print(order.state(), order.waits_for())  # pending price: not acceptable

limit = world.reader.market("BTC-PERP").price_down(98_000)
higher = alice.replace(order, acceptable_price=limit)
print(order.state())  # cancelled

world.set_prices({"BTC-PERP": 97_900})
world.keeper.execute_orders()
print(higher.state())  # executed

other = alice.place("BTC-PERP", "0.1", is_buy=True, kind=OrderKind.LIMIT, acceptable_price=90_000)
alice.cancel(other)
print(other.outcome().reason)  # order: cancelled by owner
