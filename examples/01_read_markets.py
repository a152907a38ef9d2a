"""Read the markets.

A reader needs no key. Every answer is of one block. Prices are USD per base unit, sizes base units.
"""

from bulkhead.local import memory_chain
from bulkhead.world import create

w3 = memory_chain()
reader = create(w3, w3.eth.accounts).reader

for state in reader.markets():
    max_leverage = 1_000_000 // state.market.tiers[0].initial_rate
    print(f"{state.market.symbol} {state.mark_price:,} {max_leverage}x")  # ETH-PERP 4,000 100x

bitcoin = reader.market_state("BTC-PERP")
longs, shorts = (bitcoin.market.size_of(side.size) for side in (bitcoin.long, bitcoin.short))
print(f"open interest {longs:.2f} {shorts:.2f}, funding {bitcoin.funding_rate:.4%} a day")
print(f"pool {reader.house().pool_cash:,.2f}")  # pool 2,000,000.00
