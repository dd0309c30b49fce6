"""Answers of a server: read one by one, or in a row after requests that were sent together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from signing.trust.errors import BadResponse, TooLarge
from signing.trust.notary import deadline
from signing.trust.notary.http1 import Connection, Endpoint, Headers, NotHttp

PATIENCE = 2.0
"""Seconds to wait for one of several answers after the first: a server that loses the others is asked one by one."""


class Answer(NamedTuple):
    """A complete answer; the body of an error is cut at the limit, that of a success never is."""

    status: int
    headers: Headers
    body: bytes


def read_answer(connection: Connection, limit: int) -> tuple[Answer, bool]:
    """Read one answer, and tell whether the connection can be kept.

    Raises:
        TooLarge: a success larger than `limit`.
        BadResponse: a success that is compressed although nobody asked for that.
        OSError: no complete answer, or not in time.
        NotHttp: none at all.
    """
    head = connection.head()
    if head.status == 200:
        _require_fit(connection.endpoint, head.headers, limit)
    body, can_be_kept = connection.body(head, limit)
    if len(body) > limit and head.status == 200:
        raise TooLarge(f"{connection.endpoint.host} sent more than the {limit} bytes that are the most.")
    return Answer(head.status, head.headers, body[:limit]), can_be_kept


class Answers:
    """Answers to requests that were sent together, each read when it is asked for.

    They end early whatever is wrong with one: it has to be asked for alone to tell.
    """

    def __init__(
        self,
        connection: Connection,
        limits: Sequence[int],
        timeout: float,
        done: Callable[[Connection, bool], None],
        lost: Callable[[Endpoint], None],
    ) -> None:
        """Take a connection; `done` gets it back and whether it can be kept.

        `lost` is told of a server that answered some of the requests and then no more.
        """
        self._connection = connection
        self._limits = deque(limits)
        self._seconds = timeout
        self._done = done
        self._lost = lost
        self._came = 0

    def next(self) -> Answer | None:
        """Read the next answer; None at their end."""
        if not self._limits:
            return None
        try:
            with deadline.within(self._seconds):
                answer, can_be_kept = read_answer(self._connection, self._limits.popleft())
        except (TooLarge, BadResponse, OSError, NotHttp) as error:
            if self._came and isinstance(error, OSError | NotHttp):
                self._lost(self._connection.endpoint)
            self._end()
            return None
        except BaseException:
            self._end()
            raise
        self._came += 1
        self._seconds = min(self._seconds, PATIENCE)
        if not (can_be_kept and self._limits):
            self._limits.clear()
            self._done(self._connection, can_be_kept)
        return answer

    def close(self) -> None:
        """Give up what was not read yet."""
        if self._limits:
            self._end()

    def _end(self) -> None:
        self._limits.clear()
        self._connection.close()


def _require_fit(endpoint: Endpoint, headers: Headers, limit: int) -> None:
    if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise BadResponse(f"{endpoint.host} compressed an answer although that was not asked for.")
    promised = headers.get("Content-Length")
    if promised.isdecimal() and int(promised[:20]) > limit:
        raise TooLarge(f"{endpoint.host} announced {promised[:20]} bytes where {limit} are the most.")
