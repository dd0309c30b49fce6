"""What changed, in sentences."""

from __future__ import annotations

from signing.trust.notary.differences import differences
from signing.trust.tuf import roles
from tests.simulator import Owner
from tests.unit.trust.notary.conftest import Reader, digest


def test_nothing_changed(reader: Reader) -> None:
    assert differences(reader.refresh(), reader.refresh()) == ()


def test_a_new_repository(reader: Reader, owner: Owner) -> None:
    first, *others = differences(None, reader.refresh())
    assert first == f"{owner.gun} is initialised; its root key is {owner.certificate.key_id[:12]}."
    assert len(others) == 3


def test_a_tag_moves(reader: Reader, owner: Owner) -> None:
    before = reader.refresh()
    owner.sign("v1", digest("other"), "alice")
    assert differences(before, reader.refresh()) == (
        f"v1 is sha256:{digest('other')[:12]} now (before: sha256:{digest('one')[:12]}) by alice.",
    )


def test_a_tag_means_two_digests(reader: Reader, owner: Owner) -> None:
    before = reader.refresh()
    owner.sign("v1", digest("other"))
    (said,) = differences(before, reader.refresh())
    assert " and " in said


def test_a_tag_whose_name_is_a_trap_for_terminals(reader: Reader, owner: Owner) -> None:
    before = reader.refresh()
    owner.sign("v1\x1b[2J\u202e", digest("one"), "alice")
    (said,) = differences(before, reader.refresh())
    assert said.isprintable()


def test_a_role_stops_counting_and_counts_again(reader: Reader, owner: Owner) -> None:
    before = reader.refresh()
    file = owner.files[roles.TARGETS]
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, delegations=())})
    gone = reader.refresh()
    assert "targets/alice is not delegated to any more." in differences(before, gone)
    owner.put({roles.TARGETS: owner.next_file(roles.TARGETS, delegations=file.delegations)})
    assert "v1 is signed" in "\n".join(differences(gone, reader.refresh()))
