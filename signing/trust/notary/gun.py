"""Names: repositories (GUNs), tags and digests, by docker's rules, and where docker looks for their trust server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from signing.trust.errors import InvalidInput, InvalidName, NoTag

DOCKER_HUB = "docker.io"
DOCKER_HUB_TRUST_SERVER = "https://notary.docker.io"
LONGEST_GUN = 255
LONGEST_REFERENCE = 600

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_NAME = re.compile(
    rf"(?P<gun>{_HOST}/{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?", re.ASCII
)
_ONLY_TAG = re.compile(_TAG, re.ASCII)
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_IMAGE_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)
_UNSAFE = re.compile(r"[^!$&'()+,./0-9:;=@A-Z\[\]_a-z~-]")


class Gun(str):
    """The globally unique name of a repository: registry host and path, no tag.

    Any name that can safely stand in a URL and in a path of a file system is accepted here, as Notary does;
    `parse` is for what people type.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Take a name as it is.

        Raises:
            InvalidName: it is too long, or could mean another place in a URL or a file system.
        """
        segments = text.split("/")
        if len(text) > LONGEST_GUN or _UNSAFE.search(text) or any(part in ("", ".", "..") for part in segments):
            raise _invalid(text)
        return super().__new__(cls, text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a repository's name as docker does: `alpine` is `docker.io/library/alpine`.

        Raises:
            InvalidName: docker would refuse it, or it carries a tag or a digest.
        """
        name = ImageName.parse(text)
        if name.tag or name.digest:
            raise InvalidName(f"{text[:300]!r} names one image, not a repository.", next_step="Leave the tag out.")
        return cls(name.gun)

    @property
    def host(self) -> str:
        """The registry's host, with its port if the name has one."""
        return self.partition("/")[0]

    @property
    def path(self) -> str:
        """The repository inside its registry."""
        return self.partition("/")[2]


class ImageName(NamedTuple):
    """What an image reference says: the repository, and the tag and the digest if given."""

    gun: Gun
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, text: str) -> ImageName:
        """Read an image reference as docker normalises it. No tag is ever assumed.

        Raises:
            InvalidName: docker would refuse it.
        """
        if _IMAGE_ID.fullmatch(text):
            raise InvalidName(f"{text!r} is an image's id, not its name.", next_step="Use the image's name and tag.")
        match = _NAME.fullmatch(_with_host(text)) if len(text) <= LONGEST_REFERENCE else None
        if match is None:
            raise _invalid(text)
        if match["digest"] is not None:
            check_digest(match["digest"])  # docker takes other algorithms too; trust data has SHA-256 only
        return cls(Gun(match["gun"]), match["tag"], match["digest"])

    @classmethod
    def parse_tagged(cls, text: str) -> ImageName:
        """Read an image reference that has to name a tag and no digest, as signing does.

        Raises:
            InvalidName: docker would refuse it, or it carries a digest.
            NoTag: it names no tag.
        """
        name = cls.parse(text)
        if name.digest:
            raise InvalidName(f"{text[:300]!r} carries a digest; a tag is needed.")
        if name.tag is None:
            raise NoTag(f"{text[:300]!r} names no tag.")
        return name


def check_tag(tag: str) -> str:
    """Return `tag` if docker allows it.

    Raises:
        InvalidName: otherwise.
    """
    if _ONLY_TAG.fullmatch(tag):
        return tag
    raise InvalidName(
        f"{tag[:140]!r} is not a tag.",
        next_step="Use up to 128 letters, digits, dots, dashes and underscores; do not begin with a dot or a dash.",
    )


def check_digest(digest: str) -> str:
    """Return `digest` if it is `sha256:` and 64 lower-case hex digits.

    Raises:
        InvalidName: otherwise.
    """
    if _SHA256.fullmatch(digest):
        return digest
    raise InvalidName(f"{digest[:80]!r} is not a digest.", next_step="Write sha256: and 64 hex digits.")


def server_for(gun: Gun, environ: Mapping[str, str]) -> str:
    """Name the trust server docker would ask for `gun` (reference 5).

    Raises:
        InvalidInput: DOCKER_CONTENT_TRUST_SERVER is set to something that is not an https address.
    """
    if configured := environ.get("DOCKER_CONTENT_TRUST_SERVER"):
        if urlsplit(configured).scheme != "https":
            raise InvalidInput(
                f"DOCKER_CONTENT_TRUST_SERVER has to be an https address, it is {configured[:200]!r}.",
                next_step="Set DOCKER_CONTENT_TRUST_SERVER to https://HOST:PORT.",
            )
        return configured.rstrip("/")
    return DOCKER_HUB_TRUST_SERVER if gun.host == DOCKER_HUB else f"https://{gun.host}"


def _with_host(text: str) -> str:
    """Put docker's default host before a name that has none."""
    first, slash, rest = text.partition("/")
    if not slash:
        return f"{DOCKER_HUB}/library/{text}"
    if first == "index.docker.io":
        first = DOCKER_HUB
    elif not (first == "localhost" or "." in first or ":" in first or first.lower() != first):
        first, rest = DOCKER_HUB, text
    if first == DOCKER_HUB and "/" not in rest:
        rest = f"library/{rest}"
    return f"{first}/{rest}"


def _invalid(text: str) -> InvalidName:
    return InvalidName(
        f"{text[:300]!r} is not the name of a repository.",
        next_step="Write it as HOST/PATH in lower case, for example registry.example.com/team/app.",
    )
