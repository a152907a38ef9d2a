"""Hold isolated and cross positions in one market at the same time.

Each order says which margin backs it. A vault can lose what was put into it and no more; cross
positions share all the cash.
"""

from bulkhead import MarginMode
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)

alice.place("BTC-PERP", "0.2", is_buy=True, margin_mode=MarginMode.CROSS)
alice.place(
    "BTC-PERP", "0.05", is_buy=False, margin_mode=MarginMode.ISOLATED, leverage=10, margin=600
)
world.fill()

account = world.reader.account(alice.address)
for position in account.positions:
    mode = "isolated" if position.is_isolated else "cross"
    side = "long" if position.is_long else "short"
    print(mode, side, f"{position.size:.2f} {position.margin:.0f}")  # isolated short 0.05 600
print(f"of {account.equity:.2f} in all {account.cross_equity:.2f} back the cross position")
