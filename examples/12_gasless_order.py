"""Sign an order and let somebody else bring it.

The key that signs needs no ETH; whoever brings the order pays the gas. A signature counts once,
until its deadline. Smart wallets sign by ERC-1271.
"""

from eth_account import Account

from bulkhead import Trader, sign_order
from bulkhead.errors import Refused
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
key = Account.create()
world.traders["alice"].deposit(5_000, account=key.address)

order = Trader(world.reader, key).order("BTC-PERP", "0.1", is_buy=True)
signed = sign_order(world.reader, key, order, deadline=world.reader.now() + 600)

relayer = world.traders["bob"]
(handle,) = relayer.place_signed(signed)
world.fill()
print(handle.state(), handle.order.account == key.address)  # executed True

try:
    relayer.place_signed(signed)
except Refused as refused:
    print(refused.reason)  # signature: nonce is spent
