"""Logs: one line an event, for programs or people, and never a secret."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Literal

import pytest

from bulkhead.keeper.configuration.groups import LogSettings
from bulkhead.keeper.watch import logs
from bulkhead.keeper.work import Job

HASH = "0x" + "ab" * 32
Format = Literal["text", "json"]
Written = Callable[[], list[str]]


@pytest.fixture
def restored() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger(logs.ROOT)
    before = root.handlers[:], root.level, own.handlers[:], own.level
    yield
    root.handlers[:], root.level, own.handlers[:], own.level = before


def configured(form: Format, level: Any = "info") -> Written:
    stream = io.StringIO()
    logs.configure(LogSettings(level=level, format=form), stream)
    return lambda: stream.getvalue().splitlines()


@pytest.mark.usefixtures("restored")
def test_json_has_one_object_a_line_with_event_and_fields() -> None:
    lines = configured("json")
    logs.Log("dispatch").info(
        "transaction sent", job=Job.SETTLE, nonce=7, usd=Decimal("0.10"), markets=["BTC-PERP"]
    )
    (table,) = map(json.loads, lines())
    assert table.pop("time").endswith("+00:00")
    assert table == {
        "level": "info",
        "logger": "bulkhead.keeper.dispatch",
        "event": "transaction sent",
        "job": "settle",
        "nonce": 7,
        "usd": "0.1",
        "markets": ["BTC-PERP"],
    }


@pytest.mark.usefixtures("restored")
def test_what_others_do_with_their_logs_can_be_left_to_them() -> None:
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    logs.configure(LogSettings(), stream, with_others=False)
    logging.getLogger("somebody").error("theirs")
    logs.Log("engine").info("ours")
    assert (root.handlers, root.level) == before
    (line,) = stream.getvalue().splitlines()
    assert line.endswith("ours")


@pytest.mark.usefixtures("restored")
def test_text_has_the_fields_behind_the_event() -> None:
    lines = configured("text")
    logs.Log("engine").warning("price is old", market="BTC-PERP", age=61, says="too old")
    (line,) = lines()
    assert line.endswith('warning price is old market=BTC-PERP age=61 says="too old"')


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reason_with_line_breaks_stays_one_line(form: Format) -> None:
    lines = configured(form)
    logs.Log("engine").info("failed\n2026 forged", reason="x\nerror forged=1\r\x1b[31m")
    (line,) = lines()
    assert "\x1b" not in line


@pytest.mark.usefixtures("restored")
def test_what_is_below_the_level_is_not_written() -> None:
    lines = configured("text", "warning")
    logs.Log("engine").info("pass done")
    logs.Log("engine").debug("candidates")
    assert lines() == []


@pytest.mark.usefixtures("restored")
def test_other_libraries_are_heard_from_warnings_on() -> None:
    lines = configured("json", "debug")
    web3 = logging.getLogger("web3.providers.HTTPProvider")
    web3.debug("Making request. URI: https://node.example/v3/secret-path")
    web3.warning("Making request. URI: https://node.example/v3/secret-path")
    (line,) = lines()
    assert json.loads(line)["event"] == "Making request. URI: https://node.example"


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "fields",
    [
        {"url": "https://user:5ecret@node.example/5ecret?5ecret#5ecret"},
        {"url": "wss://node.example/ws/5ecret"},
        {"error": ConnectionError("Max retries exceeded with url: /v3/5ecret")},
        {"error": "Cannot connect to 'https://node.example/5ecret' now"},
        {"password": "5ecret"},
        {"keystore_password": b"5ecret"},
        {"private_key": "5ecret"},
        {"settings": {"api_key": "5ecret"}},
        {"urls": ["https://node.example/5ecret"]},
        {"value": "5ec4e7" + "ab" * 29},
        {"value": "0x5ec4e7" + "ab" * 29},
        {"value": bytes.fromhex("5ec4e7" + "ab" * 29)},
        {"order": "key is 5ec4e7" + "ab" * 29},
    ],
)
def test_a_secret_is_never_written(form: Format, fields: dict[str, Any]) -> None:
    lines = configured(form)
    logs.Log("keys").info("opened", **fields)
    assert not [line for line in lines() if "5ecret" in line or "5ec4e7" in line]
    assert lines()


@pytest.mark.usefixtures("restored")
def test_a_traceback_is_written_without_secrets() -> None:
    lines = configured("text")
    try:
        raise ValueError(f"key {HASH} at https://node.example/5ecret")
    except ValueError as error:
        logs.Log("engine").error("pass failed", error)
    text = "\n".join(lines())
    assert "Traceback" in text
    assert "https://node.example" in text
    assert "5ecret" not in text
    assert HASH not in text


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize("value", [HASH, bytes.fromhex(HASH[2:])])
def test_public_hashes_are_written_whole(value: str | bytes) -> None:
    lines = configured("json")
    logs.Log("dispatch").info("sent", transaction=value, order=value)
    table = json.loads(lines()[0])
    assert (table["transaction"], table["order"]) == (HASH, HASH)


@pytest.mark.usefixtures("restored")
def test_a_field_can_not_pose_as_the_event() -> None:
    lines = configured("json")
    logs.Log("dispatch").info("sent", level="critical", time="never")
    table = json.loads(lines()[0])
    assert table["level"] == "info"
    assert table["time"] != "never"
