"""Metrics: names by Prometheus's conventions, few series, exact sums."""

import re
import subprocess
import sys

import pytest

from bulkhead.keeper.watch.metrics import EndpointReading, Failure, LaneState, Metrics
from bulkhead.keeper.work import Job

PLATFORM = ("process_", "python_")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"bulkhead_keeper_{name}", labels)


def series(metrics: Metrics) -> int:
    return sum(len(family.samples) for family in metrics.registry.collect())


def test_every_name_has_the_prefix(metrics: Metrics) -> None:
    own = {name for name in metrics.names() if not name.startswith(PLATFORM)}
    assert own
    assert all(re.fullmatch(r"bulkhead_keeper_[a-z_]+", name) for name in own)


def test_every_metric_says_what_it_is(metrics: Metrics) -> None:
    assert all(len(family.documentation) > 5 for family in metrics.registry.collect())


def test_no_label_is_one_that_prometheus_gives_itself(metrics: Metrics) -> None:
    metrics.failed(Job.SETTLE, Failure.OUT_OF_GAS)
    metrics.endpoints([EndpointReading("a.example", True, 7, 0)])
    labels = {
        label
        for family in metrics.registry.collect()
        for sample in family.samples
        for label in sample.labels
    }
    assert "keeper_job" in labels
    assert not labels & {"job", "instance", "endpoint", "namespace", "pod", "service", "container"}


def test_names_are_those_of_the_samples(metrics: Metrics) -> None:
    metrics.failed(Job.SETTLE, Failure.OUT_OF_GAS)
    metrics.signer("0x1", 1, LaneState.FREE)
    found = {sample.name for family in metrics.registry.collect() for sample in family.samples}
    assert {name for name in found if not name.endswith("_created")} <= metrics.names()


def test_two_keepers_in_one_process_count_apart(metrics: Metrics) -> None:
    metrics.sent(Job.SETTLE)
    assert value(Metrics(), "tasks_sent_total", keeper_job="settle") == 0


def test_the_lag_is_in_blocks_and_in_time_of_the_chain(metrics: Metrics) -> None:
    metrics.head(head=110, at=100, head_timestamp=2_000, at_timestamp=1_880)
    assert value(metrics, "head_block") == 110
    assert value(metrics, "head_lag_blocks") == 10
    assert value(metrics, "head_lag_seconds") == 120


def test_a_head_that_went_back_is_no_lag(metrics: Metrics) -> None:
    metrics.head(head=99, at=100, head_timestamp=1_990, at_timestamp=2_000)
    assert value(metrics, "head_lag_blocks") == 0
    assert value(metrics, "head_lag_seconds") == 0


def test_a_batch_is_one_transaction_of_many_tasks(metrics: Metrics) -> None:
    metrics.sent(Job.LIQUIDATE_ISOLATED, tasks=64)
    assert value(metrics, "transactions_sent_total", keeper_job="liquidate_isolated") == 1
    assert value(metrics, "tasks_sent_total", keeper_job="liquidate_isolated") == 64


def test_profit_is_rewards_less_gas(metrics: Metrics) -> None:
    metrics.confirmed(Job.LIQUIDATE_CROSS, tasks=2, reward=11_175_000)
    metrics.mined(Job.LIQUIDATE_CROSS, gas=150_000, cost_wei=10**15, cost_quote=3_000_000)
    assert value(metrics, "rewards_usd_total", keeper_job="liquidate_cross") == 11.175
    assert value(metrics, "gas_cost_usd_total", keeper_job="liquidate_cross") == 3
    assert value(metrics, "gas_used_total", keeper_job="liquidate_cross") == 150_000
    assert value(metrics, "profit_usd") == pytest.approx(8.175)


def test_a_contract_s_reason_is_told(metrics: Metrics) -> None:
    metrics.failed(Job.EXECUTE_ORDERS, "price: stale")
    assert (
        value(metrics, "tasks_failed_total", keeper_job="execute_orders", reason="price: stale")
        == 1
    )


def test_reasons_that_nobody_knows_make_no_series_of_their_own(metrics: Metrics) -> None:
    for number in range(1_000):
        metrics.failed(Job.EXECUTE_ORDERS, f"made up {number}")
    assert (
        value(metrics, "tasks_failed_total", keeper_job="execute_orders", reason="other") == 1_000
    )
    assert series(metrics) < 200


def test_a_market_that_is_gone_has_no_price_age(metrics: Metrics) -> None:
    metrics.price_ages({"BTC-PERP": 4, "ETH-PERP": 5})
    metrics.price_ages({"BTC-PERP": 6})
    assert value(metrics, "price_age_seconds", market="BTC-PERP") == 6
    assert value(metrics, "price_age_seconds", market="ETH-PERP") is None


def test_a_job_that_found_nothing_has_no_candidates_left(metrics: Metrics) -> None:
    metrics.candidates({Job.SETTLE: 3})
    metrics.candidates({Job.TOP_UP: 1})
    assert value(metrics, "candidates", keeper_job="settle") == 0
    assert value(metrics, "candidates", keeper_job="top_up") == 1


def test_an_endpoint_s_errors_are_counted_once(metrics: Metrics) -> None:
    for errors in (3, 3, 5):
        metrics.endpoints([EndpointReading("a.example", True, 7, errors)])
    assert value(metrics, "endpoint_errors_total", rpc="a.example") == 5


def test_two_endpoints_of_one_host_are_told_apart(metrics: Metrics) -> None:
    metrics.endpoints(
        [EndpointReading("a.example", True, 7, 0), EndpointReading("a.example", False, 3, 0)]
    )
    assert value(metrics, "endpoint_usable", rpc="a.example") == 1
    assert value(metrics, "endpoint_usable", rpc="a.example (2)") == 0


def test_a_signer_is_in_one_state(metrics: Metrics) -> None:
    metrics.signer("0x1", 10, LaneState.BUSY)
    metrics.signer("0x1", 9, LaneState.STARVED)
    states = {one: value(metrics, "signer_state", signer="0x1", state=one) for one in LaneState}
    assert states == {**dict.fromkeys(LaneState, 0), LaneState.STARVED: 1}


def test_a_pass_that_fails_is_measured_too(metrics: Metrics) -> None:
    with pytest.raises(ValueError, match="no"), metrics.timing_pass():
        raise ValueError("no")
    assert value(metrics, "pass_duration_seconds_count") == 1


def test_prometheus_reads_the_text(metrics: Metrics) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    metrics.failed(Job.EXECUTE_ORDERS, 'quotes " and\nlines')
    families = {one.name for one in text_string_to_metric_families(metrics.text().decode())}
    assert "bulkhead_keeper_build_info" in families


def test_reporting_loads_no_chain_library() -> None:
    code = "import sys, bulkhead.keeper.watch.metrics; sys.exit('web3' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
