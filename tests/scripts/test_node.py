import json
from pathlib import Path

import pytest

from tests.helpers.anvil import Anvil
from tests.scripts.command import FOUNDRY, refusal, run

pytestmark = [pytest.mark.ape, pytest.mark.anvil]


@pytest.fixture(scope="module")
def deployed(node: Anvil, project: Path) -> Path:
    assert refusal("status", *FOUNDRY) == (
        "no exchange is known on chain 31337: run `ape run deploy` on it first"
    )
    assert run("deploy", *FOUNDRY).endswith("Written to deployments/31337.json.\n")
    return project / "deployments/31337.json"


def test_deploy_keeps_where_the_exchange_is(node: Anvil, deployed: Path) -> None:
    kept = json.loads(deployed.read_text())
    genesis = node.rpc("eth_getBlockByNumber", "0x0", False)
    assert (kept["chain_id"], kept["block"]) == (31337, 1)
    assert kept["genesis_hash"] == genesis["hash"]
    assert node.rpc("eth_getCode", kept["clearinghouse"], "latest") != "0x"


def test_from_a_new_market_to_a_liquidation(deployed: Path) -> None:
    assert "SOL-PERP is market 2" in run("add_market", "SOL-PERP", *FOUNDRY)
    assert "200 -> 250 USD" in run("set_price", "SOL-PERP", "250", *FOUNDRY)
    terms = ("--margin-mode", "isolated", "--leverage", "10", "--margin", "1000")
    assert "is pending" in run("place_order", "SOL-PERP", "40", "--buy", *terms, *FOUNDRY)
    text = run("run_keeper", *FOUNDRY)
    assert text == "alice's order in SOL-PERP is executed; the keeper earned 0.20 USD.\n"
    assert "  SOL-PERP isolated long 40 from 250." in run("status", *FOUNDRY)
    run("set_price", "SOL-PERP", "220", *FOUNDRY)
    text = run("run_keeper", "--no-refresh", *FOUNDRY)
    assert text.startswith("alice's isolated position in SOL-PERP is liquidated")
    assert "SOL-PERP isolated" not in run("status", *FOUNDRY)


def test_a_market_takes_another_ones_terms(deployed: Path) -> None:
    text = run("add_market", "GOLD-PERP", "--like", "ETH-PERP", "--price", "3000", *FOUNDRY)
    assert "GOLD-PERP is market" in text
    assert "at 3,000.00 USD, with up to 100x leverage." in text


def test_an_order_waits_for_its_trigger(deployed: Path) -> None:
    run("place_order", "ETH-PERP", "1", "--buy", "--trader", "bob", *FOUNDRY)
    run("run_keeper", *FOUNDRY)
    stop = ("--sell", "--kind", "stop", "--trigger-price", "3900", "--reduce-only")
    text = run("place_order", "ETH-PERP", "0", *stop, "--trader", "bob", *FOUNDRY)
    assert "bob sells all ETH-PERP, cross" in text
    text = run("run_keeper", "--passes", "2", "--interval", "1", *FOUNDRY)
    assert text == 2 * "Nothing to execute, nothing to liquidate.\n"
    run("set_price", "ETH-PERP", "3900", *FOUNDRY)
    assert "bob's order in ETH-PERP is executed" in run("run_keeper", *FOUNDRY)


def test_what_the_exchange_refuses_is_one_sentence(deployed: Path) -> None:
    assert refusal("set_price", "DOG-PERP", "1", *FOUNDRY).startswith("market: unknown (")
    assert refusal("add_market", "BTC-PERP", *FOUNDRY).startswith("symbol: taken (")
    text = refusal("place_order", "BTC-PERP", "0.000000001", "--buy", *FOUNDRY)
    assert text.startswith("size: 1E-9 is less than one lot")


def test_another_chain_of_the_same_id_is_refused(
    deployed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Anvil("--timestamp", "1700000000") as other:
        monkeypatch.setenv("APE_FOUNDRY_HOST", other.url)
        text = refusal("place_order", "BTC-PERP", "0.1", "--buy", *FOUNDRY)
    assert "deployments/31337.json belongs to another chain with id 31337" in text


def test_a_node_that_is_not_there_is_one_sentence(
    deployed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APE_FOUNDRY_HOST", "http://127.0.0.1:9")
    assert refusal("status", *FOUNDRY).startswith("Failed to connect to remote Anvil node")
