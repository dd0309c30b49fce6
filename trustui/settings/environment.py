"""Read what a process may know: its environment, and its own files in the state folder's `secrets/`."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.FileAwareEnv()  # NAME_FILE wins over NAME
VAR = Path(env.str("TRUSTUI_VAR", default=str(BASE_DIR / "var"))).resolve()


def secret(name: str) -> str:
    """Return the text of a secret: `NAME_FILE`, else `NAME`, else what `make run` wrote to the state folder.

    Raises:
        ImproperlyConfigured: it is in none of the three.
    """
    text: str = env.str(name, default="").strip()
    if text:
        return text
    file = secret_file(name)
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        raise ImproperlyConfigured(
            f"{name} is not set. Set {name}_FILE to a file that holds it, or run `make run` once, which writes {file}."
        ) from None


def is_given(name: str) -> bool:
    """Tell whether a secret is in one of the places where `secret` looks."""
    return bool(env.str(name, default="").strip()) or secret_file(name).exists()


def secret_file(name: str) -> Path:
    """Say where the state folder keeps a secret."""
    return VAR / "secrets" / name.lower()


def secret_key_bytes(name: str) -> bytes:
    """Return a secret of 32 bytes that is written in base64.

    Raises:
        ImproperlyConfigured: it is absent or not 32 bytes of base64; its text is not repeated.
    """
    return _key_bytes(name, secret(name))


def secret_keys(name: str) -> tuple[bytes, ...]:
    """Return several secrets of 32 bytes, one a line or separated by commas; none where it is not set.

    Raises:
        ImproperlyConfigured: one of them is not 32 bytes of base64; its text is not repeated.
    """
    if not is_given(name):
        return ()
    return tuple(_key_bytes(name, text) for text in secret(name).replace(",", " ").split())


def _key_bytes(name: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise ImproperlyConfigured(f"{name} must be 32 bytes in base64, as `openssl rand -base64 32` prints.")
    return key
