"""The deployed system as one object: encodes its calls and decodes its logs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bulkhead.interfaces import Call, Event, Interface, Log, interface_of

if TYPE_CHECKING:
    from bulkhead.deployment import Deployment


class Contract:
    """One contract at one address."""

    def __init__(self, address: str, interface: Interface) -> None:
        self.address = address
        self.interface = interface

    def call(self, name: str, *arguments: Any) -> Call:
        """An encoded call of a function."""
        return self.interface.encode_call(self.address, name, arguments)

    def topic(self, event: str) -> bytes:
        """The first topic of an event."""
        return self.interface.topic_of(event)


class Contracts:
    """Every contract users meet, by the names of a deployment."""

    def __init__(self, deployment: Deployment) -> None:
        self.clearinghouse = Contract(deployment.clearinghouse, interface_of("Clearinghouse"))
        self.order_book = Contract(deployment.order_book, interface_of("OrderBook"))
        self.price_oracle = Contract(deployment.price_oracle, interface_of("PriceOracle"))
        self.liquidity_pool = Contract(deployment.liquidity_pool, interface_of("LiquidityPool"))
        self.lens = Contract(deployment.lens, interface_of("Lens"))
        self.order_lens = Contract(deployment.order_lens, interface_of("OrderLens"))
        self.risk_lens = Contract(deployment.risk_lens, interface_of("RiskLens"))
        self.word_lens = Contract(deployment.word_lens, interface_of("WordLens"))
        self.timelock = (
            Contract(deployment.timelock, interface_of("Timelock")) if deployment.timelock else None
        )
        # Any ERC-20 has what the mock has, but for minting.
        self.token = Contract(deployment.token, interface_of("MockToken"))
        self._by_address = {
            one.address: one.interface
            for one in (
                self.clearinghouse,
                self.order_book,
                self.price_oracle,
                self.liquidity_pool,
                self.token,
            )
        }

    def decode_log(self, log: Log) -> Event | None:
        """The event behind a log, or None if none of these contracts logged it."""
        interface = self._by_address.get(log.address)
        return interface.decode_log(log) if interface is not None else None

    def decode_logs(self, logs: Iterable[Log]) -> tuple[Event, ...]:
        """The events behind logs, without what is of other contracts."""
        events = (self.decode_log(log) for log in logs)
        return tuple(event for event in events if event is not None)
