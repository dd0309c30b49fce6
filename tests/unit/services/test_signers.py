from __future__ import annotations

import pytest

from signing.errors import Conflict, NotAllowed
from signing.services.signers import create_signer
from signing.trust.errors import InvalidInput, InvalidName
from tests import factories


def test_a_person_makes_a_signer_of_their_own_key(cast, one_event):
    key = factories.make_key(cast.account, name="alice-laptop", owner=cast.signer)
    with one_event("create_signer"):
        signer = create_signer(actor=cast.signer, account=cast.account, name="alice-laptop", key=key, user=cast.signer)
    assert (signer.key, signer.user) == (key, cast.signer)


def test_nobody_makes_a_signer_with_anothers_key_or_for_another_person(cast):
    theirs = factories.make_key(cast.account, name="bob", owner=cast.developer)
    mine = factories.make_key(cast.account, name="mine", owner=cast.signer)
    with pytest.raises(NotAllowed):
        create_signer(actor=cast.signer, account=cast.account, name="bob", key=theirs, user=cast.signer)
    with pytest.raises(NotAllowed):
        create_signer(actor=cast.signer, account=cast.account, name="mine", key=mine, user=cast.developer)
    assert create_signer(actor=cast.lead, account=cast.account, name="bob", key=theirs, user=cast.developer)


def test_a_key_of_another_account_or_purpose_is_refused(cast):
    foreign = factories.make_key(cast.foreign, name="eve")
    root = factories.make_key(cast.account, "root")
    for key in (foreign, root):
        with pytest.raises(InvalidInput):
            create_signer(actor=cast.lead, account=cast.account, name="eve", key=key)


@pytest.mark.parametrize("name", ["releases", "Alice", "", "a/b", "ä"])
def test_names_docker_refuses_are_refused(cast, name):
    with pytest.raises(InvalidName):
        create_signer(actor=cast.lead, account=cast.account, name=name, key=cast.alice.key)


def test_a_name_is_taken_once_in_an_account(cast):
    with pytest.raises(Conflict):
        create_signer(actor=cast.lead, account=cast.account, name="alice", key=cast.alice.key)
