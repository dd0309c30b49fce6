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


def plain_line(text: str) -> str:
    """Replace what a terminal would act on or hide by its escape."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
