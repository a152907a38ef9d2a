"""Words written straight into storage: what is hard to come by in a test."""

from dataclasses import replace
from typing import Any

import boa

from bulkhead.protocol import words
from tests.helpers.protocol import Protocol


def doctor_price(protocol: Protocol, market: int, **changes: Any) -> words.Price:
    """Changes fields of a market's price, as another kind of feed might."""
    price = replace(protocol.price(market), **changes)
    slot = protocol.oracle.slots["_prices"] + market
    boa.env.set_storage(protocol.oracle.address, slot, words.pack_price(price))
    return price


def doctor_house(protocol: Protocol, **changes: int) -> words.House:
    """Changes what is in the house's buckets; tokens stay where they are."""
    house = replace(protocol.house(), **changes)
    slot = protocol.clearinghouse.slots["ledger._house"]
    boa.env.set_storage(protocol.clearinghouse.address, slot, words.pack_house(house))
    return house
