"""A word gives back what was packed into it, and its fields never touch."""

from dataclasses import astuple, fields

import pytest

from bulkhead.protocol import words
from tests.helpers.draw import Draw
from tests.helpers.libraries import Library

pytestmark = pytest.mark.anvil

INPUTS = 10_000
# The width of every field, lowest bits first, as `docs/design.md` lists them; None is a gap.
WIDTHS: dict[type, list[tuple[str | None, int]]] = {
    words.Account: [
        ("escrow", 40),
        ("flags", 4),
        ("epoch", 12),
        ("vaults", 8),
        ("legs", 128),
        ("cash", 64),
    ],
    words.Position: [
        ("generation", 23),
        ("auto_margin", 1),
        ("margin", 56),
        ("entry_notional", 56),
        ("size", 56),
        ("funding_index", 64),
    ],
    words.Side: [("size", 64), (None, 32), ("basis", 160)],
    words.Market: [
        ("first_floor", 16),
        ("initial_rate", 20),
        ("maintenance_rate", 20),
        ("max_funding_rate", 19),
        ("is_ramping", 1),
        ("accrued_at", 36),
        ("funding_drift", 40),
        ("funding_rate", 40),
        ("funding_index", 64),
    ],
    words.Ramp: [
        ("initial_rate", 20),
        ("maintenance_rate", 20),
        ("ends_at", 36),
        ("started_at", 36),
    ],
    words.House: [("flags", 8), ("fees", 76), ("insurance", 76), ("pool_cash", 96)],
    words.TradeTerms: [
        ("status", 4),
        ("funding_velocity", 28),
        ("skew_scale", 56),
        ("reserve_rate", 20),
        ("pool_share", 20),
        ("side_cap", 20),
        ("skew_cap", 20),
        ("treasury_share", 20),
        ("insurance_share", 20),
        ("min_notional", 16),
        ("maker_fee", 16),
        ("taker_fee", 16),
    ],
    words.LiquidationTerms: [
        ("partial_above", 56),
        (None, 20),
        ("keeper_cap", 40),
        ("keeper_floor", 40),
        ("buffer", 20),
        ("keeper_share", 20),
        ("penalty", 20),
    ],
    words.Tier: [("initial_rate", 20), ("maintenance_rate", 20), ("floor", 24)],
    words.Settings: [
        ("short_allowance", 56),
        ("long_allowance", 56),
        ("cross_leverage", 28),
        ("isolated_short_leverage", 28),
        ("isolated_long_leverage", 28),
        ("isolated_by_default", 1),
    ],
    words.Price: [
        ("max_age", 20),
        ("trade_age", 16),
        ("silence", 36),
        ("accepted_at", 36),
        ("published_at", 36),
        ("confidence", 20),
        ("price", 64),
        ("settles_at", 20),
        ("caution", 4),
        ("kind", 4),
    ],
    words.Feed: [
        ("kind", 4),
        ("is_checked", 1),
        ("is_sequenced", 1),
        ("is_bounded", 1),
        (None, 1),
        ("decimals", 8),
        ("lot_size", 80),
        ("source", 160),
    ],
    words.Check: [
        ("disputed_at", 36),
        ("max_confidence", 20),
        ("max_deviation", 20),
        ("decimals", 8),
        (None, 12),
        ("second", 160),
    ],
    words.Settlement: [("counted", 12), ("sum", 128)],
    words.Sequencer: [("grace", 20), (None, 76), ("feed", 160)],
    words.OrderState: [
        ("executable_from", 36),
        ("status", 4),
        ("keeper_fee", 40),
        ("epoch", 12),
        ("escrowed", 1),
        ("is_child", 1),
        ("is_bound", 1),
        ("is_spent", 1),
        ("generation", 23),
        ("filled", 56),
        ("extreme", 64),
    ],
    words.OrderTerms: [("window", 16), ("delay", 16), ("keeper_fee", 40), ("max_age", 32)],
    words.Operator: [("expiry", 40), ("permissions", 8), ("notional", 64), ("markets", 128)],
}
SIGNED = {"cash", "funding_index", "funding_rate", "funding_drift", "basis", "pool_cash"}
NAMES = {
    struct: "".join("_" * letter.isupper() + letter.lower() for letter in struct.__name__)
    for struct in WIDTHS
}


@pytest.fixture
def library(libraries: dict[str, Library]) -> Library:
    return libraries["words"]


def ranges(struct: type) -> dict[str, tuple[int, int]]:
    return {
        name: (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if name in SIGNED else (0, 2**width - 1)
        for name, width in WIDTHS[struct]
        if name
    }


@pytest.mark.parametrize("struct", WIDTHS)
def test_unpacking_gives_back_what_was_packed(struct: type, library: Library) -> None:
    draw = Draw(struct.__name__)
    order = [field.name for field in fields(struct)]
    limits = ranges(struct)
    given = [tuple(draw.integer(*limits[name]) for name in order) for _ in range(INPUTS)]
    packed = library.call(f"pack{NAMES[struct]}", [(values,) for values in given])
    unpacked = library.call(f"unpack{NAMES[struct]}", [(word,) for word in packed])
    assert [astuple(value) for value in unpacked] == given


@pytest.mark.parametrize("struct", WIDTHS)
def test_every_field_fills_its_own_bits_and_no_others(struct: type, library: Library) -> None:
    order = [field.name for field in fields(struct)]
    offset = 0
    for name, width in WIDTHS[struct]:
        if name:
            full = -1 if name in SIGNED else 2**width - 1
            alone = tuple(full if other == name else 0 for other in order)
            (word,) = library.call(f"pack{NAMES[struct]}", [(alone,)])
            assert word == (2**width - 1) << offset
        offset += width
    assert offset <= 256


@pytest.mark.parametrize("struct", WIDTHS)
def test_packing_takes_both_ends_of_a_range_and_refuses_one_step_more(
    struct: type, library: Library
) -> None:
    order = [field.name for field in fields(struct)]
    for name, (low, high) in ranges(struct).items():
        if high == 1:
            continue  # a bool: its type holds nothing else
        tried = [low, high, high + 1] + [low - 1] * (low < 0)
        inputs = [(tuple(value if name == other else 0 for other in order),) for value in tried]
        taken = [success for success, _ in library.answers(f"pack{NAMES[struct]}", inputs)]
        assert taken == [low <= value <= high for value in tried]


def test_a_position_id_gives_back_account_market_and_slot(library: Library) -> None:
    draw = Draw("position")
    inputs = [
        (draw.unsigned(160), draw.integer(0, words.MAX_MARKETS), draw.integer(0, 3))
        for _ in range(INPUTS)
    ]
    named = library.call("position_id", inputs)
    assert library.call("split_position_id", [(number,) for number in named]) == inputs


def test_every_cross_leg_has_a_bit_of_its_own(library: Library) -> None:
    legs = [(market, slot) for market in range(words.CROSS_MARKETS) for slot in range(2)]
    assert library.call("leg_bit", legs) == [2**i for i in range(128)]


def test_the_lowest_bit_and_the_number_of_bits_are_those_of_the_binary_text(
    library: Library,
) -> None:
    draw = Draw("bits")
    numbers = [2**i for i in range(128)] + [draw.unsigned(128) for _ in range(INPUTS)]
    inputs = [(number,) for number in numbers]
    texts = [f"{number:b}" for number in numbers]
    assert library.call("count_bits", inputs) == [text.count("1") for text in texts]
    expected = [len(text) - 1 - text.rindex("1") if "1" in text else 0 for text in texts]
    assert library.call("lowest_bit_index", inputs) == expected


def test_escrow_is_taken_down_to_the_lowest_cash_that_a_word_holds(library: Library) -> None:
    draw = Draw("escrow")
    for _ in range(100):
        amount, left = draw.integer(1, 2**40 - 1), draw.integer(0, 9)
        account = draw.struct(words.Account, cash=amount + left - 2**63, escrow=0)
        (word,) = library.call("pack_account", [(account,)])
        (moved,) = library.call("with_escrow", [(word, amount)])
        (taken,) = library.call("unpack_account", [(moved,)])
        assert (taken.cash, taken.escrow) == (left - 2**63, amount)
        ((success, _),) = library.answers("with_escrow", [(word, amount + left + 1)])
        assert not success
