"""Arguments come back from JSON as they were, and anybody's parser reads them."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkhead.index.arguments import from_json, to_json
from tests.sdk.test_decoding import EVENTS, values_of


def texts(value: Any) -> Any:
    """What a parser makes of a value: no number that it could cut short."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return [texts(one) for one in value]
    return {name: texts(one) for name, one in value.items()}


@pytest.mark.parametrize("name", EVENTS)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_arguments_come_back_as_they_were(name: str, data: st.DataObject) -> None:
    inputs = EVENTS[name]["inputs"]
    arguments = data.draw(st.fixed_dictionaries({one["name"]: values_of(one) for one in inputs}))
    text = to_json(arguments)
    assert json.loads(text) == texts(arguments)
    assert from_json(inputs, text) == arguments


def test_text_can_not_leave_its_place() -> None:
    inputs = [{"name": "reason", "type": "string"}]
    arguments = {"reason": '","size":"1\\\x00\n\ud7ff'}
    assert from_json(inputs, to_json(arguments)) == arguments
