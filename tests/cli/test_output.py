"""What a result looks like to people and to programs."""

import json
from dataclasses import dataclass
from decimal import Decimal

import pytest

from bulkhead.cli.output import Output, plain, text_of
from bulkhead.orders import OrderKind


@dataclass(frozen=True, slots=True)
class Row:
    hash: bytes
    symbol: str
    group: bytes | None = None
    price: Decimal | None = None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1.500"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.000000000000000001"), "0.000000000000000001"),
        (Decimal("1" + "0" * 40 + ".5"), "1" + "0" * 40 + ".5"),
        (Decimal("Infinity"), "Infinity"),
        (2**53, "9007199254740992"),
        (7, 7),
        (True, True),
        (None, None),
        (b"\x01\xff", "0x01ff"),
        (OrderKind.TRAILING_STOP, "trailing_stop"),
        (("a", 1), ["a", 1]),
    ],
)
def test_json_has_every_digit(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_a_float_is_no_result() -> None:
    with pytest.raises(TypeError, match="float"):
        plain(0.1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("1234567.1234567"), "1,234,567.123457"),
        (Decimal("-0.0000001"), "0"),
        (Decimal("1E+30"), "1" + ",000" * 10),
        (Decimal("Infinity"), "∞"),
        (None, "-"),
        ((), "-"),
        (True, "yes"),
    ],
)
def test_people_see_six_decimals_at_most(value: object, expected: str) -> None:
    assert text_of(value) == expected


def test_a_table_shows_its_rows_own_hash_whole_and_leaves_out_empty_columns(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Output().show((Row(b"\xab" * 32, "BTC-PERP", b"\xcd" * 32),))
    shown = capsys.readouterr().out
    assert "0x" + "ab" * 32 in shown
    assert "0xcdcd…cdcd" in shown
    assert "price" not in shown


def test_a_table_that_is_too_wide_becomes_lists(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bulkhead.cli.output.PLAIN_WIDTH", 70)
    Output().show((Row(b"\xab" * 32, "BTC-PERP", b"\xcd" * 32),))
    shown = capsys.readouterr().out
    assert "symbol  BTC-PERP" in shown
    assert "…" not in shown


def test_no_rows_are_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    Output(as_json=True).show(())
    assert json.loads(capsys.readouterr().out) == []
    Output().show(())
    assert capsys.readouterr().out == "-\n"
