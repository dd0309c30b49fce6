"""Waiting for something that happens in another process."""

from __future__ import annotations

import time
from collections.abc import Callable

from trustui.embedded.processes import POLL_SECONDS, NotReady


def wait_until(check: Callable[[], bool], timeout: float, what: str) -> None:
    """Wait until `check` says yes.

    Raises:
        NotReady: the time was over; the text names `what`.
    """
    deadline = time.monotonic() + timeout
    while not check():
        if time.monotonic() > deadline:
            raise NotReady(f"{what}: not after {timeout:g} s.")
        time.sleep(POLL_SECONDS)
