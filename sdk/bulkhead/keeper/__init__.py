"""Keepers: they execute, liquidate, top up, deleverage and settle, for the fees."""

from typing import TYPE_CHECKING

from bulkhead._lazy import lazy_names

if TYPE_CHECKING:
    from bulkhead.keeper.account import KeeperAccount as KeeperAccount
    from bulkhead.keeper.account import deploy_account as deploy_account
    from bulkhead.keeper.account import deploy_account_async as deploy_account_async
    from bulkhead.keeper.book import Book as Book
    from bulkhead.keeper.dispatch.bidding import SendingPolicy as SendingPolicy
    from bulkhead.keeper.dispatch.dispatcher import Dispatcher as Dispatcher
    from bulkhead.keeper.dispatch.flights import FlightState as FlightState
    from bulkhead.keeper.dispatch.flights import Sent as Sent
    from bulkhead.keeper.dispatch.flights import Settled as Settled
    from bulkhead.keeper.dispatch.journal import Journal as Journal
    from bulkhead.keeper.dispatch.lanes import LaneState as LaneState
    from bulkhead.keeper.dispatch.poison import Expiry as Expiry
    from bulkhead.keeper.nodes.endpoint import EndpointHealth as EndpointHealth
    from bulkhead.keeper.nodes.endpoint import EndpointPolicy as EndpointPolicy
    from bulkhead.keeper.nodes.endpoint import EndpointState as EndpointState
    from bulkhead.keeper.nodes.pool import EndpointPool as EndpointPool
    from bulkhead.keeper.passes import Keeper as Keeper
    from bulkhead.keeper.passes import LiquidationReport as LiquidationReport
    from bulkhead.keeper.passes import OrderReport as OrderReport
    from bulkhead.keeper.work import Batch as Batch
    from bulkhead.keeper.work import Job as Job
    from bulkhead.keeper.work import Task as Task

_HOME = {
    "Batch": "work",
    "Book": "book",
    "Dispatcher": "dispatch.dispatcher",
    "Expiry": "dispatch.poison",
    "FlightState": "dispatch.flights",
    "EndpointHealth": "nodes.endpoint",
    "EndpointPolicy": "nodes.endpoint",
    "EndpointPool": "nodes.pool",
    "EndpointState": "nodes.endpoint",
    "Job": "work",
    "Journal": "dispatch.journal",
    "Keeper": "passes",
    "LaneState": "dispatch.lanes",
    "KeeperAccount": "account",
    "LiquidationReport": "passes",
    "OrderReport": "passes",
    "SendingPolicy": "dispatch.bidding",
    "Sent": "dispatch.flights",
    "Settled": "dispatch.flights",
    "Task": "work",
    "deploy_account": "account",
    "deploy_account_async": "account",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOME)
