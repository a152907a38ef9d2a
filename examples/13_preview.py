"""Ask what an order would do before it is placed.

The contracts' own code answers: fill price, fees, margin, and the position and account after it; or
the reason why it would not fill.
"""

from bulkhead import MarginMode
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.values import to_usd
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)

market = world.reader.market("BTC-PERP")
found = alice.preview("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10)
print(f"fills at {market.price_of(found.fill_price):,.2f}")  # fills at 100,000.03
print(f"fee {to_usd(found.fee):.2f}, margin {to_usd(found.margin):.2f}")  # fee 5.00, margin 1000.00
print(f"liquidated at {market.price_of(found.position['lower_liquidation_price']):,.0f}")

too_large = alice.preview("BTC-PERP", 10, is_buy=True)
print(too_large.text)  # margin: below initial
