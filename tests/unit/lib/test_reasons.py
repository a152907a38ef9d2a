"""The numbers and the words of reasons are the contracts'."""

import re

from bulkhead.errors import REASONS
from bulkhead.protocol.reasons import Reason, must_wait, text_of
from tests.helpers.anvil import ROOT

SOURCE = (ROOT / "contracts/lib/reasons.vy").read_text()


def test_every_reason_has_the_number_of_the_contracts() -> None:
    constants = dict(re.findall(r"^(\w+): constant\(uint256\) = (\d+)$", SOURCE, re.MULTILINE))
    last = int(constants.pop("LAST_TO_WAIT"))
    assert {name: int(number) for name, number in constants.items()} == {
        reason.name: reason.value for reason in Reason
    }
    assert {reason for reason in Reason if must_wait(reason)} == {
        reason for reason in Reason if reason <= last
    }


def test_every_reason_has_the_words_of_the_contracts() -> None:
    texts = dict(re.findall(r'reason == (\w+):\n\s+return "([^"]+)"', SOURCE))
    assert texts == {reason.name: text_of(reason) for reason in Reason if reason}
    assert text_of(Reason.FILLED) == ""
    assert set(texts.values()) <= REASONS.keys()
