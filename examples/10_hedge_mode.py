"""Be long and short side by side in hedge mode.

Orders then name the side they mean. A matched pair needs margin for its larger leg. The mode
changes only while the account is flat.
"""

from bulkhead import PositionSide
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)

alice.set_hedge_mode(True)
alice.place("BTC-PERP", "0.3", is_buy=True, position_side=PositionSide.LONG)
world.fill()
alone = world.reader.account(alice.address)

alice.place("BTC-PERP", "0.3", is_buy=False, position_side=PositionSide.SHORT)
world.fill()
paired = world.reader.account(alice.address)
for leg in paired.cross:
    print("long" if leg.is_long else "short", f"{leg.size:.2f}")  # short 0.30
print(f"{alone.maintenance_margin:.0f} {paired.maintenance_margin:.0f}")  # 150 150
