"""Forge's invariants as a contributor runs them: how often, of what, and that they can fail."""

import fcntl
import json
import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest

from tests.forge.entries import DRIVEN, NEVER_REFUSED, TRESPASSED

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "forge"
ARTIFACTS = ROOT / "sdk" / "bulkhead" / "artifacts"
SUITES = ("Exchange", "Thin")
CALLS = 500_000
SECONDS = int(os.environ.get("FORGE_SECONDS", "1200"))  # on machines with other work

# What every suite must have seen once in so many calls at least; and what is rarer, how often.
LEAST = 1_000
SEEN = {
    "add_liquidity",
    "add_margin",
    "cancel",
    "child filled",
    "claim",
    "closed",
    "convert to cross",
    "convert to isolated",
    "deposit_margin",
    "deposit_with_permit",
    "execute before entry refused",
    "execute replaced refused",
    "execute_orders",
    "filled cross",
    "filled in a batch",
    "filled isolated",
    "fix_exit",
    "group filled",
    "place",
    "place by operator",
    "place_bracket",
    "place_bracket_with_signature",
    "place_with_signature",
    "ratcheted",
    "referral paid",
    "remove_margin",
    "replace",
    "set_auto_margin",
    "set_hedge_mode",
    "set_leverage",
    "set_terms",
    "vault liquidated",
    "withdraw",
}
RARE = {
    "close waits for settlement": 5,
    "deleveraged": 5,
    "disputed": 100,
    "fix_settlement": 10,
    "insurance paid": 100,
    "ledger cut": 5,
    "ledger liquidated": 100,
    "settle_dead": 10,
    "settle_positions": 20,
    "spared in doubt": 20,
    "vault cut": 20,
    "vault topped up": 10,
    "withdraw_all": 100,
    "withdraw_insurance": 100,
}
# What a pool that stays all but empty meets, and a deep one seldom or never.
THIN = {
    "deleveraged": 100,
    "insurance used up": 200,
    "reason pool: insolvent": 100,
    "reason pool: owes above its share": 100,
    "reason pool: reserve": 30,
    "reason pool: short of cash": 50,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule taken out of one contract, and what must notice."""

    contract: str
    module: str
    rule: str
    instead: str
    noticed_as: str


MUTANTS = (
    Mutant(
        "AccountLogic",
        "isolated_margin",
        "    state.cash -= convert(amount, int256)\n",
        "",
        "books: tokens are not conserved",
    ),
    Mutant(
        "AccountLogic",
        "isolated_margin",
        " + min(worth, 0)",
        "",
        "books: vault due by own action",
    ),
    Mutant(
        "AccountLogic",
        "conversion",
        "    side = fills._replace(side, move.target, merged)\n",
        "",
        "books: side is not its",
    ),
    Mutant(
        "AccountLogic",
        "custody",
        ' == amount, "permit: bad allowance"',
        ' >= amount, "permit: bad allowance"',
        "permit: taken without a signature",
    ),
    Mutant(
        "Clearinghouse",
        "trade_plan",
        "plan.increase.size != 0 and conditions.caution != words.NO_CAUTION",
        "False",
        "order: opened in doubt",
    ),
    Mutant(
        "Clearinghouse",
        "trading",
        "desk.builder_fee * trade.referral_share // fixed_point.PPM",
        "desk.builder_fee // 3",
        "referral: wrong share",
    ),
    Mutant(
        "LiquidationLogic",
        "isolated_liquidation",
        "book.quoted.confidence != 0",
        "False",
        "liquidation: of a healthy vault",
    ),
    Mutant(
        "LiquidationLogic",
        "settlement",
        "price_validity.is_settled(price)",
        "price.price != 0",
        "settlement: before its price is final",
    ),
    Mutant(
        "OrderBook",
        "brackets",
        "max(child.executable_from, entry.executable_from)",
        "child.executable_from",
        "order: child at its entry's price",
    ),
    Mutant(
        "OrderBook",
        "order_groups",
        "        self._done[account][placer][group] = True\n",
        "        pass\n",
        "order: group filled twice",
    ),
    Mutant(
        "OrderLogic",
        "cancellation",
        "    order_store._orders[hash] = words.with_status(word, order_rules.CANCELLED)\n",
        "    pass\n",
        "order: stands after its end",
    ),
    Mutant(
        "OrderLogic",
        "signed_orders",
        "    self._spend(signer, nonce >> 8, bit)\n",
        "",
        "signature: nonce not spent",
    ),
    Mutant(
        "LiquidationLogic",
        "isolated_liquidation",
        "            owner.vaults -= 1\n",
        "",
        "books: wrong count of vaults",
    ),
)


def forge(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs forge's own binary: the exit codes of its npm shim say nothing."""
    return subprocess.run(
        [ROOT / "node_modules" / ".bin" / "forge", *arguments, "--color", "never"],
        cwd=ROOT,
        env=os.environ | {"FOUNDRY_CONFIG": str(ROOT / "tests/forge/foundry.toml")} | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Everything is compiled once, by whichever process of the test run comes first."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = forge("build")
        assert done.returncode == 0, done.stdout + done.stderr


def counts(suite: str) -> Counter[str]:
    """How often each thing was called, refused or seen in all runs of a suite."""
    found: Counter[str] = Counter()
    for line in (CACHE / f"{suite}.counts").read_text().splitlines():
        count, name = line.split(" ", 1)
        found[name] += int(count)
    return found


def driven() -> set[str]:
    """What must have been taken and, where anything may refuse it, refused."""
    taken = {name for names in DRIVEN.values() for name in names.values()}
    return taken | {f"{name} refused" for name in {*taken, TRESPASSED} - NEVER_REFUSED}


@pytest.mark.slow
def test_no_sequence_of_calls_breaks_the_books(capsys: pytest.CaptureFixture[str]) -> None:
    for old in CACHE.glob("*.counts"):
        old.unlink()
    done = forge("test", "--no-match-contract", "Canary")
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    calls = [int(found) for found in re.findall(r"calls: (\d+), reverts: 0\)", done.stdout)]
    assert len(calls) == len(SUITES)
    assert sum(calls) >= CALLS
    for suite, called in zip(SUITES, calls, strict=True):
        seen = counts(suite)
        with capsys.disabled():
            print(f"\n{suite}: {called} calls; {dict(sorted(seen.items()))}")
        few = {name: seen[name] for name in SEEN if seen[name] < called // LEAST}
        rare = RARE | THIN if suite == "Thin" else RARE
        few |= {name: seen[name] for name, least in rare.items() if seen[name] < least}
        few |= {name: seen[name] for name in driven() if not seen[name]}
        assert not few
    with capsys.disabled():
        print(re.findall(r"finished in .*", done.stdout))


@pytest.mark.slow
def test_a_broken_invariant_is_a_failure() -> None:
    done = forge("test", "--match-contract", "Canary", FOUNDRY_INVARIANT_RUNS="1")
    assert done.returncode == 1
    assert "[FAIL: canary: must fail]" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.noticed_as))
def test_a_contract_without_one_of_its_rules_is_found_out(mutant: Mutant, tmp_path: Path) -> None:
    contracts = copytree(ROOT / "contracts", tmp_path / "contracts")
    module = contracts / "modules" / f"{mutant.module}.vy"
    source = module.read_text()
    assert source.count(mutant.rule) == 1
    module.write_text(source.replace(mutant.rule, mutant.instead))
    compiled = subprocess.run(
        [ROOT / ".venv" / "bin" / "vyper", f"contracts/{mutant.contract}.vy"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    # Forge reads in the project alone.
    folder = copytree(ARTIFACTS, CACHE / "mutants" / tmp_path.name, dirs_exist_ok=True)
    artifact = json.loads((folder / f"{mutant.contract}.json").read_text())
    artifact["bytecode"] = compiled.stdout.strip()
    (folder / f"{mutant.contract}.json").write_text(json.dumps(artifact))
    done = forge(
        *("test", "--match-contract", "Exchange"),
        BULKHEAD_ARTIFACTS=str(folder.relative_to(ROOT)),
        BULKHEAD_COUNTS=str(folder.relative_to(ROOT)),
        FOUNDRY_INVARIANT_RUNS="50",
        FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT="0",
        FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR=str(folder / "failures"),
    )
    assert done.returncode == 1
    assert f"[FAIL: {mutant.noticed_as}" in done.stdout, done.stdout[-5_000:]
