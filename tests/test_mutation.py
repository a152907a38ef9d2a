"""Mutants are what they are said to be: made, compiled, dropped where nothing changes, killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.anvil import ROOT, Anvil
from tests.helpers.libraries import OPTIONS, Library, load_libraries
from tests.unit.lib import test_mirror
from tools.mutants import KEPT
from tools.mutation import slices
from tools.mutation.candidates import Mutant, mutants
from tools.mutation.contract_judge import importers
from tools.mutation.library_judge import FEW, TARGET
from tools.mutation.plan import SAMPLE, quotas
from tools.mutation.report import EXCUSED, by_file, by_group, equivalents, killed, share
from tools.mutation.results import KILLED, SURVIVED, Results, verdict_on

PATH = "lib/house_math.vy"


@pytest.fixture(scope="module")
def libraries() -> Iterator[dict[str, Library]]:
    with Anvil(*OPTIONS) as node:
        yield load_libraries(node, ["house_math"])


def mutant(function: str, before: str, after: str) -> Mutant:
    """The only one that makes one text of another."""
    (found,) = [
        one
        for one in mutants(PATH)
        if one.definition.name == function
        and one.before.strip() == before
        and one.after.strip() == after
    ]
    return found


@pytest.mark.anvil
def test_a_rule_taken_out_is_noticed(
    libraries: dict[str, Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_mirror, "INPUTS", FEW)
    compare = test_mirror.test_the_mirror_agrees_with_the_contract
    without = mutant("cover_deficit", "house.insurance -= from_insurance", "pass")
    compiled = slices.mutated(without)
    assert compiled.exposed == {"cover_deficit"}
    assert compiled.fingerprint != slices.original(PATH, "cover_deficit").fingerprint
    compare("house_math", "cover_deficit", libraries)
    libraries["house_math"].deploy(compiled.compiled, TARGET)
    with pytest.raises(AssertionError, match="differ, the smallest"):
        compare("house_math", "cover_deficit", libraries)
    compare("house_math", "collect_fee", libraries)


def test_another_text_for_the_same_code_is_the_original() -> None:
    same = mutant("insurance_need", "@internal", "")
    assert slices.mutated(same).fingerprint == slices.original(PATH, "insurance_need").fingerprint


def test_operands_that_change_places_make_no_mutant() -> None:
    after = [one.after.replace(" ", "") for one in mutants(PATH)]
    assert not [text for text in after if "min(house.insurance,deficit)" in text]
    assert [text for text in after if "unsafe_sub(to_insurance,fee)" in text]


def test_mutants_are_the_same_each_time() -> None:
    first = [one.id for one in mutants(PATH)]
    mutants.cache_clear()
    assert [one.id for one in mutants(PATH)] == first
    assert len(set(first)) == len(first)


def test_a_file_is_in_the_contracts_that_import_it() -> None:
    assert set(importers("modules/conversion.vy")) == {"AccountLogic"}
    assert {"Clearinghouse", "OrderBook", "Lens"} < set(importers("lib/words.vy"))


def test_the_sample_is_four_hundred_at_least_and_misses_no_file() -> None:
    assert SAMPLE >= 400
    assert sum(quotas().values()) >= 400
    assert min(quotas().values()) >= 5


def test_what_is_excused_has_survived() -> None:
    kept = Results(ROOT / KEPT)
    for id_, reason in equivalents().items():
        verdict = kept[id_]
        assert verdict is not None, f"{id_} is no mutant any more"
        assert verdict.verdict == SURVIVED
        assert reason.endswith(".")


@pytest.mark.parametrize(("group", "least"), [("libraries", 3_900), ("sample", 400)])
def test_nine_of_ten_mutants_are_killed_and_the_documents_say_how_many(
    group: str, least: int
) -> None:
    count = by_group(by_file(Results(ROOT / KEPT)))[group]
    dead, alive, equal = killed(count), count[SURVIVED], count[EXCUSED]
    assert dead + alive + equal >= least
    assert dead >= 0.9 * (dead + alive)
    told = f"| {group} | {dead:,} | {alive} | {equal} | {share(count)} |"
    assert told in (ROOT / "docs" / "mutation.md").read_text()


def test_verdicts_are_there_again_after_a_stop(tmp_path: Path) -> None:
    one = mutant("cover_deficit", "house.insurance -= from_insurance", "pass")
    kept = Results(tmp_path / "results.tsv")
    assert kept[one.id] is None
    kept.add(verdict_on(one, KILLED, "a test", "0123456780"))
    kept.save()
    assert Results(tmp_path / "results.tsv").all() == kept.all()
