"""Every address there is, out of the resolver itself: pages, the API's endpoints and the operators' admin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.resolvers import RegexPattern

from trustui.api.calls import endpoints


@dataclass(frozen=True)
class Address:
    """One address by its name (`api:` before an endpoint's) with the parameters of its path.

    `method` is an endpoint's; a page answers GET, POST or both.
    """

    name: str
    parameters: tuple[str, ...]
    method: str | None = None

    def url(self, values: dict[str, object]) -> str:
        """Fill in the path."""
        return reverse(self.name, kwargs={parameter: values[parameter] for parameter in self.parameters})

    @property
    def thing(self) -> str:
        """What its `pk` or `name` is of, as its name says."""
        stem = self.name.removeprefix("api:")
        for prefix, thing in THINGS:
            if stem.startswith(prefix):
                return thing
        return ""


THINGS = (
    ("signatures", "signature_task"),
    ("account", "account"),
    ("freezing_account", "account"),
    ("freezing_person", "person"),
    ("freez", "freeze"),
    ("alert", "alert"),
    ("rotation", "rotation"),
    ("trust_server", "trust_server"),
    ("signer", "signer"),
    ("repository", "repository"),
    ("request", "request"),
    ("operation", "operation"),
    ("person", "person"),
    ("people", "person"),
    ("machine", "machine"),
    ("webhooks_index", "account"),
    ("webhooks_new", "account"),
    ("webhook", "webhook"),
    ("token", "token"),
    ("my_session", "session"),
    ("mfa", "passkey"),
    ("my_sign_in", "session"),
    ("members", "account"),
    ("policies", "account"),
)
ALIASES = {"api-root", "openapi-json"}  # django-ninja's own: the description, open to who is signed in


def pages() -> list[Address]:
    """List the pages: every address that is neither the API's nor the admin's."""
    return [address for namespace, address in _walk() if not namespace]


def calls() -> list[Address]:
    """List the API's endpoints with their methods."""
    methods = {name: endpoint.method for name, endpoint in endpoints().items()}
    named = [address for namespace, address in _walk() if namespace == "api"]
    return [
        Address(address.name, address.parameters, methods[address.name.removeprefix("api:")])
        for address in named
        if address.name.removeprefix("api:") not in ALIASES
    ]


def admin() -> list[Address]:
    """List the operators' admin."""
    return [address for namespace, address in _walk() if namespace == "admin"]


def everything() -> list[Address]:
    """List all of them; the admin has one rule for all of its addresses."""
    return pages() + calls()


def _walk(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, Address]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, namespace or pattern.namespace or "")
        elif isinstance(pattern, URLPattern) and pattern.name:
            name = f"{namespace}:{pattern.name}" if namespace else pattern.name
            named = pattern.pattern.regex.groupindex if isinstance(pattern.pattern, RegexPattern) else ()
            yield namespace, Address(name, (*pattern.pattern.converters, *named))
