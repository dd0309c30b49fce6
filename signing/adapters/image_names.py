"""Check names before they become part of a URL of the Engine or a registry."""

import re

from signing.adapters.outside_text import plain
from signing.trust.errors import InvalidName

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"sha256:[0-9a-f]{64}"
_REFERENCE = re.compile(
    rf"(?P<repository>(?:{_HOST}/)?{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?", re.ASCII
)
_LONGEST = 512


def split_reference(reference: str) -> tuple[str, str | None, str | None]:
    """Return repository, tag and digest of an image's name. Raises: InvalidName."""
    match = _REFERENCE.fullmatch(reference) if len(reference) <= _LONGEST else None
    if match is None:
        raise InvalidName(
            f"{plain(reference, 200)!r} is not the name of an image.",
            next_step="Write it as HOST/PATH:TAG in lower case, for example registry.example.com/team/app:1.4.0.",
        )
    return match["repository"], match["tag"], match["digest"]


def checked_host(host: str) -> str:
    """Return `host` if it can be a registry's HOST or HOST:PORT. Raises: InvalidName."""
    return _checked(_HOST, host, "address of a registry", "Write it as HOST or HOST:PORT, without https://.")


def checked_path(path: str) -> str:
    """Return `path` if it can be a repository inside a registry. Raises: InvalidName."""
    return _checked(_PATH, path, "repository", "Use lower-case letters, digits, dots, dashes and slashes.")


def checked_tag(tag: str) -> str:
    """Return `tag` if it can be a tag. Raises: InvalidName."""
    return _checked(_TAG, tag, "tag", "Use letters, digits, dots, dashes and underscores, at most 128.")


def checked_tag_or_digest(reference: str) -> str:
    """Return `reference` if it can be a tag or a sha256 digest. Raises: InvalidName."""
    return _checked(rf"{_TAG}|{_DIGEST}", reference, "tag or digest", "Use a tag, or sha256: and 64 hex digits.")


def is_digest(reference: str) -> bool:
    """Tell a digest from a tag; a tag cannot contain a colon."""
    return ":" in reference


def _checked(pattern: str, value: str, what: str, next_step: str) -> str:
    if len(value) > _LONGEST or not re.fullmatch(pattern, value, re.ASCII):
        raise InvalidName(f"{plain(value, 200)!r} is not a {what}.", next_step=next_step)
    return value
