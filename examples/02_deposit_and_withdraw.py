"""Deposit and withdraw.

Anyone may pay for any account. What leaves is at most the free collateral. Amounts are USD.
"""

from bulkhead.errors import Refused
from bulkhead.listings import BTC
from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
world = create(w3, w3.eth.accounts, listings=[BTC])
alice, bob = world.traders["alice"], world.traders["bob"]

alice.deposit(5_000)
bob.deposit("250.50", account=alice.address)
print(f"{world.reader.account(alice.address).cash:.2f}")  # 5250.50

alice.withdraw(1_250)
print(f"{world.reader.account(alice.address).free_collateral:.2f}")  # 4000.50

try:
    alice.withdraw(1_000_000)
except Refused as refused:
    print(refused.reason)  # balance: not withdrawable
