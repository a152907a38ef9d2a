"""See a liquidation.

A vault is liquidatable when its maintenance margin reaches its equity. Anyone may liquidate and is
paid a part of the penalty. The rest of the account is not touched.
"""

from bulkhead import MarginMode
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)
alice.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10)
world.fill()

(vault,) = world.reader.account(alice.address).isolated
print(f"liquidated at {vault.liquidation_price:,.0f}")  # liquidated at 90,452

world.set_prices({"BTC-PERP": 90_200})
(vault,) = world.reader.account(alice.address).isolated
print(vault.is_liquidatable)  # True
(report,) = world.liquidate()
print(f"penalty {report.penalty:.2f}, of it the keeper's {report.reward:.2f}")
print(f"left {world.reader.account(alice.address).free_collateral:.2f}")  # left 3994.80
