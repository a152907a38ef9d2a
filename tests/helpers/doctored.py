"""Words written straight into storage: what is hard to come by in a test."""

from dataclasses import replace

import boa

from bulkhead.protocol import words
from tests.helpers.protocol import Protocol, mapped


def doctor_house(protocol: Protocol, **changes: int) -> words.House:
    """Changes what is in the house's buckets; tokens stay where they are."""
    house = replace(protocol.house(), **changes)
    slot = protocol.clearinghouse.slots["ledger._house"]
    boa.env.set_storage(protocol.clearinghouse.address, slot, words.pack_house(house))
    return house


def doctor_account(protocol: Protocol, account: str, **changes: int) -> words.Account:
    """Changes what an account's word says of it; its positions stay what they are."""
    state = replace(protocol.account(account), **changes)
    slot = mapped(protocol.clearinghouse.slots["ledger._accounts"], int(account, 16))
    boa.env.set_storage(protocol.clearinghouse.address, slot, words.pack_account(state))
    return state
