"""Bulkhead: perpetual futures on chain, with cross and isolated margin at the same time."""

from typing import TYPE_CHECKING

from bulkhead._lazy import lazy_names

if TYPE_CHECKING:
    from bulkhead.accounts import AccountView as AccountView
    from bulkhead.accounts import Position as Position
    from bulkhead.admin import Admin as Admin
    from bulkhead.admin import AsyncAdmin as AsyncAdmin
    from bulkhead.chain import AsyncChain as AsyncChain
    from bulkhead.chain import Chain as Chain
    from bulkhead.chain import Sending as Sending
    from bulkhead.chain import TransactionSigner as TransactionSigner
    from bulkhead.chain import key_from_environment as key_from_environment
    from bulkhead.chain import key_from_keystore as key_from_keystore
    from bulkhead.deployment import Deployment as Deployment
    from bulkhead.deployment import deploy as deploy
    from bulkhead.deployment import deploy_async as deploy_async
    from bulkhead.errors import BulkheadError as BulkheadError
    from bulkhead.errors import Permanent as Permanent
    from bulkhead.errors import Refused as Refused
    from bulkhead.errors import Retryable as Retryable
    from bulkhead.governance import AsyncTimelock as AsyncTimelock
    from bulkhead.governance import Timelock as Timelock
    from bulkhead.handles import AsyncOrderHandle as AsyncOrderHandle
    from bulkhead.handles import OrderHandle as OrderHandle
    from bulkhead.keeper import Keeper as Keeper
    from bulkhead.liquidity import AsyncLiquidityProvider as AsyncLiquidityProvider
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
    from bulkhead.reader import AsyncReader as AsyncReader
    from bulkhead.reader import Reader as Reader
    from bulkhead.signatures import sign_bracket as sign_bracket
    from bulkhead.signatures import sign_order as sign_order
    from bulkhead.simulate import Simulation as Simulation
    from bulkhead.trader import AsyncTrader as AsyncTrader
    from bulkhead.trader import Trader as Trader

_HOME = {
    "AccountView": "accounts",
    "Admin": "admin",
    "AsyncAdmin": "admin",
    "AsyncChain": "chain",
    "AsyncLiquidityProvider": "liquidity",
    "AsyncOrderHandle": "handles",
    "AsyncReader": "reader",
    "AsyncTimelock": "governance",
    "AsyncTrader": "trader",
    "BulkheadError": "errors",
    "Chain": "chain",
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
    "Permanent": "errors",
    "Permission": "orders",
    "Position": "accounts",
    "PositionSide": "orders",
    "Reader": "reader",
    "Refused": "errors",
    "Simulation": "simulate",
    "Retryable": "errors",
    "Sending": "chain",
    "Timelock": "governance",
    "Trader": "trader",
    "TransactionSigner": "chain",
    "deploy": "deployment",
    "deploy_async": "deployment",
    "key_from_environment": "chain",
    "key_from_keystore": "chain",
    "sign_bracket": "signatures",
    "sign_order": "signatures",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOME)
