"""Charge a fee as a front-end, and share it with a referrer.

An account approves a builder and its highest fee once. Each order may then name the builder and
what it charges. It is paid in cash when the order fills.
"""

from bulkhead import Trader
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice, bob = world.traders["alice"], world.traders["bob"]
builder = Trader(world.reader, w3.eth.accounts[-1])

builder.set_referral_share("0.25")
alice.set_referrer(bob.address)
alice.approve_builder(builder.address, "0.001")
alice.deposit(5_000)
alice.place("BTC-PERP", "0.1", is_buy=True, builder=builder.address, builder_fee="0.0005")
world.fill()

print(f"builder {world.reader.account(builder.address).cash:.2f}")  # builder 3.75
print(f"referrer {world.reader.account(bob.address).cash:.2f}")  # referrer 1.25
