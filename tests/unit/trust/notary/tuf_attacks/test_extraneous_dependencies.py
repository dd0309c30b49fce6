"""Extraneous dependencies (TUF 1.5.2): a client is made to install more than was asked for.

Not applicable as such: a signed tag names one manifest by digest and size, and Notary has no dependencies. Its
equivalent is a name that answers for another one; goal met: a question for one tag is answered from that tag alone.
"""

from __future__ import annotations

import pytest

from signing.trust.errors import NoSuchTarget
from tests.simulator import Owner
from tests.unit.trust.notary.conftest import Reader, digest


def test_a_tag_brings_nothing_with_it(victim: Reader, owner: Owner) -> None:
    owner.sign("v1-debug", digest("debug"), "alice")
    trusted = victim.refresh()
    assert [row.tag for row in trusted.released("v1")] == ["v1"]
    assert trusted.find_released("v1").digest_hex == digest("one")


@pytest.mark.parametrize("asked", ["V1", "v", "v1 ", "v1\x00", "v*", "", "../v1", "v1/"])
def test_no_other_spelling_answers(asked: str, victim: Reader) -> None:
    with pytest.raises(NoSuchTarget):
        victim.refresh().find_released(asked)
