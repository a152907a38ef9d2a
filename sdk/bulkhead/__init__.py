"""Bulkhead: perpetual futures on chain, with cross and isolated margin at the same time."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bulkhead.accounts import AccountView as AccountView
    from bulkhead.accounts import Position as Position
    from bulkhead.admin import Admin as Admin
    from bulkhead.deployment import Deployment as Deployment
    from bulkhead.deployment import deploy as deploy
    from bulkhead.errors import BulkheadError as BulkheadError
    from bulkhead.errors import Refused as Refused
    from bulkhead.governance import Timelock as Timelock
    from bulkhead.handles import OrderHandle as OrderHandle
    from bulkhead.keeper import Keeper as Keeper
    from bulkhead.liquidity import LiquidityProvider as LiquidityProvider
    from bulkhead.listings import DEMO_LISTINGS as DEMO_LISTINGS
    from bulkhead.listings import Listing as Listing
    from bulkhead.markets import Market as Market
    from bulkhead.markets import MarketState as MarketState
    from bulkhead.orders import MarginMode as MarginMode
    from bulkhead.orders import Order as Order
    from bulkhead.orders import OrderKind as OrderKind
    from bulkhead.orders import OrderState as OrderState
    from bulkhead.orders import Permission as Permission
    from bulkhead.orders import PositionSide as PositionSide
    from bulkhead.reader import Reader as Reader
    from bulkhead.signatures import sign_bracket as sign_bracket
    from bulkhead.signatures import sign_order as sign_order
    from bulkhead.trader import Trader as Trader

_HOME = {
    "AccountView": "accounts",
    "Admin": "admin",
    "BulkheadError": "errors",
    "DEMO_LISTINGS": "listings",
    "Deployment": "deployment",
    "Keeper": "keeper",
    "LiquidityProvider": "liquidity",
    "Listing": "listings",
    "MarginMode": "orders",
    "Market": "markets",
    "MarketState": "markets",
    "Order": "orders",
    "OrderHandle": "handles",
    "OrderKind": "orders",
    "OrderState": "orders",
    "Position": "accounts",
    "Permission": "orders",
    "PositionSide": "orders",
    "Reader": "reader",
    "Refused": "errors",
    "Timelock": "governance",
    "Trader": "trader",
    "deploy": "deployment",
    "sign_bracket": "signatures",
    "sign_order": "signatures",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    # Loaded on first use: `import bulkhead` costs nothing.
    if name not in _HOME:
        raise AttributeError(f"bulkhead has no {name}")
    return getattr(import_module(f"bulkhead.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
