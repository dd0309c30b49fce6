"""The catalogue of causes (product row V6): each has a plain sentence and a next step of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from signing.trust import errors
from signing.trust.errors import TrustError
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import client
from signing.trust.notary.pinning import Pinning
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import FileMeta
from tests.simulator import GUN, Clock, Owner, Simulator, signed_as, signed_by
from tests.unit.trust.notary.conftest import Reader, digest


class World:
    def __init__(self) -> None:
        client.resident.clear()
        self.clock = Clock()
        self.server = Simulator(self.clock)
        self.owner = Owner(self.server, self.clock).initialise()
        self.owner.add_signer("alice")
        self.owner.sign("v1", digest("one"), "alice")
        self.reader = Reader(self.server, self.clock)
        self.pinning = Pinning()

    def read(self) -> None:
        trusted = self.reader.refresh(pinning=self.pinning, must_reach_server=True)
        for error in trusted.left_out.values():
            raise error
        trusted.find_released("v1")

    def lie(self, role: str, change: Callable[[bytes], bytes | None]) -> None:
        truth = self.server.said(GUN, role)
        name = f"{role}.json" if role in ("root", "timestamp") else f"{role}.{FileMeta.of(truth).sha256}.json"
        self.server.lies[name] = change(truth)


def _expired(role: str) -> Callable[[World], None]:
    def spoil(world: World) -> None:
        past = world.clock() - timedelta(seconds=1)
        if role == roles.ROOT:
            world.owner.root = replace(world.owner.root, version=2, expires=past)
            world.owner.put({roles.ROOT: world.owner.signed_root()})
        elif role == roles.TIMESTAMP:
            world.server.put_timestamp(GUN, lambda made: replace(made, expires=past))
            world.server.lies["timestamp.json"] = world.server.said(GUN, role)
        else:
            world.owner.put({role: world.owner.next_file(role, expires=past)})

    return spoil


def _rolled_back(world: World) -> None:
    before = world.server.state()
    world.owner.sign("v2", digest("two"), "alice")
    world.reader.refresh()
    world.server.restore(before)


def _replaced_root(world: World) -> None:
    world.reader.refresh()
    world.server.delete(GUN)
    Owner(world.server, world.clock).initialise()


def _other_root_key(world: World) -> None:
    world.pinning = Pinning({GUN: frozenset({"0" * 64})})


def _no_pin(world: World) -> None:
    world.pinning = Pinning(allows_first_use=False)


def _foreign_repository(world: World) -> None:
    other = Owner(world.server, world.clock, gun="registry.example/team/other").initialise()
    world.server.files[GUN], world.server.current[GUN] = (
        world.server.files[other.gun],
        world.server.current[other.gun],
    )


def _by_stranger(role: str) -> Callable[[World], None]:
    return lambda world: world.owner.put(
        {role: signed_by(replace(world.owner.file(role), version=9), PrivateKey.generate())}
    )


def _foreign_id(world: World) -> None:
    thief, file = PrivateKey.generate(), world.owner.files[roles.TARGETS]
    alice = world.owner.signer_keys["alice"].key_id
    world.owner.put({roles.TARGETS: world.owner.next_file(roles.TARGETS, keys={**file.keys, alice: thief.public})})
    forged = signed_as(replace(world.owner.files["targets/alice"], version=9), (alice, thief))
    world.owner.put({"targets/alice": forged})


def _two_needed(world: World) -> None:
    file = world.owner.files[roles.TARGETS]
    strict = tuple(replace(item, threshold=2) for item in file.delegations)
    world.owner.put({roles.TARGETS: world.owner.next_file(roles.TARGETS, delegations=strict)})


def _unsigned_tag(world: World) -> None:
    world.owner.publish({roles.RELEASES: world.owner.next_file(roles.RELEASES, targets={})})


def _fault(error: TrustError) -> Callable[[World], None]:
    def spoil(world: World) -> None:
        world.server.fault = error

    return spoil


CAUSES: dict[str, tuple[Callable[[World], object], type[TrustError], str]] = {
    "the repository was never initialised": (lambda w: w.server.delete(GUN), errors.NoTrustData, "has no trust data"),
    "the tag is not signed": (_unsigned_tag, errors.NoSuchTarget, r"alice signed it, but it was not released"),
    "the root expired": (_expired(roles.ROOT), errors.ExpiredMetadata, r"The root of .* expired on \d"),
    "targets expired": (_expired(roles.TARGETS), errors.ExpiredMetadata, r"targets expired on \d"),
    "the timestamp expired": (_expired(roles.TIMESTAMP), errors.ExpiredMetadata, r"timestamp expired on \d"),
    "a signer's file expired": (_expired("targets/alice"), errors.ExpiredMetadata, r"targets/alice expired"),
    "releases expired": (_expired(roles.RELEASES), errors.ExpiredMetadata, r"targets/releases expired"),
    "older data than before": (_rolled_back, errors.Rollback, r"shows version \d+ of \w+; version \d+ was seen"),
    "the root was replaced": (_replaced_root, errors.UntrustedRoot, r"Before: [0-9a-f]{16}; now: [0-9a-f]{16}"),
    "the root is not the pinned one": (_other_root_key, errors.UntrustedRoot, "is a pinned one"),
    "no root is pinned": (_no_pin, errors.UntrustedRoot, "No root is pinned"),
    "the root is another repository's": (_foreign_repository, errors.UntrustedRoot, "is for 'registry.example/team/o"),
    "targets by a stranger": (_by_stranger(roles.TARGETS), errors.UnmetThreshold, "threshold for targets: 0 of 1"),
    "releases by a stranger": (_by_stranger(roles.RELEASES), errors.UnmetThreshold, "targets/releases: 0 of 1"),
    "too few signatures": (_two_needed, errors.UnmetThreshold, "1 of 2"),
    "a key under a foreign id": (_foreign_id, errors.KeyIdMismatch, "an id that is not its own"),
    "other bytes": (
        lambda w: w.lie(roles.TARGETS, lambda data: data.replace(b"1", b"2")),
        errors.HashMismatch,
        "is not the one promised",
    ),
    "a file cut short": (
        lambda w: w.lie(roles.TARGETS, lambda data: data[:-1]),
        errors.LengthMismatch,
        "were promised",
    ),
    "a file that grew": (lambda w: w.lie(roles.TARGETS, lambda data: data + b" "), errors.LengthMismatch, "longer"),
    "a file that is missing": (lambda w: w.lie(roles.TARGETS, lambda _: None), errors.BadResponse, "does not have the"),
    "a page in place of a file": (
        lambda w: w.lie(roles.TIMESTAMP, lambda _: b"{<html>"),
        errors.MalformedMetadata,
        "not valid JSON",
    ),
    "a member named twice": (
        lambda w: w.lie(roles.TIMESTAMP, lambda data: data.replace(b'"version"', b'"version":1,"version"')),
        errors.MalformedMetadata,
        "twice",
    ),
    "the server does not answer": (
        _fault(errors.ServerUnreachable("h cannot be reached.")),
        errors.ServerUnreachable,
        "",
    ),
    "the server wants a login": (_fault(errors.NotAuthorised("h does not allow this.")), errors.NotAuthorised, ""),
    "the server is none": (_fault(errors.BadResponse("h gave something else.")), errors.BadResponse, ""),
}


@pytest.mark.parametrize("cause", CAUSES)
def test_a_cause_has_its_sentence_and_its_next_step(cause: str) -> None:
    spoil, kind, words = CAUSES[cause]
    world = World()
    spoil(world)
    with pytest.raises(kind) as caught:
        world.read()
    error = caught.value
    assert type(error) is kind
    assert re.search(words, error.message)
    assert re.fullmatch(r"[^\n\x00-\x1f]{10,400}\.", error.message), "one sentence or two, fit for a terminal"
    assert re.fullmatch(r"[A-Z][^\n]{10,200}\.", error.next_step), "and what to do"
    assert error.code == re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def test_the_catalogue_is_long_enough() -> None:
    assert len(CAUSES) >= 25
