"""What a registry answered, and the plain words for every answer that is not what was asked for."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from signing.adapters.outside_text import plain
from signing.errors import (
    BadRegistryAnswer,
    DiskFull,
    RegistryDenied,
    RegistryError,
    RegistryRefused,
    RegistryUnreachable,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end or to `MOST_BYTES`; `whole` tells which."""

    status: int
    headers: httpx.Headers
    body: bytes
    whole: bool


@dataclass(frozen=True, slots=True)
class Words:
    """Make the errors of one registry; `secrets` are what it may echo and nobody may see."""

    host: str
    secrets: Sequence[str] = field(default=(), repr=False)

    def plain(self, text: object) -> str:
        """Return text from outside as one short line."""
        return plain(text, secrets=self.secrets)

    def refusal(self, answer: Answer, kind: type[RegistryError], what: str) -> RegistryError:
        """Return an error that says `what` the registry did and quotes its reason."""
        said = self.plain(_reason(answer))
        quoted = f" (The registry said: {said})" if said else ""
        return kind(f"The registry {self.host} {what}.{quoted}", host=self.host, status=answer.status, said=said)

    def unexpected(self, answer: Answer, doing: str) -> RegistryError:
        """Return the error for a status that does not mean success."""
        reason = _reason(answer)
        if re.search(r"no space left on device|disk quota exceeded", reason, re.IGNORECASE):
            return DiskFull(
                f"The registry {self.host} has no space left on its disk.",
                next_step="Ask the registry's administrator to free some space, then try again.",
            )
        if "HTTP request to an HTTPS server" in reason:
            return self.refusal(answer, RegistryUnreachable, "speaks HTTPS where plain HTTP was expected")
        if answer.status == 403:
            return self.refusal(answer, RegistryDenied, f"does not allow this login to {doing}")
        if answer.status == 429:
            error = self.refusal(answer, RegistryRefused, "asks to slow down")
            error.next_step = "Wait until the registry allows more, then try again."
            return error
        if answer.status >= 500:
            return self.refusal(answer, RegistryError, f"failed when asked to {doing} (status {answer.status})")
        if 300 <= answer.status < 400:
            return self.refusal(answer, BadRegistryAnswer, f"sends elsewhere when asked to {doing}")
        return self.refusal(answer, RegistryRefused, f"refused to {doing} (status {answer.status})")

    def unreachable(self, error: Exception) -> RegistryUnreachable:
        """Return the error for a connection that was not made or broke."""
        said = self.plain(error)
        for pattern, sentence, next_step in _WAYS_TO_FAIL:
            if re.search(pattern, said, re.IGNORECASE) or re.search(pattern, type(error).__name__):
                return RegistryUnreachable(sentence.format(self.host), next_step=next_step, host=self.host)
        return RegistryUnreachable(
            f"The connection to the registry {self.host} failed: {said}", host=self.host, said=said
        )


_WAYS_TO_FAIL = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "The certificate of the registry {} is not trusted here.",
        "Put the registry's CA certificate into this machine's certificate store, then try again.",
    ),
    (
        r"WRONG_VERSION_NUMBER|record layer failure|packet length",
        "The registry {} speaks plain HTTP where HTTPS is needed.",
        "Give the registry a certificate; plain HTTP is used only on this machine itself (127.0.0.1).",
    ),
    (
        r"name or service not known|name resolution|no address associated|nodename nor servname",
        "There is no registry {}: the name does not resolve.",
        "Check the registry's name and this machine's name service, then try again.",
    ),
    (r"connection refused|unreachable|no route", "Nothing answers at the registry {}.", None),
    (r"timed? ?out|Timeout", "The registry {} did not answer in time.", None),
    (r"disconnected|RemoteProtocolError|ReadError|reset", "The registry {} broke the connection off.", None),
)


def _reason(answer: Answer) -> str:
    """Return what the registry said, from its list of errors or else as it came."""
    try:
        errors = json.loads(answer.body)["errors"]
        return "; ".join(f"{each['message']} {each.get('detail') or ''}".strip() for each in errors)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return answer.body[:4096].decode("utf-8", "replace")
