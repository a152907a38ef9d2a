"""What a keeper is told: a TOML file, the environment over it, a command's flags over both.

Variables of the environment are called `BULKHEAD_KEEPER__` and the field's path, its parts joined
by two underscores: `BULKHEAD_KEEPER__RPC__MAX_LAG=5`. Lists and tables are JSON there. Keys and
passwords are never a setting: settings name the file or the variable that has them.

Needs the extra `bulkhead[keeper]`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from eth_utils.address import is_address, to_checksum_address
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bulkhead.keeper.invalid import InvalidSettings, explained, require_no_secret_address
from bulkhead.keeper.work import Job
from bulkhead.values import decimal_of

DEFAULT_FILE = Path("keeper.toml")
PREFIX = "BULKHEAD_KEEPER__"
BATCH_GAS = 14_000_000  # half of what the smallest blocks of common chains hold
WEI_PER_GWEI = 10**9
MAX_SHARDS = 1_000

_VARIABLE = r"^[A-Z_][A-Z0-9_]*$"
_SYMBOL = re.compile(r"^[A-Za-z][!-~]{0,31}$")  # as markets are called; a number begins otherwise
_FEED_ID = r"^(0x)?[0-9a-fA-F]{64}$"


def _plain_number(value: Any) -> Any:
    # pydantic would take true for 1.
    if isinstance(value, bool):
        raise ValueError("a number, not a truth")
    return value


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("an address: 0x and 40 hexadecimal digits, its checksum right")
    return to_checksum_address(value)


def _http(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address that begins with http:// or https:// and names a host")
    return value


def _file(value: Any) -> Any:
    if isinstance(value, str) and (not value or "://" in value):
        raise ValueError("the path of a file")
    return value


def _gas_token(value: Any) -> Decimal | str:
    if isinstance(value, str) and _SYMBOL.fullmatch(value):
        return value
    try:
        usd = decimal_of(value if isinstance(value, int | str) else str(value))
    except ValueError:
        usd = Decimal(0)
    if usd <= 0:
        raise ValueError("a market's symbol, or USD above zero")
    return usd


Count: TypeAlias = Annotated[int, BeforeValidator(_plain_number)]
Number: TypeAlias = Annotated[Decimal, BeforeValidator(_plain_number)]
Address: TypeAlias = Annotated[str, AfterValidator(_address)]
Url: TypeAlias = Annotated[SecretStr, AfterValidator(_http)]
"""An address with what may be a key in its path: it does not show itself."""
File: TypeAlias = Annotated[Path, BeforeValidator(_file)]
Symbol: TypeAlias = Annotated[str, Field(pattern=_SYMBOL.pattern)]
Positive: TypeAlias = Annotated[Count, Field(ge=1)]


class Group(BaseModel):
    """Settings that belong together: frozen, and nothing unknown among them."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RpcSettings(Group):
    """The nodes.

    Attributes:
        urls: Their addresses, the preferred first.
        max_lag: Blocks that an address, or the keeper itself, may be behind the newest one seen.
        timeout: Seconds that an answer may take.
        poll: Seconds from one look for a new block to the next.
    """

    urls: Annotated[tuple[Url, ...], Field(min_length=1)] = (SecretStr("http://127.0.0.1:8545"),)
    max_lag: Positive = 3
    timeout: Annotated[Number, Field(gt=0, le=300)] = Decimal(10)
    poll: Annotated[Number, Field(gt=0, le=60)] = Decimal("0.5")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses as they are: not to be shown."""
        return tuple(url.get_secret_value() for url in self.urls)


class ChainSettings(Group):
    """The chain, and the exchange on it.

    Attributes:
        id: Its id; another chain is refused.
        deployments: The folder with `<chain id>.json`, which says where the exchange is.
    """

    id: Positive
    deployments: File = Path("deployments")


class SignerSettings(Group):
    """Where one signer's key is. Exactly one of `keystore`, `key_variable` and `local` is given.

    A keystore's password is asked for on the terminal, unless a file or a variable has it.

    Attributes:
        keystore: An encrypted file, as geth and ape write it.
        password_file: The file with its password.
        password_variable: The variable of the environment with its password.
        key_variable: The variable of the environment with a private key.
        local: One of a local node's own accounts: a name, a number or an address.
    """

    keystore: File | None = None
    password_file: File | None = None
    password_variable: Annotated[str, Field(pattern=_VARIABLE)] | None = None
    key_variable: Annotated[str, Field(pattern=_VARIABLE)] | None = None
    local: Annotated[str, Field(min_length=1, max_length=42)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(one is not None for one in (self.keystore, self.key_variable, self.local)) != 1:
            raise ValueError("exactly one of keystore, key_variable and local")
        passwords = sum(one is not None for one in (self.password_file, self.password_variable))
        if passwords > 1:
            raise ValueError("at most one of password_file and password_variable")
        if passwords and self.keystore is None:
            raise ValueError("a password goes with a keystore")
        return self


class JobSettings(Group):
    """Which jobs are done; the names are those of `Job`."""

    update_prices: bool = True
    liquidate_isolated: bool = True
    liquidate_cross: bool = True
    top_up: bool = True
    deleverage: bool = True
    settle: bool = True
    execute_orders: bool = True
    trail_stops: bool = True
    clear_expired: bool = True
    fix_requests: bool = True

    @property
    def on(self) -> frozenset[Job]:
        """The jobs that are done."""
        return frozenset(job for job in Job if getattr(self, job))


class PolicySettings(Group):
    """What is worth sending, and how much at once.

    Attributes:
        gas_per_batch: Gas limit of one transaction at most.
        batches_per_pass: Transactions that one pass sends at most.
        always: Whether accounts in bad debt are liquidated even where that does not pay.
        margin: Percent of its cost that a batch must pay beyond its cost.
        gas_token: What the chain's gas token is worth: a market's symbol, or USD a whole token.
    """

    gas_per_batch: Annotated[Count, Field(ge=1_000_000, le=1_000_000_000)] = BATCH_GAS
    batches_per_pass: Annotated[Count, Field(ge=1, le=1_000)] = 16
    always: bool = False
    margin: Annotated[Count, Field(ge=0, le=10_000)] = 10
    gas_token: Annotated[Decimal | str, BeforeValidator(_gas_token)] = "ETH-PERP"


class FeeSettings(Group):
    """What transactions pay, and how long they may take. Blocks are the chain's.

    Attributes:
        max_fee: Gwei per gas that no transaction ever pays more than.
        bump: Percent that a replacement pays more; nodes ask for at least ten.
        patience: Blocks after which a transaction that is not mined is replaced.
        replacements: How often it is, before it is cancelled.
        confirmations: Blocks, its own counted, after which a transaction is done with.
    """

    max_fee: Annotated[Number, Field(gt=0, le=1_000_000)] = Decimal(100)
    bump: Annotated[Count, Field(ge=10, le=1_000)] = 25
    patience: Positive = 3
    replacements: Annotated[Count, Field(ge=0, le=100)] = 5
    confirmations: Annotated[Count, Field(ge=1, le=1_000)] = 2

    @property
    def max_fee_wei(self) -> int:
        """Wei per gas, down."""
        return int(self.max_fee * WEI_PER_GWEI)


class PoisonSettings(Group):
    """How long what fails again and again is left alone, in seconds of the chain.

    Attributes:
        first_rest: After the first failure; each further one doubles it.
        longest_rest: What it doubles to at most.
    """

    first_rest: Positive = 60
    longest_rest: Positive = 86_400

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.longest_rest < self.first_rest:
            raise ValueError("longest_rest is at least first_rest")
        return self


class FeedSettings(Group):
    """Where the price updates of pull feeds come from.

    Attributes:
        hermes_url: A Hermes server, for markets on Pyth feeds.
        hermes_ids: Pyth's name of a market's price, by symbol; the chain's own where left out.
        signed_urls: Servers of signed prices.
    """

    hermes_url: Url | None = None
    hermes_ids: dict[Symbol, Annotated[str, Field(pattern=_FEED_ID)]] = Field(default_factory=dict)
    signed_urls: tuple[Url, ...] = ()


class WatchSettings(Group):
    """Where the keeper is watched from: `/metrics`, `/healthz`, `/readyz`.

    Attributes:
        enabled: Whether it listens at all.
        host: The interface.
        port: 0 for a free one.
        stall: Seconds without a pass after which it no longer counts as alive.
    """

    enabled: bool = True
    host: Annotated[str, Field(min_length=1, max_length=253)] = "127.0.0.1"
    port: Annotated[Count, Field(ge=0, le=65_535)] = 9_870
    stall: Annotated[Count, Field(ge=5, le=3_600)] = 120


class LogSettings(Group):
    """What is written to stderr.

    Attributes:
        level: The least that is.
        format: For people or for programs.
    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class KeeperSettings(BaseSettings):
    """All of it. `load` looks where settings are; the constructor takes values alone.

    Attributes:
        journal: The SQLite file with the index and the journal.
        shard: Which part of the work is this keeper's: the k-th of n, as "k/n".
        account: A `KeeperAccount` that works for all signers; None where they work themselves.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        env_file=None,
        hide_input_in_errors=True,
    )

    journal: File = Path("keeper.db")
    shard: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$")] = "1/1"
    account: Address | None = None
    rpc: RpcSettings = RpcSettings()
    chain: ChainSettings
    signers: tuple[SignerSettings, ...] = ()
    jobs: JobSettings = JobSettings()
    policy: PolicySettings = PolicySettings()
    fees: FeeSettings = FeeSettings()
    poison: PoisonSettings = PoisonSettings()
    feeds: FeedSettings = FeedSettings()
    watch: WatchSettings = WatchSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="after")
    def _shard_of_few(self) -> Self:
        if not self.shard_index < self.shards <= MAX_SHARDS:
            raise ValueError(f"shard: k/n, k from 1 to n, n at most {MAX_SHARDS}")
        return self

    @property
    def shard_index(self) -> int:
        """Which shard it is, from 0."""
        return int(self.shard.partition("/")[0]) - 1

    @property
    def shards(self) -> int:
        """How many shards there are."""
        return int(self.shard.partition("/")[2])

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The constructor takes values alone: `load` knows where else to look."""
        return (init_settings,)

    @classmethod
    def load(cls, path: Path | None = None, flags: Mapping[str, Any] | None = None) -> Self:
        """The settings of a file, the environment and a command's flags, each over those before.

        Args:
            path: A TOML file; `keeper.toml` in this folder, if it is there, where it is None.
            flags: Values by field, in tables as the file has them.

        Raises:
            InvalidSettings: Naming every field that is wrong, what it may be, and what it is.
            OSError: If the file can not be read.
        """
        _require_known_variables()
        table = _over(_over(_table_of(path), _variables()), flags or {})
        # What is missing is then `chain.id`, and not the table around it.
        table.setdefault("chain", {})
        try:
            return cls(**table)
        except ValidationError as error:
            raise InvalidSettings(explained(error, KeeperSettings)) from None


def _table_of(path: Path | None) -> dict[str, Any]:
    if path is None and not DEFAULT_FILE.exists():
        return {}
    file = path or DEFAULT_FILE
    try:
        table = tomllib.loads(file.read_text(), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSettings(f"{file}: no TOML: {error}") from None
    require_no_secret_address(table)
    return table


def _variables() -> dict[str, Any]:
    """What the environment says, in tables as the file has them."""
    try:
        return EnvSettingsSource(KeeperSettings)()
    except SettingsError as error:
        field = re.search(r'field "(\w+)"', str(error))
        name = PREFIX + (field[1].upper() if field else "")
        raise InvalidSettings(f"{name}...: lists and tables are JSON in the environment") from None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two tables in one; where both say something, the upper holds."""
    merged = dict(below)
    for name, value in above.items():
        found = merged.get(name)
        both = isinstance(found, Mapping) and isinstance(value, Mapping)
        merged[name] = _over(found, value) if both else value  # type: ignore[arg-type]
    return merged


def _require_known_variables() -> None:
    """What is misspelt inside a group is found by the group; here, what names no group."""
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX):
            first, *rest = name[len(PREFIX) :].lower().split("__")
            field = KeeperSettings.model_fields.get(first)
            if field is None or (rest and not _is_group(field.annotation)):
                known = ", ".join(KeeperSettings.model_fields)
                raise InvalidSettings(f"{name}: no setting; the first part is one of {known}")


def _is_group(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Group)
