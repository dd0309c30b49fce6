"""One key is replaced wherever it counts, in one publish; whatever is accepted leaves every role signable."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing.trust.errors import CannotSign, KeyNotHeld, NotConfirmed, TrustError
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import root_certificate
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.replacing import uses_of, verifies
from signing.trust.notary.repository import Repository
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Delegation, RoleKeys, Root, Target, Targets
from tests.memory_keystore import MemoryKeyStore
from tests.simulator import GUN, Clock, Owner, Simulator, signed_as, signed_by
from tests.unit.trust.notary.conftest import Reader, digest
from tests.unit.trust.notary.people import Person

NEW = PrivateKey.generate()


@pytest.fixture
def lead(simulator: Simulator, clock: Clock, owner: Owner) -> Person:
    """Who holds the repository's keys and the new one, and no signer's."""
    lead = Person(simulator, clock).holding(owner, "root", "targets")
    lead.keep(NEW, "alice")
    return lead


def test_a_signers_key_is_replaced_in_one_publish(lead: Person, owner: Owner, reader: Reader) -> None:
    before, old = reader.refresh(), owner.signer_keys["alice"].key_id
    assert verifies(before, old) == ["targets/alice", roles.RELEASES]
    published = lead.repository().replace_key(old, NEW.public)
    after = reader.refresh()
    assert published.versions == {
        name: before.files()[name].version + 1 for name in (roles.TARGETS, "targets/alice", roles.RELEASES)
    }
    assert [(row.tag, row.digest_hex, row.signers) for row in after.released()] == [
        (row.tag, row.digest_hex, row.signers) for row in before.released()
    ]
    assert uses_of(after, old) == []
    assert [use.role for use in uses_of(after, NEW.key_id)] == ["targets/alice", roles.RELEASES]
    assert dict(after.signers())["bob"] == dict(before.signers())["bob"]


def test_a_second_run_changes_nothing(lead: Person, owner: Owner, simulator: Simulator) -> None:
    old = owner.signer_keys["alice"].key_id
    lead.repository().replace_key(old, NEW.public)
    sent = len(simulator.posted)
    assert lead.repository().replace_key(old, NEW.public).versions == {}
    assert len(simulator.posted) == sent


def test_the_repository_key_is_replaced_with_its_root(lead: Person, owner: Owner, reader: Reader) -> None:
    old = owner.targets_key.key_id
    published = lead.repository().replace_key(old, NEW.public)
    assert set(published.versions) == {roles.ROOT, roles.TARGETS}
    after = reader.refresh()
    assert verifies(after, old) == []
    assert after.root.roles[roles.TARGETS].keyids == (NEW.key_id,)


def test_a_root_is_signed_by_its_old_and_its_new_key_so_that_old_clients_follow(
    lead: Person, owner: Owner, reader: Reader, newcomer: Reader
) -> None:
    old = owner.root_key.key_id
    lead.repository().replace_key(old, NEW.public)
    assert reader.refresh().root.version == 2, "it knew version 1"
    fresh = newcomer.refresh()
    assert verifies(fresh, old) == []
    assert [key.canonical_id for key in fresh.root.role(roles.ROOT).keys.values()] == [NEW.key_id]
    assert {signature.keyid for signature in fresh.envelopes[roles.ROOT].signatures} > {owner.certificate.key_id}


@pytest.mark.parametrize(("lost", "missing"), [("root", "root"), ("targets", "root")])
def test_what_is_lost_signs_nothing(simulator: Simulator, clock: Clock, owner: Owner, lost: str, missing: str) -> None:
    """A lost root key has no successor; without the root key no repository key has one."""
    person = Person(simulator, clock).holding(owner, "targets")
    person.keep(NEW, "new")
    old = owner.root_key if lost == "root" else owner.targets_key
    with pytest.raises(CannotSign, match=missing):
        person.repository().replace_key(old.key_id, NEW.public)


def test_a_role_with_two_signers_is_not_left_with_one_signature(
    lead: Person, owner: Owner, simulator: Simulator
) -> None:
    """Bob's second signature would go with the file, and bob's key is away."""
    file = owner.file(roles.TARGETS)
    releases = replace(file.delegation(roles.RELEASES), threshold=2)
    others = tuple(releases if item.name == roles.RELEASES else item for item in file.delegations)
    owner.files[roles.TARGETS] = replace(file, delegations=others)
    owner.publish({name: owner.next_file(name) for name in (roles.TARGETS, roles.RELEASES)})
    sent = len(simulator.posted)
    with pytest.raises(NotConfirmed, match="stop verifying"):
        lead.repository().replace_key(owner.signer_keys["alice"].key_id, NEW.public)
    assert len(simulator.posted) == sent


# Any repository and any keys at hand: what is accepted, holds.

POOL = [PrivateKey.generate() for _ in range(5)]
NAMES = ("targets/alice", "targets/bob", roles.RELEASES)
_CLOCK = Clock()
_CERTIFICATES = {key.key_id: root_certificate(key, GUN, _CLOCK()) for key in POOL}

some_keys = st.lists(st.integers(0, len(POOL) - 1), min_size=1, max_size=3, unique=True)


@dataclass(frozen=True)
class Place:
    """The keys of one role, how many have to sign, and how many did."""

    keys: tuple[int, ...]
    threshold: int
    signed: int


@st.composite
def places(draw: st.DrawFn) -> Place:
    keys = draw(some_keys)
    threshold = draw(st.integers(1, len(keys)))
    return Place(tuple(keys), threshold, draw(st.integers(threshold, len(keys))))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[dict[str, Place], int, frozenset[int]]:
    layout = {name: draw(places()) for name in (roles.ROOT, roles.TARGETS, *NAMES)}
    return layout, draw(st.integers(0, len(POOL) - 1)), frozenset(draw(st.lists(st.integers(0, len(POOL) - 1))))


def publish(layout: dict[str, Place]) -> Simulator:
    simulator = Simulator(_CLOCK)
    owner = Owner(simulator, _CLOCK)
    chosen = {name: [POOL[number] for number in place.keys] for name, place in layout.items()}
    certificates = [_CERTIFICATES[key.key_id] for key in chosen[roles.ROOT]]
    listed = {**owner.root.roles}
    listed[roles.ROOT] = RoleKeys(tuple(key.key_id for key in certificates), layout[roles.ROOT].threshold)
    listed[roles.TARGETS] = RoleKeys(
        tuple(key.key_id for key in chosen[roles.TARGETS]), layout[roles.TARGETS].threshold
    )
    server = {keyid: owner.root.keys[keyid] for name in ("snapshot", "timestamp") for keyid in listed[name].keyids}
    named = [*certificates, *(key.public for key in chosen[roles.TARGETS])]
    root = Root(
        version=1,
        expires=owner.root.expires,
        keys={**server, **{key.key_id: key for key in named}},
        roles=listed,
    )
    top = Targets(
        version=1,
        expires=owner.files[roles.TARGETS].expires,
        keys={key.key_id: key.public for name in NAMES for key in chosen[name]},
        delegations=tuple(
            Delegation(name, tuple(key.key_id for key in chosen[name]), layout[name].threshold, ("",)) for name in NAMES
        ),
    )
    files = {
        roles.ROOT: signed_as(root, *((_CERTIFICATES[key.key_id].key_id, key) for key in signers(layout, roles.ROOT))),
        roles.TARGETS: signed_by(top, *signers(layout, roles.TARGETS)),
    }
    for name in NAMES:
        target = Target.from_digest(f"tag-of-{name.rpartition('/')[2]}", digest(name), 500)
        made = Targets(version=1, expires=top.expires, targets={target.name: target})
        files[name] = signed_by(made, *signers(layout, name))
    simulator.post(GUN, {name: file.raw for name, file in files.items()})
    return simulator


def signers(layout: dict[str, Place], name: str) -> list[PrivateKey]:
    return [POOL[number] for number in layout[name].keys[: layout[name].signed]]


def fresh(simulator: Simulator) -> TrustedRepository:
    return refresh(Gun(GUN), simulator, MemoryCache(), now=_CLOCK)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_any_accepted_replacement_leaves_every_role_signable(
    world: tuple[dict[str, Place], int, frozenset[int]],
) -> None:
    layout, number, at_hand = world
    simulator, old = publish(layout), POOL[number]
    before, stored = fresh(simulator), simulator.state()[0]
    store = MemoryKeyStore()
    for held in at_hand:
        store.add(POOL[held], "any")
    store.add(NEW, "new")
    try:
        Repository(Gun(GUN), simulator, MemoryCache(), store, now=_CLOCK).replace_key(old.key_id, NEW.public)
    except (TrustError, KeyNotHeld):
        assert simulator.state()[0] == stored, "what is refused changes nothing"
        return
    after = fresh(simulator)
    assert uses_of(after, old.key_id) == []
    assert [(row.tag, row.digest_hex, row.signers) for row in after.released()] == [
        (row.tag, row.digest_hex, row.signers) for row in before.released()
    ]
    for name in (*roles.BASE_ROLES, *NAMES):
        role = after.role(name)
        assert len({key.canonical_id for key in role.keys.values()}) >= role.threshold
        assert role.threshold == before.role(name).threshold
    for name in (roles.ROOT, *NAMES):
        was = before.root.version if name == roles.ROOT else before.files()[name].version
        now = after.root.version if name == roles.ROOT else after.files()[name].version
        assert now - was in (0, 1), "signed anew once at most"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(worlds())
def test_what_names_a_key_equals_a_search_by_force(world: tuple[dict[str, Place], int, frozenset[int]]) -> None:
    """The search reads the files as text and knows nothing of this module: a key is in the way if its removal shows."""
    layout, number, _ = world
    simulator, key = publish(layout), POOL[number]
    found = {use.role: (use.threshold, use.left, use.signs) for use in uses_of(fresh(simulator), key.key_id)}
    ids = {key.key_id, _CERTIFICATES[key.key_id].key_id}
    files = {name: json.loads(simulator.files[GUN][f"{name}.json"]) for name in (roles.ROOT, roles.TARGETS, *NAMES)}
    listed = {name: (row["keyids"], row["threshold"]) for name, row in files[roles.ROOT]["signed"]["roles"].items()}
    for row in files[roles.TARGETS]["signed"]["delegations"]["roles"]:
        listed[row["name"]] = (row["keyids"], row["threshold"])
    expected = {
        name: (threshold, len(set(keyids) - ids), bool(ids & {s["keyid"] for s in files[name]["signatures"]}))
        for name, (keyids, threshold) in listed.items()
        if ids & set(keyids)
    }
    assert found == expected
