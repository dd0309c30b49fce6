"""Whatever is in an archive, judging it ends with a verdict, and a changed file is never taken for the true one."""

from __future__ import annotations

import random

from signing.trust.evidence.history import History, judge
from signing.trust.evidence.manifest import Record, StoredFile
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.shelf import FolderShelf, describe
from signing.trust.notary.gun import Gun
from tests.simulator import GUN, NOON, Owner
from tests.unit.trust.evidence.conftest import SERVER, Keeper, digest

ROUNDS = 300
MARKS = b'{}[]",:0\\\x00\xff\n'


def mutated(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    kind = chance.randrange(4)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + bytes([chance.choice(MARKS)]) + data[at:]
    if kind == 2:
        return data[:at] + data[at + chance.randrange(1, 40) :]
    return data[:at] + data[at : at + chance.randrange(1, 200)] + data[at:]


def test_no_mutation_is_proven_and_none_crashes(owner: Owner, keeper: Keeper) -> None:
    owner.add_signer("alice")
    owner.sign("v1", digest("one"), "alice")
    owner.publish({"root": owner.rotate_root()})
    owner.sign("v1", digest("two"), "alice")
    keeper.take()
    shelf = FolderShelf(keeper.folder / "parts", Gun(GUN))
    true = {file: shelf.read(file) for file in sorted(shelf.files())}
    true_periods = {(p.tag, p.digest, p.signer) for p in judged(true).periods}
    chance = random.Random(20261124)

    for _ in range(ROUNDS):
        files = dict(true)
        victim = chance.choice(sorted(true))
        data = mutated(files.pop(victim), chance)
        files[describe(victim.role, data)] = data
        history = judged(files)
        assert {(p.tag, p.digest, p.signer) for p in history.periods} <= true_periods
        if victim.role != "timestamp":  # no hash is on a timestamp: spaces between its words change nothing
            assert not history.is_proven, victim


def judged(files: dict[StoredFile, bytes]) -> History:
    record = Record(frozenset(files), server=SERVER, taken=NOON)
    return judge(Gun(GUN), record, lambda file: files[file], RootPins())
