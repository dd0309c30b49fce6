"""What a command's exit code says; scripts rely on these numbers."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    """Done, and everything it rests on verified."""
    FAILED = 1
    """Refused or failed, in whole or in part; stderr says why."""
    USAGE = 2
    """The command line is wrong."""
    NOTHING_TO_CHANGE = 3
    """Everything asked for was true already; nothing was published."""
    INTERRUPTED = 130
    """Ctrl+C."""
