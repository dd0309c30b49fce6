"""What a refusal becomes on a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from signing import errors as dashboard
from signing.trust import errors as trust
from trustui.errors import explain


def every_kind(kind: type[trust.TrustError] = trust.TrustError) -> Iterator[type[trust.TrustError]]:
    for child in kind.__subclasses__():
        yield child
        yield from every_kind(child)


@pytest.mark.parametrize("kind", sorted(set(every_kind()), key=lambda kind: kind.__name__))
def test_every_error_has_a_status_for_people(kind: type[trust.TrustError]) -> None:
    arguments = ("targets", 2, 1) if kind is trust.UnmetThreshold else ("It did not work.",)
    explanation = explain(kind(*arguments))
    assert 400 <= explanation.status < 600
    assert explanation.sentence
    assert explanation.next_step


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (dashboard.NotAllowed, 403),
        (dashboard.TooLate, 409),
        (dashboard.NoEngine, 503),
        (dashboard.RegistryLoginNeeded, 502),
        (trust.InvalidName, 400),
        (trust.WrongPassphrase, 400),
        (trust.NoTrustData, 404),
        (trust.VersionConflict, 409),
        (trust.ServerUnreachable, 503),
        (trust.Rollback, 502),
    ],
)
def test_the_nearest_class_decides_the_status(kind: type[trust.TrustError], status: int) -> None:
    assert explain(kind("It did not work.")).status == status
