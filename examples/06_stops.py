"""Protect an open position with a stop, or with one that trails.

A trailing stop follows the price at a distance. A keeper shows it new prices (`ratchet`); the chain
keeps the best. The SDK refuses a stop that lies beyond the liquidation price.
"""

from bulkhead import MarginMode
from bulkhead.errors import StopBeyondLiquidation
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)
alice.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10)
world.fill()

try:
    alice.protect("BTC-PERP", is_long=True, margin_mode=MarginMode.ISOLATED, stop_loss=80_000)
except StopBeyondLiquidation as error:
    print(error)

(stop,) = alice.protect("BTC-PERP", is_long=True, margin_mode=MarginMode.ISOLATED, trailing="0.05")
for price in (104_000, 110_000, 104_400):  # 104,400 is more than 5 % below 110,000
    world.set_prices({"BTC-PERP": price})
    world.keeper.ratchet()
    world.keeper.execute_orders()
    print(price, stop.state())  # 104400 executed
