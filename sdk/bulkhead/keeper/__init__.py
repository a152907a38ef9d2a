"""Keepers: they execute, liquidate, top up, deleverage and settle, for the fees."""

from typing import TYPE_CHECKING

from bulkhead._lazy import lazy_names

if TYPE_CHECKING:
    from bulkhead.keeper.endpoint import EndpointHealth as EndpointHealth
    from bulkhead.keeper.endpoint import EndpointPolicy as EndpointPolicy
    from bulkhead.keeper.endpoint import EndpointState as EndpointState
    from bulkhead.keeper.endpoints import EndpointPool as EndpointPool
    from bulkhead.keeper.passes import Keeper as Keeper
    from bulkhead.keeper.passes import LiquidationReport as LiquidationReport
    from bulkhead.keeper.passes import OrderReport as OrderReport
    from bulkhead.keeper.work import Batch as Batch
    from bulkhead.keeper.work import Job as Job
    from bulkhead.keeper.work import Task as Task

_HOME = {
    "Batch": "work",
    "EndpointHealth": "endpoint",
    "EndpointPolicy": "endpoint",
    "EndpointPool": "endpoints",
    "EndpointState": "endpoint",
    "Job": "work",
    "Keeper": "passes",
    "LiquidationReport": "passes",
    "OrderReport": "passes",
    "Task": "work",
}

__all__, __getattr__, __dir__ = lazy_names(__name__, _HOME)
