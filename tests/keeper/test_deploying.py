"""What is handed out to run and watch a keeper with: it parses, and names only what there is."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from bulkhead.keeper.configuration.settings import KeeperSettings
from bulkhead.keeper.watch.metrics import EndpointReading, Failure, LaneState, Metrics
from bulkhead.keeper.work import Job
from tests.keeper.conftest import Write

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "docs" / "keeper" / "alerts.yml"
DASHBOARD = ROOT / "docs" / "keeper" / "grafana.json"
GUIDE = ROOT / "docs" / "keepers.md"
UNIT = ROOT / "deploy" / "keeper" / "bulkhead-keeper.service"
CONTAINER = ROOT / "deploy" / "keeper" / "Containerfile"
COMPOSE = ROOT / "deploy" / "keeper" / "compose.yaml"

OWN = re.compile(r"\b(?:bulkhead_keeper|process|python)_\w+")
SELECTOR = re.compile(r"\b((?:bulkhead_keeper|process)_\w+)\{([^}]*)\}")
GROUPED = re.compile(r"\bby \(([^)]*)\)")
FOREIGN = {"instance"}  # Prometheus's own label


@pytest.fixture(scope="module")
def metrics() -> Metrics:
    """Each metric has been used, so that its labels are seen."""
    used = Metrics()
    used.failed(Job.SETTLE, Failure.SIMULATION)
    used.mined(Job.SETTLE, 1, 1, 1)
    used.confirmed(Job.SETTLE)
    used.tracked(isolated=1, cross=1, orders=1)
    used.price_ages({"BTC-PERP": 1})
    used.unpaid({})
    used.endpoints([EndpointReading("a.example", True, 1, 1)])
    used.signer("0x1", 1, LaneState.FREE)
    return used


def labels(metrics: Metrics) -> dict[str, set[str]]:
    """The labels of each series by its name."""
    found: dict[str, set[str]] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    table: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return [one for one in table["panels"] if one["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Every query of alerts and dashboard, with where it stands."""
    for rule in alerts():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


QUERIES = list(expressions())


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_a_query_names_only_metrics_and_labels_that_exist(
    metrics: Metrics, where: str, query: str
) -> None:
    known = labels(metrics)
    used = set(OWN.findall(query)) - {"keeper_job"}
    assert used <= metrics.names(), where
    assert used or query.startswith("up{")
    for name, inner in SELECTOR.findall(query):
        named = set(re.findall(r"(\w+)\s*(?:=|!)", inner))
        assert named <= known[name] | {"le"} | FOREIGN, where
    own = set().union(*(known[name] for name in used)) | FOREIGN
    for group in GROUPED.findall(query):
        assert set(re.split(r",\s*", group)) <= own, where


@pytest.mark.parametrize(("where", "query"), QUERIES)
def test_a_query_s_brackets_are_closed(where: str, query: str) -> None:
    plain = re.sub(r'"[^"]*"', "", query)
    for left, right in ("()", "{}", "[]"):
        assert plain.count(left) == plain.count(right), where


def test_the_dashboard_shows_every_metric(metrics: Metrics) -> None:
    shown = {name for _, query in QUERIES for name in OWN.findall(query)}
    families = {family.name for family in metrics.registry.collect()}
    missed = {
        family
        for family in families
        if family.startswith("bulkhead_keeper_")
        and not any(one.startswith(family) for one in shown)
    }
    # One is what the list of keepers is read from, one is the sum of what is shown.
    assert missed == {"bulkhead_keeper_build", "bulkhead_keeper_head_block"}


def test_the_dashboard_takes_its_data_source_from_a_variable() -> None:
    table = json.loads(DASHBOARD.read_text())
    variables = {one["name"]: one["type"] for one in table["templating"]["list"]}
    assert variables["datasource"] == "datasource"
    for panel in panels():
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert "__inputs" not in table


def test_the_dashboard_s_panels_have_ids_and_places_of_their_own() -> None:
    table = json.loads(DASHBOARD.read_text())
    ids = [one["id"] for one in table["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for one in table["panels"]:
        place = one["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, one["title"]
        taken |= cells


def test_every_alert_has_a_severity_and_its_runbook() -> None:
    guide = GUIDE.read_text()
    names = [rule["alert"] for rule in alerts()]
    assert len(set(names)) == len(names)
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["runbook"] == f"docs/keepers.md#{rule['alert'].lower()}"
        assert f"### {rule['alert']}\n" in guide


def test_an_alert_says_only_labels_that_its_query_has(metrics: Metrics) -> None:
    known = labels(metrics)
    for rule in alerts():
        names = OWN.findall(rule["expr"])
        own = set().union(*(known.get(name, set()) for name in names)) | FOREIGN
        assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= own


def test_the_guide_names_every_metric_and_no_other(metrics: Metrics) -> None:
    named = set(re.findall(r"`(bulkhead_keeper_\w+)", GUIDE.read_text()))
    own = {name for name in metrics.names() if name.startswith("bulkhead_keeper_")}
    histograms = {
        re.sub(r"_(bucket|sum|count)$", "", name) if "_duration_" in name else name for name in own
    }
    assert named == histograms


def test_the_guide_names_every_setting() -> None:
    guide = GUIDE.read_text()
    for name, field in KeeperSettings.model_fields.items():
        inner = getattr(field.annotation, "__args__", (field.annotation,))[0]
        for setting in getattr(inner, "model_fields", {}):
            assert f"`{name}.{setting}`" in guide
        if not hasattr(inner, "model_fields"):
            assert f"`{name}`" in guide


def test_the_unit_is_what_systemd_takes(tmp_path: Path) -> None:
    analyse = shutil.which("systemd-analyze")
    if analyse is None:
        pytest.skip("systemd-analyze is not on this machine")
    # It looks for the program, too; here it is wherever the tests' own is.
    unit = tmp_path / UNIT.name
    program = "/opt/bulkhead/bin/bulkhead"
    assert program in UNIT.read_text()
    unit.write_text(UNIT.read_text().replace(program, sys.executable))
    done = subprocess.run(
        [analyse, "verify", str(unit)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_s_environment_is_taken(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    for line in re.findall(r"^Environment=(.+)$", UNIT.read_text(), re.MULTILINE):
        name, _, value = line.strip('"').replace('\\"', '"').partition("=")
        monkeypatch.setenv(name, value.replace("%d", "/run/credentials").replace("%S", "/var/lib"))
    settings = KeeperSettings.load(write("[chain]\nid = 1\n"))
    assert settings.signers[0].keystore == Path("/run/credentials/keystore")
    assert settings.signers[0].password_file == Path("/run/credentials/password")
    assert settings.journal == Path("/var/lib/bulkhead-keeper/keeper.db")


@pytest.mark.parametrize(
    "line",
    [
        "DynamicUser=yes",
        "StateDirectory=bulkhead-keeper",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "Restart=on-failure",
    ],
)
def test_the_unit_gives_a_keeper_no_more_than_it_needs(line: str) -> None:
    assert line in UNIT.read_text().splitlines()


def test_the_unit_waits_longer_than_a_keeper_takes_to_stop() -> None:
    from bulkhead.cli.keeper import STOP_SECONDS

    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", UNIT.read_text(), re.MULTILINE)
    assert int(seconds) > STOP_SECONDS + 1


def test_the_container_installs_by_hash_and_runs_as_nobody() -> None:
    text = CONTAINER.read_text()
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"python:3.11-slim"}
    installs = re.findall(r"pip install ([^\\&\n]+)", text)
    assert installs
    assert all("--require-hashes" in one or "--no-deps" in one for one in installs)
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    assert "://" not in text.replace("http://127.0.0.1", "")
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / one).exists() for one in sources.split())


def test_the_container_s_environment_is_taken(
    monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    found = re.findall(r"(BULKHEAD_KEEPER__\w+)=(\S+)", CONTAINER.read_text())
    assert found
    for name, value in found:
        monkeypatch.setenv(name, value)
    settings = KeeperSettings.load(write("[chain]\nid = 1\n"))
    assert settings.watch.host == "0.0.0.0"
    assert f"EXPOSE {settings.watch.port}\n" in CONTAINER.read_text()


def test_the_composed_keeper_s_environment_is_taken(
    monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    (service,) = yaml.safe_load(COMPOSE.read_text())["services"].values()
    for name, value in service["environment"].items():
        monkeypatch.setenv(name, value.replace("${KEEPER_RPC_URLS:-}", ""))
    settings = KeeperSettings.load(write("[chain]\nid = 1\n"))
    assert settings.signers[0].keystore == Path("/run/secrets/keystore")
    assert all(one.startswith("127.0.0.1:") for one in service["ports"])
