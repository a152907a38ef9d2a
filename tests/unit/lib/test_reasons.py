"""The numbers and the words of reasons are the contracts'."""

import pytest

from bulkhead.errors import REASONS
from bulkhead.protocol.reasons import Reason, text_of
from tests.helpers.libraries import Library

pytestmark = pytest.mark.anvil


def test_every_reason_has_the_number_of_the_contracts(libraries: dict[str, Library]) -> None:
    constants = dict(libraries["reasons"].constants)
    assert constants.pop("LAST_TO_WAIT") == Reason.FAILED
    assert constants == {reason.name: reason.value for reason in Reason}


def test_every_reason_has_words_of_its_own(libraries: dict[str, Library]) -> None:
    texts = libraries["reasons"].call("text_of", [(reason,) for reason in Reason])
    assert texts == [text_of(reason) for reason in Reason]
    assert len(set(texts)) == len(Reason)
    assert texts[Reason.FILLED] == ""
    assert set(texts[1:]) <= REASONS.keys()


def test_what_is_no_reason_has_no_words(libraries: dict[str, Library]) -> None:
    assert libraries["reasons"].call("text_of", [(max(Reason) + 1,), (2**256 - 1,)]) == ["", ""]
