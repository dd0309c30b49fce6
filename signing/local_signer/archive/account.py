"""The repositories of a registry account, for `trustctl archive --from-account`.

A registry lists the names of all it has (`/v2/_catalog` of the distribution API). Docker Hub does not; its own API
lists those of one namespace.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from signing.local_signer.docker_folder import DOCKER_HUB, Login
from signing.local_signer.registry import Registry
from signing.trust.errors import BadResponse, InvalidName, NotAuthorised, ServerUnreachable
from signing.trust.evidence.polite import Politeness
from signing.trust.notary.gun import Gun
from signing.trust.notary.http_answers import Answer
from signing.trust.notary.http_client import LimitedClient, tls_context

HUB_API = "https://hub.docker.com"
PAGE_SIZE = 100
LARGEST_PAGE = 4 * 1024 * 1024
MOST_PAGES = 1000

_NEXT = re.compile(r'<([^<>\s]+)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_SCOPE = "registry:catalog:*"


class RegistryAccount(NamedTuple):
    """A registry, and the first part of the paths in it; without one, all that the registry has."""

    host: str
    namespace: str

    @classmethod
    def parse(cls, text: str) -> RegistryAccount:
        """Read HOST, HOST/NAMESPACE, or NAMESPACE alone, which is Docker Hub's as in image names.

        Raises:
            InvalidName: no repository's name can begin like that.
        """
        first, _, rest = text.partition("/")
        is_host = first == "localhost" or "." in first or ":" in first or first != first.lower()
        if is_host and not rest:
            gun = Gun.parse(f"{first}/any/any")
            if gun.host == DOCKER_HUB:
                raise InvalidName("Docker Hub is no account.", next_step="Name one of its namespaces: docker.io/NAME.")
            return cls(gun.host, "")
        gun = Gun.parse(f"{text}/any")
        return cls(gun.host, gun.path.removesuffix("/any"))

    def __str__(self) -> str:
        return f"{self.host}/{self.namespace}".rstrip("/")


def repositories_of(account: RegistryAccount, login: Login | None, politeness: Politeness) -> list[Gun]:
    """List an account's repositories, whether they have trust data or not; names docker would refuse are left out.

    Raises:
        NotAuthorised: the registry wants another login for this.
        ServerUnreachable: it does not answer.
        BadResponse: it keeps no such list.
    """
    if account.host == DOCKER_HUB:
        found = _hub_names(account.namespace, login, politeness)
    else:
        found = _catalog_names(account, login, politeness)
    guns = []
    for name in found:
        with contextlib.suppress(InvalidName):
            guns.append(Gun.parse(f"{account.host}/{name}"))
    return sorted(set(guns))


def _catalog_names(account: RegistryAccount, login: Login | None, politeness: Politeness) -> Iterator[str]:
    with Registry.connect(account.host, login) as registry:

        def page(url: str) -> Answer:
            try:
                answer = registry.ask(url, _SCOPE, limit=LARGEST_PAGE)
            except NotAuthorised:
                raise _denied(account.host) from None
            return _successful(answer, account.host)

        first = f"{registry.url}/v2/_catalog?n={PAGE_SIZE}"
        for answer in _pages(first, lambda url: politeness.ask(lambda: page(url)), _next_by_link):
            for name in _strings(_object(answer, account.host).get("repositories")):
                if not account.namespace or name.startswith(f"{account.namespace}/"):
                    yield name


def _hub_names(namespace: str, login: Login | None, politeness: Politeness) -> Iterator[str]:
    client = LimitedClient(tls_context())
    try:
        headers = {} if login is None else _hub_token(client, login, politeness)

        def page(url: str) -> Answer:
            return _successful(client.request("GET", url, limit=LARGEST_PAGE, headers=headers), DOCKER_HUB)

        first = f"{HUB_API}/v2/repositories/{namespace}/?page_size={PAGE_SIZE}"
        for answer in _pages(first, lambda url: politeness.ask(lambda: page(url)), _next_in_body):
            results = _object(answer, DOCKER_HUB).get("results")
            rows = results if isinstance(results, list) else []
            for name in _strings([row.get("name") for row in rows if isinstance(row, dict)]):
                yield f"{namespace}/{name}"
    finally:
        client.close()


def _hub_token(client: LimitedClient, login: Login, politeness: Politeness) -> Mapping[str, str]:
    """Exchange the login for a token, which also shows what is private; without one only public names are listed."""
    sent = json.dumps({"username": login.username, "password": login.password}).encode()
    kind = {"Content-Type": "application/json"}

    def ask() -> Answer:
        answer = client.request("POST", f"{HUB_API}/v2/users/login", limit=LARGEST_PAGE, headers=kind, content=sent)
        return _successful(answer, DOCKER_HUB)

    token = _object(politeness.ask(ask), DOCKER_HUB).get("token")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise BadResponse(f"{DOCKER_HUB} gave no token for your login.")
    return {"Authorization": f"Bearer {token}"}


def _pages(first: str, ask: Callable[[str], Answer], next_of: Callable[[str, Answer], str | None]) -> Iterator[Answer]:
    """Follow a list from page to page, to no other place than its own."""
    url, seen = first, {first}
    for _ in range(MOST_PAGES):
        answer = ask(url)
        yield answer
        following = next_of(url, answer)
        if following is None:
            return
        before, url = urlsplit(url), urljoin(url, following)
        after = urlsplit(url)
        if url in seen or before[:3] != after[:3]:
            raise BadResponse(f"{before.netloc} gave a list of repositories that leads nowhere.")
        seen.add(url)
    raise BadResponse(f"{urlsplit(first).netloc} gave a list of repositories without an end.")


def _next_by_link(_url: str, answer: Answer) -> str | None:
    found = _NEXT.search(answer.headers.get("Link", ""))
    return found[1] if found else None


def _next_in_body(url: str, answer: Answer) -> str | None:
    following = _object(answer, urlsplit(url).netloc).get("next")
    return following if isinstance(following, str) and following else None


def _successful(answer: Answer, host: str) -> Answer:
    if answer.status == 200:
        return answer
    if answer.status in (401, 403):
        raise _denied(host)
    if answer.status >= 500 or answer.status == 429:
        raise ServerUnreachable(f"{host} cannot answer now: {answer.status}.", status=answer.status)
    raise BadResponse(
        f"{host} has no list of these repositories; it answered {answer.status}.",
        next_step="Check the account's name, or name the repositories one by one.",
    )


def _denied(host: str) -> NotAuthorised:
    return NotAuthorised(
        f"{host} does not let you list its repositories.",
        next_step=f"Run `docker login {host}` as somebody who may, or name the repositories one by one.",
    )


def _object(answer: Answer, host: str) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadResponse(f"{host} gave no list of repositories.", next_step="Name the repositories one by one.")
    return found


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
