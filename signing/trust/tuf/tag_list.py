"""Lists of targets as docker and notary write them, read in one sweep and kept as columns (reference 2.5).

A role of 10,000 tags is a megabyte that has to be read on every change, and again for every signer's role, whose list
is mostly the same. What is written in any other form is left to the reader of any JSON.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from operator import lt
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary, ref

if TYPE_CHECKING:
    from signing.trust.tuf.metadata import Target

# The form of an entry; that its texts are plain is seen from all of them together, in a fraction of the time.
_SHA256, _SHA512 = r'"sha256":"(.{43})="', r'"sha512":"(.{86})=="'
_BY_DOCKER = re.compile(rf'"([^"]+)":{{"hashes":{{{_SHA256}}},"length":([0-9]{{1,15}})}},', re.DOTALL)
_BY_NOTARY = re.compile(rf'"([^"]+)":{{"hashes":{{{_SHA256},{_SHA512}}},"length":([0-9]{{1,15}})}},', re.DOTALL)
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PLAIN_NAME = re.compile(r"[ !#-\[\]-~]+")
_TOO_LONG = 10**15
_DOCKER_ENTRY = '"%s":{"hashes":{"sha256":"%s="},"length":%s}'
_NOTARY_ENTRY = '"%s":{"hashes":{"sha256":"%s=","sha512":"%s=="},"length":%s}'
_ENTRY_BEGIN = b'"%s":{"hashes":{'
_ESCAPED = (b"<", b">", b"&")
_HEX = 64
_LONGEST_BEGIN = 512


class TagList(Mapping[str, "Target"]):
    """The targets of one file by name; each becomes an object only when it is asked for.

    `names` ascend by their bytes, `digests` are the SHA-256 of the same places in lower-case hex. Nobody changes it, so
    two files with the same list share it.
    """

    def __init__(self, names: list[str], sha256: list[str], sha512: list[str] | None, lengths: list[str]) -> None:
        self.names = names
        self._sha256 = sha256
        self._sha512 = sha512
        self.length_texts = lengths
        self._source: tuple[bytes, int, int] | None = None
        self._made: dict[str, Target] | None = None
        self._added: Target | None = None
        self._next: ref[TagList] | None = None
        self._origin: _Origin | None = None

    @cached_property
    def digests(self) -> list[str]:
        """The SHA-256 of each target in hex."""
        # An A where the padding was makes 33 whole bytes of each, so that one call reads them all.
        hexed = a2b_base64("A".join(self._sha256) + "A").hex()
        return [hexed[at : at + _HEX] for at in range(0, len(hexed), _HEX + 2)]

    @cached_property
    def lengths(self) -> list[int]:
        """The length of each target."""
        return list(map(int, self.length_texts))

    def digest(self, name: str) -> str | None:
        """Give the SHA-256 of a name in hex, None where it is not in the list."""
        at = self._places.get(name)
        return None if at is None else self.digests[at]

    def is_read_from(self, data: bytes, start: int, end: int) -> bool:
        """Tell whether the list would be the same, read from there."""
        if self._source is None:
            return False
        known, known_start, known_end = self._source
        return known[known_start:known_end] == data[start:end]

    def with_target(self, target: Target) -> TagList | None:
        """Give the list with this target in it, the same one to all who ask; None where that has no plain form."""
        known = None if self._next is None else self._next()
        if known is not None and known._added == target:
            return known
        has_sha512 = self._sha512 is not None
        if target.custom is not None or target.hashes.keys() != ({"sha256", "sha512"} if has_sha512 else {"sha256"}):
            return None
        if _PLAIN_NAME.fullmatch(target.name) is None or not 0 <= target.length < _TOO_LONG:
            return None
        sha512 = b2a_base64(target.hashes["sha512"], newline=False).decode()[:-2] if has_sha512 else ""
        sha256 = b2a_base64(target.hashes["sha256"], newline=False).decode()[:-1]
        at = bisect_left(self.names, target.name)
        end = at + (target.name in self)
        edited = self._replaced(at, end, [target.name], [sha256], [sha512], [str(target.length)])
        edited._added = target
        self._next = ref(edited)
        return edited

    def without_target(self, name: str) -> TagList | None:
        """Give the list without a target it has; None where nothing would be left."""
        at = bisect_left(self.names, name)
        return None if len(self.names) == 1 else self._replaced(at, at + 1, [], [], [], [])

    def _replaced(
        self, at: int, end: int, name: list[str], sha256: list[str], sha512: list[str], length: list[str]
    ) -> TagList:
        """Give the list with these entries, none or one, in place of those from `at` to `end`."""
        replaced = TagList(
            [*self.names[:at], *name, *self.names[end:]],
            [*self._sha256[:at], *sha256, *self._sha256[end:]],
            None if self._sha512 is None else [*self._sha512[:at], *sha512, *self._sha512[end:]],
            [*self.length_texts[:at], *length, *self.length_texts[end:]],
        )
        if self._source is not None:
            replaced._origin = _Origin(self, at, at + len(name), end)
        return replaced

    def names_unlike(self, other: TagList) -> set[str]:
        """Give the names whose entries are not the same text in both lists; what is equal at both ends is not read."""
        mine, theirs = list(self._rows()), list(other._rows())
        begin = _common(mine, theirs)
        mine, theirs = mine[begin:], theirs[begin:]
        end = _common(mine[::-1], theirs[::-1])
        return {row[0] for row in set(mine[: len(mine) - end]) ^ set(theirs[: len(theirs) - end])}

    def _rows(self) -> Iterator[tuple[str, ...]]:
        if self._sha512 is None:
            return zip(self.names, self._sha256, self.length_texts, strict=True)
        return zip(self.names, self._sha256, self._sha512, self.length_texts, strict=True)

    def members(self) -> bytes | None:
        """Give the entries as a file has them between its braces; None if a file has to escape what is signed."""
        if self._source is None:
            written = self._written(0, len(self.names)) if self._origin is None else self._spliced(self._origin)
            self._source, self._origin = (written, 0, len(written)), None
            _alive[_fingerprint(*self._source)] = self
        data, start, end = self._source
        members = data[start:end]
        return None if any(special in members for special in _ESCAPED) else members

    def _written(self, begin: int, end: int) -> bytes:
        entry = _DOCKER_ENTRY if self._sha512 is None else _NOTARY_ENTRY
        return ",".join(map(entry.__mod__, islice(self._rows(), begin, end))).encode()

    def _spliced(self, origin: _Origin) -> bytes:
        """Put the entries that differ between those of the list this one was made from."""
        data, begin, end = origin.base._source or (b"", 0, 0)
        before = data[begin : max(begin, origin.base._begin_of(origin.at) - 1)]
        after = data[origin.base._begin_of(origin.base_end) : end]
        return b",".join(filter(None, (before, self._written(origin.at, origin.end), after)))

    def _begin_of(self, at: int) -> int:
        """Tell where an entry begins in what the list was read from; one after the last would follow a comma."""
        data, begin, end = self._source or (b"", 0, 0)
        return end + 1 if at == len(self.names) else data.index(_ENTRY_BEGIN % self.names[at].encode(), begin, end)

    def to_json(self) -> dict[str, Any]:
        """Give the entries as a targets file holds them."""
        if self._sha512 is None:
            columns = zip(self.names, self._sha256, self.lengths, strict=True)
            return {name: {"hashes": {"sha256": one + "="}, "length": length} for name, one, length in columns}
        both = zip(self.names, self._sha256, self._sha512, self.lengths, strict=True)
        return {
            name: {"hashes": {"sha256": one + "=", "sha512": other + "=="}, "length": length}
            for name, one, other, length in both
        }

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, TagList):
            return super().__eq__(other)
        return (
            self.names == other.names
            and self.lengths == other.lengths
            and self.digests == other.digests
            and self._decoded_sha512() == other._decoded_sha512()
        )

    def _decoded_sha512(self) -> list[bytes] | None:
        return None if self._sha512 is None else [a2b_base64(item + "==") for item in self._sha512]

    __hash__ = None  # type: ignore[assignment]  # a mapping, as dict

    def __getitem__(self, name: str) -> Target:
        if self._made is not None:
            return self._made[name]
        at = self._place(name)
        if at is None:
            raise KeyError(name)
        return self._target(at)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._place(name) is not None

    def __iter__(self) -> Iterator[str]:
        if self._made is None:  # who walks through the names asks for every target next
            self._made = {name: self._target(at) for at, name in enumerate(self.names)}
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def _place(self, name: str) -> int | None:
        at = bisect_left(self.names, name)
        return at if at < len(self.names) and self.names[at] == name else None

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: at for at, name in enumerate(self.names)}

    def _target(self, at: int) -> Target:
        from signing.trust.tuf.metadata import Target  # that module reads these lists

        hashes = {"sha256": a2b_base64(self._sha256[at] + "=")}
        if self._sha512 is not None:
            hashes["sha512"] = a2b_base64(self._sha512[at] + "==")
        return Target(self.names[at], int(self.length_texts[at]), hashes)


class _Origin(NamedTuple):
    """How a list was made: what stands from `at` to `end` replaces what stood from `at` to `base_end` of another."""

    base: TagList
    at: int
    end: int
    base_end: int


def read_tags(data: bytes, start: int, end: int) -> TagList | None:
    """Read the members of an object of targets, without its braces; None unless all of it has the plain form.

    The plain form: entries of a SHA-256 and a length as docker writes them, or with a SHA-512 each as notary does,
    separated by single commas, with names of printable ASCII without escapes, each greater than the one before. So it
    is canonical JSON, and no name is in it twice.
    """
    fingerprint = _fingerprint(data, start, end)
    known = _alive.get(fingerprint)
    if known is not None and known.is_read_from(data, start, end):
        return known
    found = _read(data[start:end])
    if found is not None:
        found._source = (data, start, end)
        _alive[fingerprint] = found
    return found


def _fingerprint(data: bytes, start: int, end: int) -> tuple[int, bytes, bytes]:
    return end - start, data[start : start + _HEX], data[end - _HEX : end]


_alive: WeakValueDictionary[tuple[int, bytes, bytes], TagList] = WeakValueDictionary()
"""Lists somebody holds, so that an equal one is not read again."""


def _read(members: bytes) -> TagList | None:
    try:
        text = members.decode("ascii") + ","
    except UnicodeDecodeError:
        return None
    by_notary = ',"sha512":"' in text[:_LONGEST_BEGIN]
    # What is between two entries comes back as well: nothing is, if the list has the form.
    pieces = (_BY_NOTARY if by_notary else _BY_DOCKER).split(text)
    columns = 5 if by_notary else 4
    names, sha256, lengths = pieces[1::columns], pieces[2::columns], pieces[columns - 1 :: columns]
    sha512 = pieces[3::columns] if by_notary else None
    if any(pieces[::columns]) or not all(map(lt, names, islice(names, 1, None))):
        return None
    if not (_are_plain_names(names) and _are_base64(sha256) and _are_base64(sha512 or ()) and _are_integers(lengths)):
        return None
    return TagList(names, sha256, sha512, lengths)


def _are_plain_names(names: Iterable[str]) -> bool:
    together = "".join(names)
    return together.isascii() and together.isprintable() and '"' not in together and "\\" not in together


def _are_base64(hashes: Iterable[str]) -> bool:
    return not "".join(hashes).encode().translate(None, _BASE64)


def _are_integers(lengths: Iterable[str]) -> bool:
    return not any(length.startswith("0") and length != "0" for length in set(lengths))


def _common(first: list[tuple[str, ...]], second: list[tuple[str, ...]]) -> int:
    """Tell how many rows two lists have in common at the beginning."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
