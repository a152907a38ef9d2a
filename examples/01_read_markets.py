"""Read the markets: prices, funding and open interest. Reading needs no key."""

from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
reader = create(w3, w3.eth.accounts).reader

for state in reader.markets():
    print(state.market.symbol, state.mark_price)
