"""A few seconds of `make fuzz`, and that the fuzzer notices what it is for."""

from __future__ import annotations

import random

import pytest

from tests.fuzz import __main__ as fuzzer
from tests.fuzz.mutations import MUTATIONS, mutated
from tests.fuzz.readers import Reader, WrongAccept, read_change, readers

DOCUMENTS = 3000


def test_damaged_documents_do_no_harm() -> None:
    counts = fuzzer.fuzz(DOCUMENTS, seed=20261124)
    assert counts["refused"] + counts["read"] == DOCUMENTS
    assert counts["read"], "some damage changes nothing that counts"


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_every_document_reads_as_it_is(reader: Reader) -> None:
    reader.read(reader.document)


def _crash(_: bytes) -> None:
    raise KeyError("crash")


def _accept(_: bytes) -> None:
    raise WrongAccept("fooled")


def _hang(_: bytes) -> None:
    while True:
        pass


@pytest.mark.parametrize("harm", [_crash, _accept, _hang])
def test_harm_is_found(harm: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzer, "readers", lambda: [Reader("victim", b"x", harm)])  # type: ignore[arg-type]
    monkeypatch.setattr(fuzzer, "LONGEST", 0.05)
    with pytest.raises(fuzzer.Finding, match="victim"):
        fuzzer.fuzz(3, seed=1)


def test_a_run_is_told_by_its_seed() -> None:
    documents = [reader.document for reader in readers() if reader.read is read_change]
    one, other = ([mutated(documents[0], documents, random.Random(7)) for _ in range(20)] for _ in range(2))
    assert one == other


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_any_document_can_be_damaged(mutation: object) -> None:
    for document in (b"", b"{}", b"[]", b"x", b'{"a":[1,{"b":2}]}'):
        for seed in range(20):
            assert isinstance(mutation(document, [b"", b"{}"], random.Random(seed)), bytes)  # type: ignore[operator]
