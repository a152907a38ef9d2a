"""One server of prices: asked over HTTP, and left alone when it fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from aiohttp import ClientResponseError, ClientSession

from bulkhead.keeper.nodes.resting import Rest
from bulkhead.keeper.nodes.sessions import (
    TROUBLE,
    checked_url,
    open_session,
    retry_after,
    shallow_text,
    shown,
    trouble_of,
)

MAX_ANSWER = 2**20  # bytes
FIRST_REST = 1.0  # seconds
LONGEST_REST = 60.0
_NOT_ITS_FAULT = range(400, 500)  # what was asked for is not there
_TOO_MANY = 429


class Silent(Exception):  # noqa: N818 - what happened; it never leaves the sources
    """A server gave no answer, or was not asked for one because it rests."""


class Server:
    """Answers with JSON, or is silent.

    Args:
        url: Its address; with what is secret in it, which is never shown.
        timeout: Seconds for an answer.

    Raises:
        ValueError: If the address is none.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = checked_url(url)
        self._timeout = timeout
        self._session: ClientSession | None = None
        self._rest = Rest(FIRST_REST, LONGEST_REST)

    async def get(self, path: str, query: Sequence[tuple[str, str]]) -> Any:
        """What it answers.

        Raises:
            Silent: If it does not, or rests; it says why.
        """
        name = shown(self._url)
        if self._rest.left:
            raise Silent(f"{name} rests")
        if self._session is None:
            self._session = open_session(self._timeout, MAX_ANSWER)
        url = f"{self._url.rstrip('/')}/{path}" if path else self._url
        try:
            async with self._session.get(url, params=query, allow_redirects=False) as found:
                answer = json.loads(shallow_text(await found.read()))
        except TROUBLE as error:
            if not _is_of_question(error):
                self._begin_rest(retry_after(error))
            raise Silent(f"{name}: {trouble_of(error)}") from None
        self._rest.was_answered()
        return answer

    async def close(self) -> None:
        """Ends its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _begin_rest(self, least: float) -> None:
        if not self._rest.left:  # one of several that fail together counts
            self._rest.begin(least)


def _is_of_question(error: BaseException) -> bool:
    """Whether an error is about what was asked for, and not about the server."""
    if not isinstance(error, ClientResponseError):
        return False
    return error.status in _NOT_ITS_FAULT and error.status != _TOO_MANY
