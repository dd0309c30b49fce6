"""Find the root to use: the remembered one, or one from the server that may follow it (reference 4.2, 4.3)."""

from __future__ import annotations

from datetime import datetime

from signing.trust.errors import MetadataError, NoTrustData, Rollback, UntrustedRoot
from signing.trust.notary.ahead import Source
from signing.trust.notary.pinning import Pinning
from signing.trust.notary.root_rules import TrustedRoot, check_root, read_root, require_signed_by
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import FileMeta, Root

LARGEST_ROOT = 4 * 1024 * 1024
MOST_ROOTS_BEHIND = 1000


class Roots:
    """The roots of one GUN during one refresh.

    `anchor` is the root trusted last, at first the remembered one: no root counts that it does not lead to.
    """

    def __init__(self, gun: str, transport: Source, remembered: bytes | None, pinning: Pinning, at: datetime) -> None:
        """Take the remembered root as the anchor; its expiry does not matter for that.

        Raises:
            UntrustedRoot: it does not hold. Going on without it would let anybody replace the root.
        """
        self._gun = gun
        self._transport = transport
        self._pinning = pinning
        self._at = at
        self.anchor = self._as_anchor(remembered)

    def first(self, *, ask_server: bool) -> TrustedRoot:
        """Give the root to begin with: the anchor while it holds, else the server's.

        Raises:
            NoTrustData: the server was asked and has none.
            MetadataError: the server's root may not be trusted.
        """
        current = self._unexpired_anchor()
        if current is not None and not ask_server:
            return current
        data = self._get("root.json", LARGEST_ROOT)
        if data is None:
            raise NoTrustData(f"The trust server has no trust data for {self._gun}.", gun=self._gun)
        return current if current is not None and data == current.envelope.raw else self._accepted(data)

    def newest(self, promised: FileMeta | None) -> TrustedRoot | None:
        """Ask the server for its newest root, by hash where a verified snapshot promised one; None if it has none.

        Raises:
            MetadataError: that root may not be trusted.
        """
        if promised is None:
            data = self._get("root.json", LARGEST_ROOT)
        else:
            data = self._get(f"root.{promised.sha256}.json", min(promised.length, LARGEST_ROOT))
        return None if data is None else self._accepted(data)

    def _as_anchor(self, remembered: bytes | None) -> TrustedRoot | None:
        if remembered is None:
            return None
        try:
            return check_root(read_root(remembered), self._gun, self._at, expiry_counts=False)
        except MetadataError as error:
            raise UntrustedRoot(
                f"The root remembered for {self._gun} does not hold. {error.message}",
                next_step="Compare the root key's fingerprint with its owner, then let this client forget the root.",
                gun=self._gun,
            ) from error

    def _unexpired_anchor(self) -> TrustedRoot | None:
        if self.anchor is None:
            return None
        try:
            return self._checked(self.anchor, self.anchor.root)
        except MetadataError:
            return None  # expired, or not a pinned one: only a successor will do

    def _accepted(self, data: bytes) -> TrustedRoot:
        offered = read_root(data)
        if self.anchor is None:
            return self._checked(offered, None)
        known = self.anchor.root
        self._require_not_older(offered, self.anchor)
        try:
            return self._checked(offered, known)
        except UntrustedRoot:
            if offered.root.version <= known.version + 1:
                raise
        return self._checked(offered, self._stepped_up(known, offered.root.version))

    def _require_not_older(self, offered: TrustedRoot, known: TrustedRoot) -> None:
        """Name what was seen before: an ancestor of the known root, or another file in its place.

        A root by other keys is neither: it was replaced, which is worse, and has its own name.
        """
        version, seen = offered.root.version, known.root.version
        own_ancestor = known.root.keys.keys() >= set(offered.root.roles[roles.ROOT].keyids)
        if version < seen and own_ancestor:
            raise Rollback(f"The server shows version {version} of the root of {self._gun}; {seen} was seen before.")
        if version == seen and offered.envelope.raw != known.envelope.raw:
            require_signed_by(known.root, offered, self._gun)
            raise Rollback(
                f"The server shows another version {seen} of the root of {self._gun} than the one seen before."
            )

    def _stepped_up(self, known: Root, newest: int) -> Root:
        """Follow the roots between the anchor and the newest: each is signed by its predecessor's keys."""
        if newest - known.version > MOST_ROOTS_BEHIND:
            raise UntrustedRoot(
                f"The server claims version {newest} of the root of {self._gun}; {known.version} was seen before.",
                gun=self._gun,
            )
        for version in range(known.version + 1, newest):
            data = self._get(f"{version}.root.json", LARGEST_ROOT)
            if data is None:
                raise UntrustedRoot(
                    f"The server does not show version {version} of the root of {self._gun}: the newest hangs on it.",
                    gun=self._gun,
                )
            between = read_root(data)
            if between.root.version != version:
                raise UntrustedRoot(f"Asked for version {version} of the root of {self._gun}, the server gave another.")
            known = check_root(between, self._gun, self._at, previous=known, expiry_counts=False).root
        return known

    def _checked(self, offered: TrustedRoot, previous: Root | None) -> TrustedRoot:
        self.anchor = check_root(offered, self._gun, self._at, previous=previous, pinning=self._pinning)
        return self.anchor

    def _get(self, name: str, limit: int) -> bytes | None:
        return self._transport.get(self._gun, name, limit)
