"""Staged edits of a repository, in the form notary's changelist files have.

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
Kind = Literal["target", "delegation", "witness"]


@dataclass(frozen=True, slots=True)
class Change:
    """One staged edit: `role` is the file it edits, `path` the name of a target and empty otherwise."""

    action: Action
    role: str
    kind: Kind
    path: str = ""
    data: Any = None

    @classmethod
    def set_target(cls, role: str, target: Target) -> Change:
        """Stage that `role` holds `target`."""
        return cls("create", role, "target", target.name, target.to_json())

    @classmethod
    def add_delegation(cls, role: str, keys: Sequence[PublicKey], paths: Sequence[str]) -> Change:
        """Stage that the delegation `role` exists and has at least these keys and path prefixes."""
        added = [{"keytype": key["keytype"], "keyval": key["keyval"]} for key in (item.to_json() for item in keys)]
        return cls("create", role, "delegation", "", {"threshold": 1, "add_keys": added, "add_paths": list(paths)})

    @property
    def target(self) -> Target:
        """The target a change of kind `target` carries."""
        return Target.from_json(self.path, self.data)

    @property
    def keys(self) -> tuple[PublicKey, ...]:
        """The keys a change of kind `delegation` adds."""
        return tuple(PublicKey.from_json(item) for item in self.data.get("add_keys") or ())

    @property
    def paths(self) -> tuple[str, ...]:
        """The path prefixes a change of kind `delegation` adds."""
        return tuple(self.data.get("add_paths") or ())

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
        except (TypeError, KeyError, binascii.Error, ValueError):
            raise MalformedMetadata("This is not a staged change.") from None
        if action not in get_args(Action) or kind not in get_args(Kind):
            raise MalformedMetadata(f"A staged change of kind {str(kind)[:40]!r} is not known.")
        return cls(cast(Action, action), str(role), cast(Kind, kind), str(path), content)
