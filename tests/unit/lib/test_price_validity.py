"""What may be done at a price, moment by moment."""

import pytest

from bulkhead.protocol import price_validity, words

PRICE = words.Price(
    price=1, confidence=0, published_at=10_000, accepted_at=10_000, silence=0, trade_age=60,
    max_age=3_600, kind=words.PUBLISHED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("now", "fresh", "live", "profit"),
    [
        (10_000, True, True, True),
        (10_060, True, True, True),
        (10_061, False, True, True),
        (13_600, False, True, True),
        (13_601, False, False, True),
        (17_200, False, False, True),
        (17_201, False, False, False),
    ],
)
def test_a_price_ages_from_fresh_to_live_to_silent(
    now: int, fresh: bool, live: bool, profit: bool
) -> None:
    assert price_validity.is_fresh(PRICE, now) == fresh
    assert price_validity.is_live(PRICE, now) == live
    assert price_validity.profit_counts(PRICE, now) == profit
