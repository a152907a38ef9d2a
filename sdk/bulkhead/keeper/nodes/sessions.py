"""HTTP as a keeper does it: bounded answers, no cookies, and nothing secret in what it says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from aiohttp import (
    ClientError,
    ClientPayloadError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)

CONNECTIONS = 16  # at most, to one host
IDLE_SECONDS = 4.0  # servers drop what is idle for five and more: who asks then asks in vain
MAX_RETRY_AFTER = 900.0  # seconds: who asks for a year is asked again today
TROUBLE: tuple[type[BaseException], ...] = (
    ClientError,
    TimeoutError,
    OSError,
    ValueError,
)
"""What a server can make a request end in."""

MAX_DEPTH = 64  # of JSON: libraries raise Python's limit so far that its parser overflows the stack
_STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


def open_session(timeout: float, most: int) -> ClientSession:
    """A session whose requests raise for a status of 400 and more.

    Args:
        timeout: Seconds for all of a request.
        most: Bytes of an answer; a longer one is a `ClientPayloadError`.
    """
    return ClientSession(
        connector=TCPConnector(limit=CONNECTIONS, keepalive_timeout=IDLE_SECONDS),
        cookie_jar=DummyCookieJar(),
        raise_for_status=True,
        response_class=_bounded(most),
        timeout=ClientTimeout(total=timeout),
    )


def checked_url(url: str) -> str:
    """An address over HTTP.

    Raises:
        ValueError: If it is none. It shows no more of it than `shown` does.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("url: not an address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError(f"url: {parts.scheme or 'no scheme'}://{host or ''} is not http or https")
    return url


def shown(url: str) -> str:
    """An address without what may be secret: user, password, path and query."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def trouble_of(error: BaseException) -> str:
    """What went wrong, without the address: aiohttp's own texts hold it, key and all."""
    if isinstance(error, ClientResponseError):
        return f"HTTP {error.status}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ClientPayloadError):
        return "half an answer, or too long a one"
    if isinstance(error, ClientError | OSError):
        said = getattr(error, "strerror", None)
        return f"no connection: {said or type(error).__name__}"
    return "an answer that is no JSON"


def shallow_text(body: bytes) -> str:
    """An answer's text, which can be given to a parser of JSON.

    Raises:
        ValueError: If it is no text, or nested deeper than any answer is.
    """
    text = body.decode()
    if text.count("[") + text.count("{") > MAX_DEPTH:
        depth = 0
        for bracket in _BRACKET.findall(_STRING.sub("", text)):
            depth += 1 if bracket in "[{" else -1
            if depth > MAX_DEPTH:
                raise ValueError("nested too deep")
    return text


def retry_after(error: BaseException) -> float:
    """Seconds that a server asks to be left alone for; 0 where it does not say."""
    headers: Mapping[str, str] | None = getattr(error, "headers", None)
    said = headers.get("Retry-After") if headers else None
    if headers is None or said is None:
        return 0.0
    if said.strip().isdecimal():
        seconds = float(said[:9])
    else:
        try:
            # Both by the server's clock.
            until = parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("Date", ""))
            seconds = until.total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _bounded(most: int) -> type[ClientResponse]:
    class Bounded(ClientResponse):
        async def read(self) -> bytes:
            body = bytearray()
            async for chunk in self.content.iter_any():
                body += chunk
                if len(body) > most:
                    self.close()
                    raise ClientPayloadError("too long")
            return bytes(body)

    return Bounded
