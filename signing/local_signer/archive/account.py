"""The repositories of a registry account, for `trustctl archive --from-account`.

A registry lists the names of all it has (`/v2/_catalog` of the distribution API). Docker Hub does not; its own API
lists those of one namespace.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from signing.local_signer.archive.lists import (
    LARGEST_PAGE,
    PAGE_SIZE,
    denied,
    members,
    next_by_link,
    next_in_body,
    pages,
    read_object,
    strings,
    successful,
)
from signing.local_signer.docker_folder import DOCKER_HUB, Login
from signing.local_signer.registry import Registry
from signing.trust.errors import BadResponse, InvalidName, NotAuthorised
from signing.trust.evidence.polite import Politeness
from signing.trust.notary.gun import Gun
from signing.trust.notary.http_answers import Answer
from signing.trust.notary.http_client import LimitedClient, tls_context

HUB_API = "https://hub.docker.com"
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
                raise denied(account.host) from None
            return successful(answer, account.host)

        first = f"{registry.url}/v2/_catalog?n={PAGE_SIZE}"
        for answer in pages(first, lambda url: politeness.ask(lambda: page(url)), next_by_link):
            for name in strings(read_object(answer, account.host).get("repositories")):
                if not account.namespace or name.startswith(f"{account.namespace}/"):
                    yield name


def _hub_names(namespace: str, login: Login | None, politeness: Politeness) -> Iterator[str]:
    client = LimitedClient(tls_context())
    try:
        headers = {} if login is None else _hub_token(client, login, politeness)

        def page(url: str) -> Answer:
            return successful(client.request("GET", url, limit=LARGEST_PAGE, headers=headers), DOCKER_HUB)

        first = f"{HUB_API}/v2/repositories/{namespace}/?page_size={PAGE_SIZE}"
        for answer in pages(first, lambda url: politeness.ask(lambda: page(url)), next_in_body):
            for name in members(read_object(answer, DOCKER_HUB).get("results"), "name"):
                yield f"{namespace}/{name}"
    finally:
        client.close()


def _hub_token(client: LimitedClient, login: Login, politeness: Politeness) -> Mapping[str, str]:
    """Exchange the login for a token, which also shows what is private; without one only public names are listed."""
    sent = json.dumps({"username": login.username, "password": login.password}).encode()
    kind = {"Content-Type": "application/json"}

    def ask() -> Answer:
        answer = client.request("POST", f"{HUB_API}/v2/users/login", limit=LARGEST_PAGE, headers=kind, content=sent)
        return successful(answer, DOCKER_HUB)

    token = read_object(politeness.ask(ask), DOCKER_HUB).get("token")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise BadResponse(f"{DOCKER_HUB} gave no token for your login.")
    return {"Authorization": f"Bearer {token}"}
