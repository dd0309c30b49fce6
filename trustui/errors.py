"""What is said when something is refused, in one place: sentences for pages, problem documents for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from signing import errors as dashboard
from signing.trust import errors as trust

# The nearest class on the error's line of ancestors decides.
STATUSES: dict[type[trust.TrustError], int] = {
    dashboard.NotAllowed: 403,
    dashboard.Conflict: 409,
    dashboard.Frozen: 409,
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

PROBLEM_TYPE = "application/problem+json"

# What is refused before any service is asked: code -> status, sentence, next step.
REFUSALS: dict[str, tuple[int, str, str]] = {
    "bad_request": (
        400,
        "This cannot be read as a request.",
        "Send JSON as the description of this endpoint has it; see /api/v1/docs.",
    ),
    "invalid_members": (
        422,
        "Some of what was sent does not fit.",
        "`errors` says for each member what is wrong with it; correct these and send it again.",
    ),
    "not_signed_in": (
        401,
        "This needs an API token that still works, or a session.",
        "Send `Authorization: Bearer TOKEN`; tokens are made on the page of your own tokens.",
    ),
    "csrf_failed": (
        403,
        "This came with a session but without its CSRF token.",
        "Send the value of the cookie `csrftoken` as the header X-CSRFToken, or use an API token.",
    ),
    "password_to_change": (
        403,
        "The one-time password has to be replaced first.",
        "Sign in to the dashboard once and choose a password.",
    ),
    "second_factor_to_set_up": (
        403,
        "A second factor has to be set up first.",
        "Sign in to the dashboard once and set one up; your role asks for it.",
    ),
    "forbidden": (403, "This is not allowed.", "Ask an administrator for the right to do it."),
    "not_found": (
        404,
        "There is nothing here.",
        "It does not exist, or it is not yours to see. Check the address.",
    ),
    "method_not_allowed": (405, "This address does not take that method.", "The header Allow names those it takes."),
    "answer_not_kept": (
        409,
        "This was done already; its answer held a secret, which is kept nowhere.",
        "Where the secret is lost, replace what it belongs to: it cannot be shown again.",
    ),
    "request_too_large": (
        413,
        "That is more than this takes.",
        "Send less; keys and certificates have a few kilobytes.",
    ),
    "unsupported_media_type": (415, "Only JSON is understood here.", "Send `Content-Type: application/json`."),
    "key_used_otherwise": (
        422,
        "This Idempotency-Key came with another request before.",
        "Use a new key for each thing you want done, and the old one only to repeat exactly the same request.",
    ),
    "too_many_requests": (429, "That is too often.", "Wait for as many seconds as the header Retry-After says."),
    "broken": (
        500,
        "Something broke on our side.",
        "Try again; if it stays, tell the administrator the request id.",
    ),
    "database_away": (
        503,
        "The database does not answer.",
        "Nothing was changed. Try again in a moment; the administrator finds the cause with `manage.py doctor`.",
    ),
    "database_behind": (
        503,
        "The database is not yet that of this release.",
        "Nothing was changed. An administrator runs `manage.py migrate` once.",
    ),
    "unavailable": (503, "This cannot be answered now.", "Try again in a moment."),
}
_BY_STATUS = {
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "request_too_large",
    415: "unsupported_media_type",
    422: "invalid_members",
    429: "too_many_requests",
    503: "unavailable",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One refusal, for people: what happened and what to do next."""

    status: int
    sentence: str
    next_step: str
    code: str


class Refused(Exception):
    """A request that is refused before a service is asked; `code` is one of `REFUSALS`."""

    def __init__(
        self,
        code: str,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors or {}
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, for programs (RFC 9457)."""

    explanation: Explanation
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def document(self, request_id: str) -> dict[str, Any]:
        """Form the members of the problem document."""
        said = self.explanation
        members: dict[str, Any] = {
            "type": type_of(said.code),
            "title": title_of(said.code),
            "status": said.status,
            "detail": said.sentence,
            "code": said.code,
            "next_step": said.next_step,
            "request_id": request_id,
        }
        return members | ({"errors": {name: list(texts) for name, texts in self.errors.items()}} if self.errors else {})


def status_of(error: trust.TrustError) -> int:
    """Find the HTTP status that fits an error best."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def explain(error: trust.TrustError) -> Explanation:
    """Put an error into words for a page."""
    return Explanation(status_of(error), error.message, error.next_step, error.code)


def problem_of(error: trust.TrustError | Refused) -> Problem:
    """Put an error into words for a program."""
    if isinstance(error, trust.TrustError):
        return Problem(explain(error))
    status, sentence, next_step = REFUSALS[error.code]
    return Problem(Explanation(status, sentence, next_step, error.code), error.errors)


def problem_of_status(status: int) -> Problem:
    """Say what little a status says by itself."""
    code = _BY_STATUS.get(status, "broken" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "bad_request")
    _, sentence, next_step = REFUSALS[code]
    return Problem(Explanation(status, sentence, next_step, code))


def type_of(code: str) -> str:
    """Name a kind of problem by the address that explains it."""
    return f"/api/v1/docs#{code}"


def title_of(code: str) -> str:
    """Give the words that are the same for every problem of a kind."""
    return code.replace("_", " ").capitalize()


def known_problems() -> list[Explanation]:
    """List every kind of problem a program can meet, by code; where a sentence differs each time it is left out."""
    found = {code: Explanation(*said, code) for code, said in REFUSALS.items()}
    for kind in _descendants(trust.TrustError):
        found.setdefault(kind.code, Explanation(_status_of_class(kind), "", kind.next_step, kind.code))
    return sorted(found.values(), key=lambda explanation: explanation.code)


def _status_of_class(kind: type[trust.TrustError]) -> int:
    return next(STATUSES[ancestor] for ancestor in kind.__mro__ if ancestor in STATUSES)


def _descendants(kind: type[trust.TrustError]) -> Iterator[type[trust.TrustError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _descendants(child)
