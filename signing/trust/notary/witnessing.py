"""Sign files anew without changing them: renewed before they expire, revived after (reference 4.7, 6 "witness")."""

from __future__ import annotations

from collections.abc import Sequence

from signing.trust.errors import CannotSign, ExpiredMetadata, InvalidName, KeyIdMismatch, MetadataError, UnmetThreshold
from signing.trust.notary.delegations import find_delegation
from signing.trust.notary.publishing import Publisher
from signing.trust.notary.reading import read_as, read_envelope, require_signed
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Targets

MOST_VERSIONS_BACK = 50
LARGEST_FILE = 64 * 1024 * 1024


def require_witnessable(publisher: Publisher, trusted: TrustedRepository, names: Sequence[str]) -> None:
    """Raise unless the files of these roles may be signed anew.

    A file that too few of its keys signed is taken over only if an earlier delegation counted it: what a server
    merely shows is not signed for it.

    Raises:
        NotFound: there is no such role.
        CannotSign: nothing proves that the file was ever signed.
    """
    for name in names:
        if name not in (roles.ROOT, roles.TARGETS):
            find_delegation(trusted, name)
        error = trusted.left_out.get(name)
        if isinstance(error, UnmetThreshold | KeyIdMismatch):
            _require_once_signed(publisher, trusted, name)
        elif error is not None and not isinstance(error, ExpiredMetadata):
            raise CannotSign(
                f"The {name} that the server has cannot be signed anew. {error.message}",
                next_step=f"Revoke what is there and sign the tags of {name} again.",
                role=name,
            )


def check_witnessed(name: str) -> str:
    """Return `name` if its file is one people sign.

    Raises:
        InvalidName: it is the server's, or no role.
    """
    if name in (roles.ROOT, roles.TARGETS) or roles.is_delegation(name):
        return name
    raise InvalidName(
        f"{name[:80]!r} cannot be signed anew.", next_step="Name root, targets or a delegation such as targets/alice."
    )


def _require_once_signed(publisher: Publisher, trusted: TrustedRepository, name: str) -> None:
    """Look through the earlier versions of the parent for the delegation under which the file was signed."""
    envelope = read_envelope(trusted.left_out_files[name])
    parent = roles.parent_of(name)
    newest = trusted.targets if parent == roles.TARGETS else trusted.delegations[parent]
    for version in range(newest.version - 1, max(0, newest.version - 1 - MOST_VERSIONS_BACK), -1):
        earlier = _earlier(publisher, trusted, parent, version)
        role = earlier.role(name) if earlier else None
        if role is None:
            continue
        try:
            require_signed(role, envelope)
        except MetadataError:
            continue
        return
    raise CannotSign(
        f"Nothing shows that the present keys of {parent} ever let anybody sign the {name} that the server has.",
        next_step=f"Revoke what is there and sign the tags of {name} again.",
        role=name,
    )


def _earlier(publisher: Publisher, trusted: TrustedRepository, parent: str, version: int) -> Targets | None:
    """Give an earlier version of a file if the keys that sign it now signed it then."""
    data = publisher.transport.get(publisher.gun, f"{version}.{parent}.json", LARGEST_FILE)
    if data is None:
        return None
    if parent == roles.TARGETS:
        role = trusted.root.role(parent)
    else:
        file, _ = find_delegation(trusted, parent)
        found = file.role(parent)
        if found is None:
            return None
        role = found
    try:
        envelope: Envelope = read_envelope(data)
        require_signed(role, envelope)
        return read_as(Targets, envelope)
    except MetadataError:
        return None
