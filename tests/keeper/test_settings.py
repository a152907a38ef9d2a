"""Settings: which layer wins, what is refused, and that no secret is shown."""

import json
import re
import tomllib
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bulkhead.keeper.configuration.groups import Group, SignerSettings
from bulkhead.keeper.configuration.invalid import InvalidSettings
from bulkhead.keeper.configuration.settings import KeeperSettings
from bulkhead.keeper.work import Job
from tests.keeper.conftest import Write

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "keeper.sample.toml"
CHAIN = "[chain]\nid = 31337\n"
KEY = "ab" * 32


def settings_of(chain: int = 1, **groups: Any) -> KeeperSettings:
    return KeeperSettings(**{"chain": {"id": chain}, **groups})


def refused(path: Path, flags: dict[str, Any] | None = None) -> str:
    with pytest.raises(InvalidSettings) as caught:
        KeeperSettings.load(path, flags)
    return str(caught.value)


def test_a_chain_is_all_that_must_be_said(write: Write) -> None:
    settings = KeeperSettings.load(write(CHAIN))
    assert settings.chain.id == 31337
    assert settings == settings_of(31337)


def test_without_a_file_the_environment_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_KEEPER__CHAIN__ID", "10")
    assert KeeperSettings.load().chain.id == 10


def test_a_file_in_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "keeper.toml").write_text(CHAIN)
    assert KeeperSettings.load().chain.id == 31337


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeeperSettings.load(tmp_path / "nothing.toml")


def test_the_environment_wins_over_the_file(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_KEEPER__RPC__MAX_LAG", "9")
    settings = KeeperSettings.load(write(CHAIN + "[rpc]\nmax_lag = 5\ntimeout = 7\n"))
    assert (settings.rpc.max_lag, settings.rpc.timeout) == (9, Decimal(7))


def test_a_flag_wins_over_both(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_KEEPER__POLICY__ALWAYS", "false")
    path = write(CHAIN + "[policy]\nalways = false\nmargin = 3\n")
    settings = KeeperSettings.load(path, {"policy": {"always": True}})
    assert (settings.policy.always, settings.policy.margin) == (True, 3)


def test_lists_are_json_in_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_KEEPER__RPC__URLS", '["http://a.example", "http://b.example"]')
    monkeypatch.setenv("BULKHEAD_KEEPER__SIGNERS", '[{"key_variable": "KEEPER_KEY"}]')
    settings = KeeperSettings.load(write(CHAIN))
    assert settings.rpc.addresses == ("http://a.example", "http://b.example")
    assert settings.signers == (SignerSettings(key_variable="KEEPER_KEY"),)


def test_an_empty_variable_says_nothing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BULKHEAD_KEEPER__ACCOUNT", "")
    assert KeeperSettings.load(write(CHAIN)).account is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BULKHEAD_KEEPER__RPCS__URLS", "[]", "BULKHEAD_KEEPER__RPCS__URLS: no setting"),
        ("BULKHEAD_KEEPER__JOURNAL__PATH", "x", "BULKHEAD_KEEPER__JOURNAL__PATH: no setting"),
        ("BULKHEAD_KEEPER__RPC__URL", "x", "rpc.url: no setting; there are urls, max_lag"),
        ("BULKHEAD_KEEPER__RPC__MAX__LAG", "1", "rpc.max: no setting"),
        ("BULKHEAD_KEEPER__RPC__URLS", "http://a/5ecret", "are JSON in the environment"),
        ("BULKHEAD_KEEPER__RPC", "http://a/5ecret", "are JSON in the environment"),
        ("BULKHEAD_KEEPER__RPC__MAX_LAG", "many", "rpc.max_lag: input should be a valid integer"),
    ],
)
def test_a_variable_that_is_none_is_refused(
    write: Write, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    text = refused(write(CHAIN))
    assert said in text
    assert "5ecret" not in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "chain.id: is needed"),
        ("x = [", "no TOML"),
        ("speed = 1\n" + CHAIN, "speed: no setting; there are journal, shard"),
        (CHAIN + "name = 1\n", "chain.name: no setting; there are id, deployments"),
        ("[chain]\nid = 0\n", "chain.id: input should be greater than or equal to 1, not 0"),
        ("[chain]\nid = true\n", "chain.id: a number, not a truth"),
        ("[chain]\nid = 1.5\n", "chain.id: "),
        ("journal = ''\n" + CHAIN, "journal: the path of a file, not ''"),
        ("journal = 'postgresql://x'\n" + CHAIN, "journal: the path of a file"),
        ("account = '0x12'\n" + CHAIN, "account: an address: 0x and 40 hexadecimal digits"),
        ("shard = '0/1'\n" + CHAIN, "shard: string should match"),
        ("shard = '3/2'\n" + CHAIN, "shard: k/n, k from 1 to n"),
        ("shard = '1/1001'\n" + CHAIN, "n at most 1000"),
        (CHAIN + "[rpc]\nurls = []\n", "rpc.urls: "),
        (CHAIN + "[rpc]\nurls = ['ftp://a']\n", "rpc.urls.0: an address that begins with http"),
        (CHAIN + "[rpc]\nurls = ['http://']\n", "and names a host"),
        (CHAIN + "[rpc]\ntimeout = 0\n", "rpc.timeout: input should be greater than 0, not 0"),
        (CHAIN + "[rpc]\npoll = nan\n", "rpc.poll: "),
        (CHAIN + "[policy]\ngas_token = 0\n", "policy.gas_token: a market's symbol, or USD"),
        (CHAIN + "[policy]\ngas_token = inf\n", "policy.gas_token: a market's symbol, or USD"),
        (CHAIN + "[policy]\ngas_token = true\n", "policy.gas_token: a market's symbol, or USD"),
        (CHAIN + "[policy]\ngas_token = 'A B'\n", "policy.gas_token: a market's symbol, or USD"),
        (CHAIN + "[policy]\ngas_per_batch = 21000\n", "policy.gas_per_batch: "),
        (CHAIN + "[fees]\nbump = 9\n", "fees.bump: input should be greater than or equal to 10"),
        (CHAIN + "[fees]\nmax_fee = 0\n", "fees.max_fee: input should be greater than 0"),
        (CHAIN + "[poison]\nlongest_rest = 5\n", "poison: longest_rest is at least first_rest"),
        (CHAIN + "[jobs]\nexecute = true\n", "jobs.execute: no setting; there are update_prices"),
        (CHAIN + "[feeds]\nhermes_ids = { BTC-PERP = '0x12' }\n", "feeds.hermes_ids.BTC-PERP"),
        (CHAIN + "[watch]\nport = 70000\n", "watch.port: input should be less than or equal to"),
        (CHAIN + "[log]\nlevel = 'loud'\n", "'warning' or 'error', not 'loud'"),
        (CHAIN + "[[signers]]\n", "signers.0: exactly one of keystore, key_variable and local"),
        (
            CHAIN + "[[signers]]\nlocal = 'a'\nkey_variable = 'B'\n",
            "signers.0: exactly one of keystore, key_variable and local",
        ),
        (
            CHAIN + "[[signers]]\nlocal = 'a'\npassword_file = 'b'\n",
            "signers.0: a password goes with a keystore",
        ),
        (
            CHAIN + "[[signers]]\nkeystore = 'a'\npassword_file = 'b'\npassword_variable = 'C'\n",
            "signers.0: at most one of password_file and password_variable",
        ),
    ],
)
def test_a_wrong_value_is_refused_by_field_limit_and_value(
    write: Write, text: str, said: str
) -> None:
    assert said in refused(write(text))


def test_everything_that_is_wrong_is_told_at_once(write: Write) -> None:
    said = refused(write(CHAIN + "[rpc]\nmax_lag = 0\n[fees]\nbump = 1\n"))
    assert "rpc.max_lag" in said
    assert "fees.bump" in said


def test_a_wrong_flag_is_refused(write: Write) -> None:
    assert "shard: " in refused(write(CHAIN), {"shard": "half"})


@pytest.mark.parametrize(
    "text",
    [
        CHAIN + f"[[signers]]\nprivate_key = '{KEY}'\n",
        CHAIN + f"[[signers]]\nkey_variable = '0x{KEY}'\n",
        CHAIN + f"[[signers]]\npassword_variable = '{KEY}'\nkeystore = 'a'\n",
        CHAIN + f"[[signers]]\nlocal = '{KEY}'\n",
        CHAIN + f"[[signers]]\nkeystore = 'a://{KEY}'\n",
        CHAIN + f"[rpc]\nurls = ['ftp://a/{KEY}']\n",
        CHAIN + f"[rpc]\nurls = '{KEY}'\n",
        CHAIN + f"[rpc]\nurls = ['https://user:{KEY}@a.example']\n",
        CHAIN + f"[feeds]\nhermes_url = 'ftp://{KEY}'\n",
        CHAIN + f"[feeds]\nhermes_url = 'https://{KEY}@a.example'\n",
        CHAIN + f"private_key = '{KEY}'\n",
        f"account = '{KEY}'\n" + CHAIN,
        f"shard = '0x{KEY}'\n" + CHAIN,
    ],
)
def test_a_secret_in_the_wrong_place_is_refused_and_not_repeated(write: Write, text: str) -> None:
    assert KEY not in refused(write(text))


def test_a_password_in_an_address_comes_from_the_environment(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BULKHEAD_KEEPER__RPC__URLS", '["https://me:5ecret@node.example/5ecret"]')
    settings = KeeperSettings.load(write(CHAIN))
    assert settings.rpc.addresses == ("https://me:5ecret@node.example/5ecret",)
    assert "5ecret" not in repr(settings)
    assert "5ecret" not in str(settings)
    assert "5ecret" not in settings.model_dump_json()


def test_settings_can_not_be_changed() -> None:
    settings = settings_of()
    with pytest.raises(ValidationError, match="frozen"):
        settings.journal = Path("other.db")
    with pytest.raises(ValidationError, match="frozen"):
        settings.rpc.max_lag = 9


def test_every_job_has_its_switch(write: Write) -> None:
    off = "\n".join(f"{job} = false" for job in Job)
    assert KeeperSettings.load(write(f"{CHAIN}[jobs]\n{off}\n")).jobs.on == frozenset()
    assert KeeperSettings.load(write(CHAIN)).jobs.on == frozenset(Job)
    one = KeeperSettings.load(write(f"{CHAIN}[jobs]\nsettle = false\n"))
    assert one.jobs.on == frozenset(Job) - {Job.SETTLE}


@pytest.mark.parametrize(
    ("shard", "number", "count"), [("1/1", 1, 1), ("4/4", 4, 4), ("1000/1000", 1_000, 1_000)]
)
def test_a_shard_is_counted_from_one(shard: str, number: int, count: int) -> None:
    share = settings_of(shard=shard).share
    assert (share.number, share.count) == (number, count)


@pytest.mark.parametrize(
    ("written", "meant"),
    [('"SOL-PERP"', "SOL-PERP"), ("3000.1", Decimal("3000.1")), ('"0.25"', Decimal("0.25"))],
)
def test_the_gas_token_is_a_market_or_a_price(
    write: Write, written: str, meant: str | Decimal
) -> None:
    assert KeeperSettings.load(write(f"{CHAIN}[policy]\ngas_token = {written}\n")).policy == (
        settings_of(policy={"gas_token": meant}).policy
    )


def test_a_fee_is_exact() -> None:
    settings = settings_of(fees={"max_fee": Decimal("0.000000001")})
    assert settings.fees.max_fee_wei == 1


def fields(group: type[Any], path: str = "") -> dict[str, Any]:
    """The default of every setting by its path; those of lists of groups under their own."""
    found: dict[str, Any] = {}
    for name, field in group.model_fields.items():
        annotation = field.annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        if isinstance(inner, type) and issubclass(inner, Group):
            found |= fields(inner, f"{path}{name}.")
        else:
            found[path + name] = field.get_default(call_default_factory=True)
    return found


def uncommented(text: str) -> str:
    """The sample with every setting in force."""
    return re.sub(r"^#(?=\w+ = )", "", text, flags=re.MULTILINE)


# What the sample shows without a default.
SHOWN = (
    "account",
    "chain.id",
    "feeds.hermes_url",
    "signers.keystore",
    "signers.password_file",
    "signers.password_variable",
    "signers.key_variable",
    "signers.local",
)


def test_the_sample_loads() -> None:
    settings = KeeperSettings.load(SAMPLE)
    assert len(settings.signers) == 1
    assert settings.jobs.on == frozenset(Job)


def test_the_sample_names_every_setting_and_no_other() -> None:
    table = tomllib.loads(uncommented(SAMPLE.read_text()))
    named = set()
    for name, value in table.items():
        group = value[0] if isinstance(value, list) else value
        is_group = isinstance(group, dict)
        named |= {f"{name}.{inner}" for inner in group} if is_group else {name}
    assert named == fields(KeeperSettings).keys()


def test_the_sample_shows_the_defaults() -> None:
    table = tomllib.loads(uncommented(SAMPLE.read_text()))
    del table["signers"]
    del table["account"]
    del table["feeds"]["hermes_url"]
    table["chain"]["id"] = 1
    assert KeeperSettings(**table) == settings_of()
    without = {name for name, default in fields(KeeperSettings).items() if default is None}
    assert without | {"chain.id"} == set(SHOWN)


def test_the_sample_s_comments_say_what_each_setting_is() -> None:
    """A setting without a line of its own above it stands in a list of its kind."""
    lines = SAMPLE.read_text().splitlines()
    bare = [
        line
        for above, line in pairwise(lines)
        if re.match(r"#?\w+ = ", line) and not above.startswith(("# ", "#", "["))
    ]
    assert bare == []


def test_values_become_json_without_secrets() -> None:
    settings = settings_of(rpc={"urls": ["http://a.example/5ecret"]})
    assert "5ecret" not in json.dumps(settings.model_dump(mode="json"))
