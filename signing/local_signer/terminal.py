"""What people and programs see: plain text only, whatever names came from outside."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from typing import Any

from signing.trust.errors import TrustError


def speak_utf8() -> None:
    """Write UTF-8 whatever the locale, as docker does, and never fail on a character."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def say(text: str) -> None:
    """Print one line for people."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_json(value: Mapping[str, Any] | list[Any]) -> None:
    """Print one JSON document for programs; everything beyond ASCII is escaped."""
    sys.stdout.write(json.dumps(value, indent=4) + "\n")


def complain(text: str) -> None:
    """Print one line on stderr, without what a terminal would act on."""
    sys.stderr.write(plain_line(text) + "\n")
    sys.stderr.flush()


def complain_of(error: TrustError, about: str = "") -> None:
    """Print an error as one sentence and its next step."""
    complain(f"{about}: {sentence(error)}" if about else sentence(error))


def sentence(error: TrustError) -> str:
    """Give an error's message and next step in one line."""
    message = error.message if error.message.endswith((".", "!", "?")) else f"{error.message}."
    return f"{message} {error.next_step}".strip()


def error_as_json(error: TrustError) -> dict[str, Any]:
    """Give an error as commands with --json print it."""
    return {"error": {"code": error.code, "message": error.message, "next_step": error.next_step}}


class Progress:
    """Counts long work on one line of a terminal; says nothing where stderr is not one."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._is_shown = sys.stderr.isatty() and total > 1

    def step(self, note: str = "") -> None:
        """Count one more as done."""
        self._done += 1
        self.show(f"{self._done} of {self._total}{f' {note}' if note else ''}")

    def show(self, text: str) -> None:
        """Replace the line."""
        if self._is_shown:
            sys.stderr.write(f"\r\x1b[K{plain_line(self._what)}: {plain_line(text)}")
            sys.stderr.flush()

    def end(self) -> None:
        """Take the line away."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def plain_line(text: str) -> str:
    """Replace what a terminal would act on or hide by its escape."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
