"""Do something in a child process with a deadline: code that may hang, crash or keep state for the whole process.

PKCS#11 modules are such code: a login counts for all of a process, a call cannot be interrupted, and a module may take
the process with it. In a child that ends afterwards none of this matters to the worker.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Callable

from signing.trust import errors
from signing.trust.errors import TokenTooSlow, TokenUnavailable, TrustError

_GIVEN, _RAISED = b"\x00", b"\x01"
MOST_BYTES = 64 * 1024


def in_child(work: Callable[[], bytes], seconds: float, what: str) -> bytes:
    """Run `work` in a child and give what it returns; `what` names it for people.

    Raises:
        TrustError: what `work` raised, with its class, sentence, next step and detail.
        TokenTooSlow: it was not done in time; the child is gone.
        TokenUnavailable: the child crashed.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(work, writing, seconds)
    os.close(writing)
    try:
        said = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if said is None:
        raise TokenTooSlow(f"{what} did not answer within {seconds:g} seconds.")
    if said[:1] == _GIVEN:
        return said[1:]
    if said[:1] == _RAISED:
        raise _error(said[1:])
    raise TokenUnavailable(f"The module of {what} crashed.", reason="Crashed")


def _answer(work: Callable[[], bytes], writing: int, seconds: float) -> None:
    """Do it, say how it ended and leave without running what the parent would do when it ends."""
    try:
        for name in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)
        signal.alarm(int(seconds) + 1)  # also where nobody waits for it any more
        os.write(writing, _outcome(work))
    finally:
        os._exit(0)


def _outcome(work: Callable[[], bytes]) -> bytes:
    try:
        return _GIVEN + work()
    except TrustError as error:
        told = {"kind": type(error).__name__, "message": error.message, "next_step": error.next_step}
        return _RAISED + json.dumps({**told, "detail": error.detail}, default=str).encode()


def _error(said: bytes) -> TrustError:
    told = json.loads(said)
    kind: type[TrustError] = getattr(errors, told["kind"], TokenUnavailable)
    return kind(told["message"], next_step=told["next_step"], **told["detail"])


def _read(reading: int, deadline: float) -> bytes | None:
    """Read to the end; None where that takes too long."""
    said = b""
    while len(said) < MOST_BYTES:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([reading], [], [], left)[0]:
            return None
        part = os.read(reading, MOST_BYTES)
        if not part:
            break
        said += part
    return said
