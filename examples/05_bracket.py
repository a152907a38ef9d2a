"""Enter with a take-profit and a stop-loss in one transaction.

The exits sleep until the entry has filled and close exactly what it opened. The first that fills
ends the other. Neither can ever act on a later position.
"""

from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)

entry, profit, stop = alice.place_bracket(
    "BTC-PERP", "0.1", is_buy=True, take_profit=110_000, stop_loss=95_000
)
print(stop.waits_for())  # order: entry not filled
world.fill()
print(entry.state(), profit.state(), stop.state())  # executed pending pending

world.set_prices({"BTC-PERP": 111_000})
world.keeper.execute_orders()
print(profit.state())  # executed
print(stop.waits_for())  # order: group is done
print(world.reader.account(alice.address).positions)  # ()
