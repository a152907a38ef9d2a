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
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bulkhead.keeper.batching import Shard
from bulkhead.keeper.configuration.groups import (
    Address,
    ChainSettings,
    FeedSettings,
    FeeSettings,
    File,
    Group,
    JobSettings,
    LogSettings,
    PoisonSettings,
    PolicySettings,
    RpcSettings,
    SignerSettings,
    WatchSettings,
)
from bulkhead.keeper.configuration.invalid import (
    InvalidSettings,
    explained,
    require_no_secret_address,
)

DEFAULT_FILE = Path("keeper.toml")
PREFIX = "BULKHEAD_KEEPER__"


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
    def _is_a_share(self) -> Self:
        _ = self.share
        return self

    @property
    def share(self) -> Shard:
        """Which part of the work is this keeper's."""
        return Shard.parse(self.shard)

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
