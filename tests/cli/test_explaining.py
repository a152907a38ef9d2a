"""`explain liquidation`, on a chain in memory."""

from tests.cli.conftest import CommandLine


def liquidated(shell: CommandLine) -> str:
    """The transaction that liquidates Alice's isolated long."""
    shell.world.traders["alice"].deposit(5_000)
    shell.world.refresh_prices()
    words = ("order", "BTC-PERP", "buy", "0.1", "--isolated", "--leverage", "10")
    shell.ok(*words, "--as", "alice")
    shell.world.fill()
    shell.world.set_prices({"BTC-PERP": 90_400})
    (report,) = shell.world.liquidate()
    return report.event.transaction


def test_a_liquidation_is_explained_with_exact_numbers(shell: CommandLine) -> None:
    found = shell.ok("explain", "liquidation", liquidated(shell))
    assert found["agrees"] is True
    (part,) = found["parts"]
    assert part["account"] == shell.world.traders["alice"].address
    results = {step["what"]: step["result"] for step in part["steps"]}
    assert results["mark price of BTC-PERP"] == "90400"
    assert results["maintenance margin of BTC-PERP"] == "45.2"
    assert results["penalty"] == "22.6"


def test_people_read_it_step_by_step(shell: CommandLine) -> None:
    done = shell.run("explain", "liquidation", liquidated(shell))
    assert done.exit_code == 0
    assert "0.5 % of 9040" in done.stdout
    assert "account gets back" in done.stdout


def test_another_transaction_has_nothing_to_explain(shell: CommandLine) -> None:
    deposit = shell.ok("deposit", "1", "--as", "alice")["transaction"]
    code, said = shell.error("explain", "liquidation", deposit)
    assert code == 2
    assert "liquidated nothing" in said["reason"]


def test_an_unknown_transaction_is_refused(shell: CommandLine) -> None:
    code, said = shell.error("explain", "liquidation", "0x" + "ab" * 32)
    assert (code, said["error"]) == (1, "NotFound")


def test_a_hash_has_32_bytes(shell: CommandLine) -> None:
    assert shell.error("explain", "liquidation", "0xabcd")[0] == 2
