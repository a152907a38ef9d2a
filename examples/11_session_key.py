"""Let a session key trade.

An operator has permissions, markets, a notional it may open in all, and an expiry; the chain
enforces them. It can never withdraw, move margin or change rights.
"""

from bulkhead import Permission, Trader
from bulkhead.errors import Refused
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice, session = world.traders["alice"], w3.eth.accounts[-1]
alice.deposit(5_000)

alice.set_operator(
    session,
    Permission.OPEN | Permission.CANCEL,
    markets=["BTC-PERP"],
    notional=12_000,
    expiry=world.reader.now() + 3_600,
)
operator = Trader(world.reader, session, account=alice.address)
order = operator.place("BTC-PERP", "0.1", is_buy=True)
world.fill()
print(order.state())  # executed

try:
    operator.place("BTC-PERP", "0.1", is_buy=True)
except Refused as refused:
    print(refused.reason)  # operator: notional spent
alice.revoke_operator(session)
