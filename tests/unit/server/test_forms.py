"""Versions as they lie in the database: exact when read, small when many."""

from __future__ import annotations

import hashlib
import random

import pytest

from signing.server import delta, forms
from signing.server.forms import Base, DamagedFile, Form
from signing.trust.tuf.metadata import Target
from tests.unit.trust.notary.publisher import Publisher

ALPHABETS = (b"ab", b"},ab", bytes(range(256)))


def tags(count: int) -> dict[str, Target]:
    digests = {f"1.{number}": hashlib.sha256(b"%d" % number).hexdigest() for number in range(count)}
    return {name: Target.from_digest(name, digest, 528) for name, digest in digests.items()}


@pytest.mark.parametrize("seed", range(20))
def test_any_two_texts_have_a_delta(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(50):
        alphabet = chance.choice(ALPHABETS)
        base = bytes(chance.choices(alphabet, k=chance.randrange(400)))
        changed = bytearray(base)
        for _ in range(chance.randrange(6)):
            at = chance.randrange(len(changed) + 1)
            changed[at : at + chance.randrange(9)] = chance.choices(alphabet, k=chance.randrange(40))
        assert delta.decode(delta.encode(bytes(changed), base), base) == changed


@pytest.mark.parametrize("count", [1, 50, 3000])
def test_one_more_tag_is_a_small_delta(count: int) -> None:
    owner = Publisher()
    before, after = (owner.tags(version=number, targets=tags(count + number)) for number in (1, 2))
    assert len(delta.encode(after, before)) < 300


def test_a_damaged_delta_says_so() -> None:
    base = b'{"a":{},"b":{}}' * 20
    good = delta.encode(base + b"more", base)
    for bad in (b"", good[:-1], good[:5], b"\x00" * 20, b"x" + good):
        with pytest.raises(delta.DamagedDelta):
            delta.decode(bad, base)


def written(versions: list[bytes]) -> list[tuple[forms.Written, Base]]:
    rows: list[tuple[forms.Written, Base]] = []
    base: Base | None = None
    for version, data in enumerate(versions, 1):
        row = forms.write(data, version, base)
        if row.form != Form.DELTA or base is None:
            base = Base(version, data, len(row.data))
        rows.append((row, base))
    return rows


def test_every_version_is_read_as_it_was_written() -> None:
    owner = Publisher()
    versions = [owner.tags(version=number, targets=tags(number)) for number in range(1, 120)]
    rows = written(versions)
    for (row, base), data in zip(rows, versions, strict=True):
        digest = hashlib.sha256(data).hexdigest()
        assert forms.read(row.form, row.data, base.data, digest) == data
    assert sum(len(row.data) for row, _ in rows) < sum(map(len, versions)) / 8
    assert len({base.version for _, base in rows}) > 1, "deltas do not grow for ever"


def test_what_cannot_be_shortened_is_kept_plain() -> None:
    data = hashlib.sha512(b"x").digest()
    assert forms.write(data, 1, None) == (Form.PLAIN, None, data)
    assert forms.write(data, 2, Base(1, b"something else", 14)) == (Form.PLAIN, None, data)


@pytest.mark.parametrize("form", list(Form))
def test_other_bytes_than_were_written_are_never_given(form: Form) -> None:
    base = Base(1, b'{"signed":{"version":1}}' * 50, 40)
    data = base.data + b"more"
    row = {
        Form.PLAIN: data,
        Form.PACKED: forms.write(data, 2, None).data,
        Form.DELTA: forms.write(data, 2, base).data,
    }[form]
    digest = hashlib.sha256(data).hexdigest()
    assert forms.read(form, row, base.data, digest) == data
    for bad_row, bad_base, bad_digest in (
        (row[:-1] + b"!", base.data, digest),
        (row, base.data, "0" * 64),
        (row, base.data.replace(b"1", b"2"), digest if form == Form.DELTA else "0" * 64),
        (row, None, digest if form == Form.DELTA else "0" * 64),
    ):
        with pytest.raises(DamagedFile):
            forms.read(form, bad_row, bad_base, bad_digest)
