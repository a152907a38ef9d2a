"""Gas of a price that anyone may bring: from Pyth, and signed by two of three."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from eth_abi.abi import encode
from eth_account import Account

from benchmarks.world import TICK, Figures, World, listing_of
from bulkhead import prices
from bulkhead.chain import Receipt
from bulkhead.interfaces import encode_constructor
from bulkhead.local import advance_time

ACCOUNTS = 4
PYTH_ID = b"\x07" * 32
PYTH_FEE = 1  # wei an update
MOVE = Decimal("1.001")
SIGNERS = [Account.from_key(bytes([number]) * 32) for number in (1, 2, 3)]
THRESHOLD = 2


def figures(world: World) -> Figures:
    """Each of a listed market that has had prices before."""
    return {"update_pyth": pyth(world), "update_signed": signed(world)}


def pyth(world: World) -> int:
    """One update, its fee paid; what Pyth's own verification takes is not in it."""
    market = len(world.prices)
    listing = listing_of(market)
    chain = world.reader.chain
    code = encode_constructor("MockPyth", (PYTH_FEE,))
    source = chain.wait(chain.submit(None, code, world.owner)).created
    if source is None:
        raise RuntimeError("the mock was not deployed")
    world.admin.set_pyth_feed(market, listing, source, PYTH_ID)

    def payload(dollars: Decimal) -> bytes:
        price = int(dollars * 10**8)
        update = encode(
            ["bytes32", "int64", "uint64", "int32", "uint256"],
            [PYTH_ID, price, price // 2_000, -8, world.reader.now()],
        )
        return prices.pyth_updates([update])

    return later_update(world, market, payload, PYTH_FEE)


def signed(world: World) -> int:
    market = len(world.prices)
    listing = listing_of(market)
    world.admin.set_signers([one.address for one in SIGNERS], THRESHOLD)
    world.admin.set_signed_feed(market, listing)

    def payload(dollars: Decimal) -> bytes:
        return prices.signed_price(
            SIGNERS[:THRESHOLD],
            world.reader.chain.chain_id(),
            world.reader.contracts.price_oracle.address,
            market,
            int(dollars * 10**18),
            world.reader.now(),
        )

    return later_update(world, market, payload)


def later_update(
    world: World, market: int, payload: Callable[[Decimal], bytes], value: int = 0
) -> int:
    """The market's second price: its first lists it."""
    listing = listing_of(market)
    bring(world, market, payload(listing.price), value)
    world.admin.list_on_feed(listing)
    world.prices[market] = listing.price
    advance_time(world.w3, TICK)
    return bring(world, market, payload(MOVE * listing.price), value).gas_used


def bring(world: World, market: int, payload: bytes, value: int) -> Receipt:
    call = world.reader.contracts.price_oracle.call("update", market, payload)
    receipt = world.reader.chain.send(call, world.keeper, value=value)
    world.expect(receipt, "PriceUpdated")
    return receipt
