"""Gas of orders beyond placing, executing and cancelling one."""

from __future__ import annotations

from decimal import Decimal

from eth_account import Account

from benchmarks.world import BTC_SIZE, USD, Figures, World
from bulkhead.orders import OrderKind
from bulkhead.signatures import sign_order

KEY = Account.from_key(b"\x01" * 32)
RISE = Decimal("1.01")
FALL = Decimal("0.95")
LIMIT_PRICE = 9 * 10**11  # femto per lot: 90,000 USD
FEE = 1_000  # ppm, a builder's
HOUR = 3_600

ACCOUNTS = 10
EXIT = {"is_buy": False, "reduce_only": True, "leverage": 0}


def figures(world: World) -> Figures:
    return brackets(world) | signatures(world) | resting(world) | builders(world)


def brackets(world: World) -> Figures:
    """An entry with take-profit and stop, and the take-profit once its price has come."""
    figures: Figures = {}
    trader = funded(world)
    entry = world.order(0, BTC_SIZE)
    children = [
        world.order(0, 0, kind=kind, trigger_price=femto(world, factor), **EXIT)
        for kind, factor in ((OrderKind.TAKE_PROFIT, RISE), (OrderKind.STOP, FALL))
    ]
    book = world.reader.contracts.order_book
    call = book.call("place_bracket", entry.to_tuple(), [one.to_tuple() for one in children])
    receipt = world.send(trader, call)
    figures["place_bracket"] = receipt.gas_used
    entry, profit, _ = world.placed_in(receipt, 3)
    world.execute(entry)
    receipt = world.execute(profit, RISE)
    world.expect(receipt, "PositionDecreased")
    figures["execute_bracket_child"] = receipt.gas_used
    world.push(0)
    return figures


def signatures(world: World) -> Figures:
    """Orders of a key without ether, brought by another; a word holds 256 nonces."""
    figures: Figures = {}
    deposit = world.clearinghouse.call("deposit", KEY.address, 10_000 * USD)
    world.send(world.keeper, deposit)
    for nonce, name in enumerate(("place_signed_fresh_nonce_word", "place_signed")):
        order = world.order(0, BTC_SIZE, placer=KEY.address)
        signed = sign_order(world.reader, KEY, order, world.reader.now() + HOUR, nonce)
        call = world.reader.contracts.order_book.call(
            "place_with_signature", order.to_tuple(), *signed[1:]
        )
        receipt = world.send(world.keeper, call)
        world.placed_in(receipt)
        figures[name] = receipt.gas_used
    return figures


def resting(world: World) -> Figures:
    """A limit order replaced, a trailing stop shown its second price, everything ended."""
    figures: Figures = {}
    book = world.reader.contracts.order_book
    trader = funded(world)
    world.trade(trader, 0, BTC_SIZE)
    limit = {"kind": OrderKind.LIMIT, "acceptable_price": LIMIT_PRICE}
    old, _ = world.place(trader, 0, BTC_SIZE, **limit)
    new = world.order(0, BTC_SIZE, account=trader, **limit)
    receipt = world.send(trader, book.call("replace", old.to_tuple(), new.to_tuple()))
    world.expect(receipt, "OrderCancelled")
    world.placed_in(receipt)
    figures["replace_order"] = receipt.gas_used

    trailing = {"kind": OrderKind.TRAILING_STOP, "callback_rate": 50_000}
    stop, _ = world.place(trader, 0, 0, **trailing, **EXIT)
    show = book.call("ratchet", [stop.to_tuple()])
    for factor in (Decimal(1), RISE):
        world.push(0, factor)
        receipt = world.send(world.keeper, show)
        world.expect(receipt, "OrderRatcheted")
    figures["ratchet"] = receipt.gas_used

    receipt = world.send(trader, book.call("cancel_all", trader))
    world.expect(receipt, "EpochAdvanced")
    figures["cancel_all"] = receipt.gas_used
    world.push(0)
    return figures


def builders(world: World) -> Figures:
    """A fresh isolated position whose order pays a builder that has been paid before."""
    builder = world.newcomer()
    approve = world.reader.contracts.order_book.call("approve_builder", builder, FEE)
    receipts = []
    for _ in range(2):
        trader = funded(world)
        world.send(trader, approve)
        receipt = world.trade(trader, 0, BTC_SIZE, builder=builder, builder_fee=FEE)
        world.expect(receipt, "BuilderPaid")
        receipts.append(receipt)
    return {"execute_open_isolated_with_builder": receipts[-1].gas_used}


def funded(world: World) -> str:
    trader = world.newcomer()
    world.deposit(trader, 10_000 * USD)
    return trader


def femto(world: World, factor: Decimal) -> int:
    """Market 0's price times a factor, femto per lot: a lot is 1e-8 BTC."""
    return int(world.prices[0] * factor * 10**7)
