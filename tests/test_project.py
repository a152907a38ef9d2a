"""The project's own promises about what it installs, and about what it says of its tests."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ["requirements-runtime.lock", "requirements-keeper.lock"]
LOCKS = ["requirements-bootstrap.lock", "requirements-proofs.lock", *PARTS, "requirements.lock"]


def pins(lock: str) -> dict[str, str]:
    """The exact version of every package in a lock."""
    text = (ROOT / lock).read_text()
    return dict(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==(\S+) \\$", text, re.MULTILINE))


def requirement_names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in requirements}


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9-]+(?:\[.*\])?==)", (ROOT / lock).read_text(), flags=re.M)
    assert [entry.split()[0] for entry in entries if entry[:1].isalnum()]
    assert all("--hash=sha256:" in entry for entry in entries if entry[:1].isalnum())


def test_the_node_lock_names_no_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    dependencies = {name: package for name, package in packages.items() if name}
    assert dependencies
    for package in dependencies.values():
        assert "resolved" not in package
        assert package["integrity"].startswith("sha512-")


@pytest.mark.parametrize("lock", ["requirements-runtime.lock", "requirements.lock"])
def test_every_dependency_of_the_package_is_pinned(lock: str) -> None:
    declared = project()["dependencies"] + project()["optional-dependencies"]["tester"]
    assert requirement_names(declared) <= pins(lock).keys()


def test_every_dependency_of_a_keeper_is_pinned() -> None:
    declared = project()["dependencies"] + project()["optional-dependencies"]["keeper"]
    assert requirement_names(declared) <= pins("requirements-keeper.lock").keys()


@pytest.mark.parametrize("lock", PARTS)
def test_a_smaller_lock_is_a_strict_part_of_the_full_one(lock: str) -> None:
    assert pins(lock).items() < pins("requirements.lock").items()


def invariants() -> list[str]:
    """The sections of `docs/invariants.md`, each from its number on."""
    return (ROOT / "docs/invariants.md").read_text().split("\n## ")[1:]


def test_invariants_are_numbered_one_by_one() -> None:
    numbers = [int(section.split(".")[0]) for section in invariants()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("section", invariants(), ids=lambda section: section.splitlines()[0])
def test_every_invariant_names_tests_that_exist(section: str) -> None:
    named = re.findall(r"^- `(tests/\S+\.py)::(test_\w+)`$", section, re.MULTILINE)
    assert len(named) == section.count("\n- ") > 0
    for path, name in named:
        assert f"\ndef {name}(" in (ROOT / path).read_text(), f"{path}::{name}"
