"""Answers are bounded in every way before they are parsed."""

import json

import pytest

from bulkhead.keeper.nodes.sessions import MAX_DEPTH, shallow_text


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        nested(MAX_DEPTH),
        json.dumps([{"topics": [], "data": "0x"}] * 1_000),
        json.dumps({"name": "[" * 10_000, "other": "{" * 10_000}),
        json.dumps(['"\\' + "[" * 100, "\\\\" + "[" * 100]),
    ],
)
def test_what_is_flat_is_passed_on(text: str) -> None:
    assert shallow_text(text.encode()) == text


@pytest.mark.parametrize(
    "text",
    [
        nested(MAX_DEPTH + 1),
        "[" * 100_000,
        '{"a":' * 100_000,
        "[1," * 100_000,
        '["]]]]",' * 100_000,
        '["\\"]",' * 100_000,
    ],
)
def test_what_is_deep_is_refused_before_it_is_parsed(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        shallow_text(text.encode())


@pytest.mark.parametrize("body", [b"\xff\xfe[\x00", "[]".encode("utf-16")])
def test_what_is_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="decode"):
        shallow_text(body)
