"""Edits of a repository, in the form notary's changelist files have (reference 4.5).

A change says what shall be true, not which bytes to write, so it can be applied again when somebody else published
first.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from signing.trust.errors import MalformedMetadata
from signing.trust.tuf import canonical
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Target

Action = Literal["create", "update", "delete"]
Kind = Literal["target", "delegation", "witness", "clear"]
STAGED_KINDS = ("target", "delegation", "witness")
"""The kinds that changelist files hold; `clear` is not among notary's."""

EVERY_DELEGATION = "targets/*"
"""The role of a change that takes keys out of every delegation, as `notary delegation purge` stages it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One edit: `role` is the file or the delegation it is about, `path` the name of a target and empty otherwise."""

    action: Action
    role: str
    kind: Kind
    path: str = ""
    data: Any = None

    @classmethod
    def set_target(cls, role: str, target: Target) -> Change:
        """Say that `role` holds `target`."""
        return cls("create", role, "target", target.name, target.to_json())

    @classmethod
    def remove_target(cls, role: str, name: str) -> Change:
        """Say that `role` holds no target of that name."""
        return cls("delete", role, "target", name)

    @classmethod
    def add_delegation(cls, role: str, keys: Sequence[PublicKey], paths: Sequence[str], threshold: int = 1) -> Change:
        """Say that the delegation exists and has at least these keys and path prefixes.

        The threshold is for a new one; that of an existing one stays, as in Notary.
        """
        return cls("create", role, "delegation", "", _content(threshold, add_keys=_listed(keys), add_paths=list(paths)))

    @classmethod
    def edit_delegation(
        cls,
        role: str,
        *,
        remove_keys: Sequence[str] = (),
        remove_paths: Sequence[str] = (),
        clear_paths: bool = False,
        threshold: int = 0,
    ) -> Change:
        """Say that the delegation lacks these keys, by canonical id, and paths, and has this threshold unless 0.

        notary itself does not change the threshold of an existing delegation.
        """
        parts: dict[str, Any] = {"remove_keys": list(remove_keys), "remove_paths": list(remove_paths)}
        return cls("update", role, "delegation", "", _content(threshold, **parts, clear_paths=clear_paths))

    @classmethod
    def remove_delegation(cls, role: str) -> Change:
        """Say that there is no such delegation."""
        return cls("delete", role, "delegation")

    @classmethod
    def purge(cls, key_ids: Sequence[str]) -> Change:
        """Say that no delegation has these keys, by canonical id."""
        return cls("update", EVERY_DELEGATION, "delegation", "", _content(remove_keys=list(key_ids)))

    @classmethod
    def witness(cls, role: str) -> Change:
        """Say that the file of `role` is signed anew though it does not change."""
        return cls("update", role, "witness")

    @classmethod
    def clear(cls, role: str) -> Change:
        """Say that the file of `role` is empty, whatever it held and whether it counted."""
        return cls("update", role, "clear")

    @property
    def target(self) -> Target:
        """The target that a change of kind `target` sets."""
        return Target.from_json(self.path, self.data)

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys a change of kind `delegation` adds."""
        return tuple(PublicKey.from_json(item) for item in self._listed("add_keys"))

    @property
    def threshold(self) -> int:
        """The threshold a change of kind `delegation` sets; 0 for none.

        Raises:
            MalformedMetadata: the staged change has something else there.
        """
        threshold = self._delegation.get("threshold") or 0
        if not isinstance(threshold, int) or threshold < 0:
            raise MalformedMetadata("The threshold of a staged delegation is not a number.")
        return threshold

    @property
    def clears_paths(self) -> bool:
        """Whether a change of kind `delegation` takes all paths away first."""
        return bool(self._delegation.get("clear_paths"))

    def texts(self, member: Literal["remove_keys", "add_paths", "remove_paths"]) -> tuple[str, ...]:
        """Give one of the lists of a change of kind `delegation`.

        Raises:
            MalformedMetadata: the staged change has something else there.
        """
        listed = self._listed(member)
        if not all(isinstance(item, str) for item in listed):
            raise MalformedMetadata(f"`{member}` of a staged delegation is not a list of texts.")
        return tuple(listed)

    @property
    def _delegation(self) -> dict[str, Any]:
        if self.data is not None and not isinstance(self.data, dict):
            raise MalformedMetadata("This is not a staged delegation.")
        return self.data or {}

    def _listed(self, member: str) -> list[Any]:
        listed = self._delegation.get(member) or []
        if not isinstance(listed, list):
            raise MalformedMetadata(f"`{member}` of a staged delegation is not a list.")
        return listed

    def to_file(self) -> bytes:
        """Write it as notary's `.change` file."""
        data = None if self.data is None else base64.b64encode(canonical.to_file(self.data)).decode()
        fields = {"action": self.action, "role": self.role, "type": self.kind, "path": self.path, "data": data}
        return b"{" + b",".join(canonical.to_file(k) + b":" + canonical.to_file(v) for k, v in fields.items()) + b"}"

    @classmethod
    def parse(cls, data: bytes) -> Change:
        """Read notary's `.change` file.

        Raises:
            MalformedMetadata: it is not one, or stages something this client does not know.
        """
        fields = canonical.parse(data)
        try:
            action, role, kind, path = (fields[name] for name in ("action", "role", "type", "path"))
            body = fields.get("data")
            content = None if body is None else canonical.parse(base64.b64decode(body, validate=True))
        except (TypeError, KeyError, AttributeError, binascii.Error, ValueError):
            raise MalformedMetadata("This is not a staged change.") from None
        if action not in get_args(Action) or kind not in STAGED_KINDS:
            raise MalformedMetadata(f"A staged change of kind {str(kind)[:40]!r} is not known.")
        return cls(cast(Action, action), str(role), cast(Kind, kind), str(path), content)


def _listed(keys: Sequence[PublicKey]) -> list[dict[str, Any]]:
    return [{"keytype": key["keytype"], "keyval": key["keyval"]} for key in (item.to_json() for item in keys)]


def _content(threshold: int = 0, **parts: Any) -> dict[str, Any]:
    """Leave out what is empty, as Go does."""
    return {name: value for name, value in {"threshold": threshold, **parts}.items() if value}
