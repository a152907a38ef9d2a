"""What names a task, and which events end it. Pure."""

from __future__ import annotations

from bulkhead import valuation
from bulkhead.interfaces import Event
from bulkhead.keeper.work import Intent, Job
from bulkhead.protocol import words

_OF_ORDERS = (Job.EXECUTE_ORDERS, Job.CLEAR_EXPIRED, Job.TRAIL_STOPS)
_OF_VAULTS = (Job.LIQUIDATE_ISOLATED, Job.TOP_UP)


def order_key(order_hash: bytes) -> str:
    """Names what is done to an order."""
    return "0x" + order_hash.hex()


def position_key(account: str, market: int, slot: int) -> str:
    """Names what is done to a position: its id, in decimals."""
    return str(words.position_id(int(account, 16), market, slot))


def ended_by(event: Event) -> tuple[Intent, ...]:
    """The tasks that an event leaves nothing of, whoever did it.

    What is done to accounts, requests and markets is named by the address with checksum, by the
    request's id and by the market's, both in decimals.
    """
    match event.name:
        case "OrderExecuted" | "OrderCancelled":
            return tuple((job, order_key(event["order_hash"])) for job in _OF_ORDERS)
        case "OrderRatcheted":
            return ((Job.TRAIL_STOPS, order_key(event["order_hash"])),)
        case "PositionLiquidated" | "MarginToppedUp" if valuation.is_isolated(event["slot"]):
            return tuple((job, _position_of(event)) for job in _OF_VAULTS)
        case "PositionLiquidated" | "PairNetted":
            return ((Job.LIQUIDATE_CROSS, str(event["account"])),)
        case "PositionDeleveraged":
            return ((Job.DELEVERAGE, _position_of(event)),)
        case "PositionSettled":
            return ((Job.SETTLE, _position_of(event)),)
        case "SettlementFixed":
            return ((Job.SETTLE, str(event["market"])),)
        case "RedeemFixed" | "RedeemLapsed":
            return ((Job.FIX_REQUESTS, str(event["request_id"])),)
        case "PriceUpdated":
            return ((Job.UPDATE_PRICES, str(event["market"])),)
    return ()


def _position_of(event: Event) -> str:
    return position_key(event["account"], event["market"], event["slot"])
