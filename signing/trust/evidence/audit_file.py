"""An audit log as one file of JSON lines: a header, the entries, the signed heads, and an end that counts them.

Line forms: `{"audit_log": {"format", "exported_at", "public_key"}}`, `{"entry": {...}}`, `{"head": {...}}` and
`{"end": {"entries", "heads"}}`. A file without its end was cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from signing.trust.errors import DamagedArchive, InvalidInput, InvalidKey
from signing.trust.evidence.audit_log import Entry, Head, entry_from_json
from signing.trust.tuf.keys import PublicKey

FORMAT = "trustui-audit-log/1"
LONGEST_LINE = 1 << 20


def lines(
    exported_at: str, public_key: str, entries: Iterable[Mapping[str, Any]], heads: Iterable[Head]
) -> Iterator[bytes]:
    """Write a log, line by line; `entries` are in the order of the chain, `public_key` is PEM or empty."""
    yield _line("audit_log", {"format": FORMAT, "exported_at": exported_at, "public_key": public_key})
    counted = {"entries": 0, "heads": 0}
    for entry in entries:
        counted["entries"] += 1
        yield _line("entry", entry)
    for head in heads:
        counted["heads"] += 1
        yield _line("head", head.to_json())
    yield _line("end", counted)


@dataclass
class AuditFile:
    """A log that is read entry by entry; `heads` are there once the entries were read to the end."""

    path: Path
    exported_at: str
    public_key: PublicKey | None
    heads: list[Head]
    is_complete: bool = False

    @classmethod
    def open(cls, path: Path) -> AuditFile:
        """Read the header.

        Raises:
            InvalidInput: the file is no audit log.
            DamagedArchive: its public key cannot be read.
        """
        header = next(iter(_values(path)), ("", {}))
        if header[0] != "audit_log" or header[1].get("format") != FORMAT:
            raise InvalidInput(f"{path} is no audit log.", next_step="Name the file that the audit page exported.")
        return cls(path, str(header[1].get("exported_at", "")), _public_key(header[1].get("public_key")), [])

    def entries(self) -> Iterator[Entry]:
        """Read the entries in the file's order.

        Raises:
            DamagedArchive: a line that is none of the file's forms, or a file that was cut off.
        """
        read = 0
        for kind, value in _values(self.path):
            if self.is_complete:
                raise DamagedArchive("Something follows the end of the audit log.")
            if kind == "entry":
                read += 1
                yield entry_from_json(value)
            elif kind == "head":
                self.heads.append(Head.from_json(value))
            elif kind == "end":
                self.is_complete = value == {"entries": read, "heads": len(self.heads)}
        if not self.is_complete:
            raise DamagedArchive(
                "The audit log's file was cut off, or lines were taken out.", next_step="Export it again."
            )


def read_head(path: Path) -> Head:
    """Read a head that was kept in a file of its own.

    Raises:
        InvalidInput: the file holds none.
        DamagedArchive: it cannot be read.
    """
    for kind, value in _values(path):
        if kind == "head":
            return Head.from_json(value)
    raise InvalidInput(f"{path} holds no head of an audit log.")


def head_line(head: Head) -> bytes:
    """Write a head for a file of its own."""
    return _line("head", head.to_json())


def _line(kind: str, value: Mapping[str, Any]) -> bytes:
    return orjson.dumps({kind: value}) + b"\n"


def _values(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            try:
                [(kind, value)] = orjson.loads(line).items()
            except (ValueError, AttributeError):
                kind, value = "", None
            if kind not in ("audit_log", "entry", "head", "end") or not isinstance(value, dict):
                raise DamagedArchive(f"Line {number} of {path} is none of an audit log.")
            yield kind, value


def _public_key(text: object) -> PublicKey | None:
    if not text:
        return None
    try:
        return PublicKey.from_pem(str(text))
    except InvalidKey:
        raise DamagedArchive("The public key in the audit log cannot be read.") from None
