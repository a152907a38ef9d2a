"""Add margin to a vault and take some out.

More margin moves the liquidation price away. What is left after taking some out must cover initial
margin at the leverage set, and the unrealised loss.
"""

from bulkhead import MarginMode
from bulkhead.errors import Refused
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice = world.traders["alice"]
alice.deposit(5_000)
alice.place("BTC-PERP", "0.1", is_buy=True, margin_mode=MarginMode.ISOLATED, leverage=10)
world.fill()


def show() -> None:
    """The vault as it is now."""
    (vault,) = world.reader.account(alice.address).isolated
    print(f"margin {vault.margin:.0f}, liquidated at {vault.liquidation_price:,.0f}")


show()
alice.add_margin("BTC-PERP", 500, is_long=True)
show()
alice.remove_margin("BTC-PERP", 400, is_long=True)
show()
try:
    alice.remove_margin("BTC-PERP", 400, is_long=True)
except Refused as refused:
    print(refused.reason)  # margin: below initial
