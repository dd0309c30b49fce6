"""What a change would do, told beforehand: the same lines that the publisher then signs and reads back."""

from __future__ import annotations

import pytest

from signing.trust.errors import MalformedMetadata, MetadataError
from signing.trust.keystore.base import PrivateKey
from signing.trust.notary import delegations, tags
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.effects import effect_of_changes, effect_of_first, effect_of_rotation
from signing.trust.notary.lines import diff_lines
from signing.trust.notary.publishing import TrustedRepository
from signing.trust.notary.repository import Repository
from signing.trust.notary.stored import stored_state
from signing.trust.notary.update import Update
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Target
from tests.memory_keystore import MemoryKeyStore
from tests.simulator import Clock, Simulator

from .people import GUN

DIGEST, OTHER = "ab" * 32, "cd" * 32


class Home:
    """One person with all keys, a server in memory, and what a guard saw of each publish."""

    def __init__(self) -> None:
        self.now = Clock()
        self.server = Simulator(self.now)
        self.cache = MemoryCache()
        self.store = MemoryKeyStore()
        self.seen: list[list[str]] = []

    def repository(self, store: MemoryKeyStore | None = None) -> Repository:
        def guard(before: TrustedRepository | None, update: Update, _: bool) -> None:
            self.seen.append(diff_lines(before, update))

        return Repository(GUN, self.server, self.cache, store or self.store, now=self.now, guard=guard)

    def stored(self) -> TrustedRepository:
        names = ("root", "timestamp", "snapshot", "targets", "targets/releases", "targets/alice", "targets/bob")
        files = {name: data for name in names if (data := self.cache.load(name)) is not None}
        state = stored_state(GUN, files)
        assert state is not None
        return state

    def held(self, store: MemoryKeyStore | None = None) -> KeysAtHand:
        return KeysAtHand(str(GUN), (store or self.store).holds)


@pytest.fixture
def home() -> Home:
    return Home()


@pytest.fixture
def signed(home: Home) -> Home:
    """A repository with two signers, whose keys are all here, and two tags."""
    for name in ("alice", "bob"):
        home.repository().add_signer(name, [key_of(home, name)])
    home.repository().sign([Target.from_digest(tag, DIGEST, 5) for tag in ("1.0", "2.0")])
    home.seen.clear()
    return home


def key_of(home: Home, name: str) -> PublicKey:
    key = PrivateKey.generate()
    home.store.add(key, name)
    return key.public


def test_signing_anew_replaces_a_line_in_each_role(signed: Home) -> None:
    target = Target.from_digest("1.0", OTHER, 7)
    changes = tags.signing(signed.stored(), signed.held(), [target])
    effect = effect_of_changes(signed.stored(), changes, signed.held(), signed.now())
    signed.repository().sign([target])
    assert signed.seen == [list(effect.lines)] * 2
    assert [line.split(" {")[0] for line in effect.lines] == [
        f'{sign} {role} targets "1.0"' for role in ("targets/alice", "targets/bob", "targets/releases") for sign in "-+"
    ]
    assert (effect.stopping, effect.unsignable) == ((), ())


def test_a_removed_signers_file_is_signed_anew_where_another_key_is_at_hand(signed: Home) -> None:
    changes = delegations.removing_signer(signed.stored(), "alice")
    effect = effect_of_changes(signed.stored(), changes, signed.held(), signed.now())
    signed.repository().remove_signer("alice")
    assert signed.seen == [list(effect.lines)] * 2
    assert effect.lines[-1] == "~ targets/releases signed anew, nothing else changes"
    assert effect.stopping == ()


def test_without_such_a_key_the_tags_that_stop_verifying_are_named(signed: Home) -> None:
    away = MemoryKeyStore()
    root = signed.stored().root
    for role in ("root", "targets"):
        for key in root.role(role).keys.values():
            away.add(signed.store.open(key.canonical_id), role, None if role == "root" else str(GUN))
    changes = delegations.removing_signer(signed.stored(), "alice")
    effect = effect_of_changes(signed.stored(), changes, signed.held(away), signed.now())
    published = signed.repository(away).remove_signer("alice", force=True)
    assert signed.seen == [list(effect.lines)] * 2
    still = set(published.trusted.released_tags().tags)
    assert set(effect.stopping) == {"1.0", "2.0"} - still


@pytest.mark.parametrize("role", ["root", "targets", "snapshot"])
def test_new_keys_have_a_place_and_no_id(signed: Home, role: str) -> None:
    effect = effect_of_rotation(signed.stored(), role, signed.now())
    signed.repository().rotate(role, to_server=role == "snapshot")
    assert signed.seen == [list(effect.lines)] * 2
    assert sum(f"<new {role} key>" in line for line in effect.lines) == 1


def test_a_first_root_names_the_key_that_vouches(home: Home) -> None:
    root = PrivateKey.generate()
    home.store.add(root, "root")
    alice = key_of(home, "alice")
    effect = effect_of_first(root.public, delegations.adding_signer("alice", [alice]), home.now())
    home.repository().add_signer("alice", [alice])
    assert home.seen == [list(effect.lines)] * 2
    assert any(root.key_id in line for line in effect.lines)


def test_what_is_true_already_has_no_lines(signed: Home) -> None:
    changes = tags.signing(signed.stored(), signed.held(), [Target.from_digest("1.0", DIGEST, 5)])
    assert effect_of_changes(signed.stored(), changes, signed.held(), signed.now()).lines == ()


def test_a_root_near_its_end_shows_that_it_is_signed_anew(signed: Home) -> None:
    signed.now.advance(days=3600)
    target = Target.from_digest("3.0", OTHER, 7)
    changes = tags.signing(signed.stored(), signed.held(), [target])
    lines = effect_of_changes(signed.stored(), changes, signed.held(), signed.now()).lines
    assert lines[0] == "~ root signed anew, nothing else changes"


def test_lines_are_ascii_whatever_a_tag_is_called(signed: Home) -> None:
    nasty = 'x\n- root\u202e"\\'
    changes = tags.signing(signed.stored(), signed.held(), [Target.from_digest(nasty, OTHER, 7)])
    for line in effect_of_changes(signed.stored(), changes, signed.held(), signed.now()).lines:
        assert line.isascii()
        assert line.isprintable()


def test_files_that_do_not_hold_together_are_no_state(signed: Home) -> None:
    names = ("root", "timestamp", "snapshot", "targets")
    files = {name: signed.cache.load(name) or b"" for name in names}
    assert stored_state(GUN, {}) is None
    for name in names[1:]:
        with pytest.raises(MalformedMetadata, match=name):
            stored_state(GUN, {key: data for key, data in files.items() if key != name})
    other = Home()
    other.repository().add_signer("alice", [key_of(other, "alice")])
    for name in names:
        with pytest.raises(MetadataError):
            stored_state(GUN, files | {name: other.cache.load(name) or b""})


def test_a_delegations_file_counts_only_as_the_snapshot_lists_it(signed: Home) -> None:
    old = signed.cache.load("targets/releases")
    signed.repository().sign([Target.from_digest("3.0", OTHER, 7)])
    signed.cache.store("targets/releases", old or b"")
    state = signed.stored()
    assert "targets/releases" in state.left_out
    assert not state.released_tags().tags
