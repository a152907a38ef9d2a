"""Keepers: they execute, liquidate, top up, deleverage and settle, for the fees."""

from typing import TYPE_CHECKING

from bulkhead._lazy import lazy_names

if TYPE_CHECKING:
    from bulkhead.keeper.account import KeeperAccount as KeeperAccount
    from bulkhead.keeper.account import deploy_account as deploy_account
    from bulkhead.keeper.account import deploy_account_async as deploy_account_async
    from bulkhead.keeper.bidding import Policy as Policy
    from bulkhead.keeper.book import Book as Book
    from bulkhead.keeper.dispatch import Dispatcher as Dispatcher
    from bulkhead.keeper.endpoint import EndpointHealth as EndpointHealth
    from bulkhead.keeper.endpoint import EndpointPolicy as EndpointPolicy
    from bulkhead.keeper.endpoint import EndpointState as EndpointState
    from bulkhead.keeper.endpoints import EndpointPool as EndpointPool
    from bulkhead.keeper.flights import FlightState as FlightState
    from bulkhead.keeper.flights import Sent as Sent
    from bulkhead.keeper.flights import Settled as Settled
    from bulkhead.keeper.journal import Journal as Journal
    from bulkhead.keeper.lanes import LaneState as LaneState
    from bulkhead.keeper.passes import Keeper as Keeper
    from bulkhead.keeper.passes import LiquidationReport as LiquidationReport
    from bulkhead.keeper.passes import OrderReport as OrderReport
    from bulkhead.keeper.poison import Expiry as Expiry
    from bulkhead.keeper.work import Batch as Batch
    from bulkhead.keeper.work import Job as Job
    from bulkhead.keeper.work import Task as Task

_HOME = {
    "Batch": "work",
    "Book": "book",
    "Dispatcher": "dispatch",
    "Expiry": "poison",
    "FlightState": "flights",
    "EndpointHealth": "endpoint",
    "EndpointPolicy": "endpoint",
    "EndpointPool": "endpoints",
    "EndpointState": "endpoint",
    "Job": "work",
    "Journal": "journal",
    "Keeper": "passes",
    "KeeperAccount": "account",
    "LaneState": "lanes",
    "LiquidationReport": "passes",
    "OrderReport": "passes",
    "Policy": "bidding",
    "Sent": "flights",
    "Settled": "flights",
    "Task": "work",
    "deploy_account": "account",
    "deploy_account_async": "account",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOME)
