"""Turn a cross position into an isolated one, and back.

Size, entry and funding go with it: nothing is traded, and the account is worth what it was.
"""

from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)
alice.place("BTC-PERP", "0.1", is_buy=True)
world.fill()

alice.convert_to_isolated("BTC-PERP", 2_000, is_long=True)
account = world.reader.account(alice.address)
(vault,) = account.isolated
print(len(account.cross), f"{vault.size:.2f} {vault.margin:.0f}")  # 0 0.10 2000

world.refresh_prices()  # moving margin needs a fresh price
alice.convert_to_cross("BTC-PERP", is_long=True)
account = world.reader.account(alice.address)
print(len(account.cross), len(account.isolated))  # 1 0
