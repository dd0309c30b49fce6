"""What a person is told when something is refused: the one place that turns a `TrustError` into status and sentence."""

from __future__ import annotations

from dataclasses import dataclass

from signing import errors as dashboard
from signing.trust import errors as trust

# The nearest class on the error's line of ancestors decides.
STATUSES: dict[type[trust.TrustError], int] = {
    dashboard.NotAllowed: 403,
    dashboard.Conflict: 409,
    dashboard.EngineError: 502,
    dashboard.NoEngine: 503,
    dashboard.RegistryError: 502,
    trust.InvalidInput: 400,
    trust.NotFound: 404,
    trust.KeyStoreError: 400,
    trust.MetadataError: 502,
    trust.ServerError: 502,
    trust.ServerUnreachable: 503,
    trust.VersionConflict: 409,
    trust.TrustError: 400,
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One refusal, for people: what happened and what to do next."""

    status: int
    sentence: str
    next_step: str
    code: str


def status_of(error: trust.TrustError) -> int:
    """Find the HTTP status that fits an error best."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def explain(error: trust.TrustError) -> Explanation:
    """Put an error into words for a page."""
    return Explanation(status_of(error), error.message, error.next_step, error.code)
