"""The groups of a keeper's settings: what each value means, its default and its limits."""

from __future__ import annotations

import re
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
    model_validator,
)

from bulkhead.keeper.work import Job
from bulkhead.values import decimal_of

BATCH_GAS = 14_000_000  # half of what the smallest blocks of common chains hold
WEI_PER_GWEI = 10**9

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
        usd = decimal_of(str(value))
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
        confirmations: Blocks after which a mined transaction is final.
        in_flight: Transactions that a signer may have on their way at once.
    """

    max_fee: Annotated[Number, Field(gt=0, le=1_000_000)] = Decimal(100)
    bump: Annotated[Count, Field(ge=10, le=1_000)] = 25
    patience: Positive = 3
    confirmations: Annotated[Count, Field(ge=1, le=1_000)] = 64
    in_flight: Annotated[Count, Field(ge=1, le=64)] = 4

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
