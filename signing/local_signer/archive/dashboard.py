"""The repositories of an account of the dashboard, by its REST API, for `trustctl archive --from-account`."""

from __future__ import annotations

import contextlib
from urllib.parse import urlencode, urlsplit

from signing.local_signer.archive.lists import (
    LARGEST_PAGE,
    PAGE_SIZE,
    members,
    next_by_link,
    pages,
    read_object,
    successful,
)
from signing.local_signer.dashboard import TOKEN_VARIABLE
from signing.trust.errors import BadResponse, InvalidInput, InvalidName
from signing.trust.evidence.polite import Politeness
from signing.trust.notary.gun import Gun
from signing.trust.notary.http_answers import Answer
from signing.trust.notary.http_client import LimitedClient, is_local, tls_context
from signing.trust.notary.tokens import require_protected

LOGIN = f"Put an API token that may read into {TOKEN_VARIABLE}"


def repositories_of(url: str, account: str, token: str | None, politeness: Politeness) -> list[Gun]:
    """List the repositories that the dashboard at `url` has in one account.

    Raises:
        InvalidInput: the address is not https (http is for this machine only).
        NotAuthorised: there is no token, or it may not read.
        ServerUnreachable: the dashboard does not answer.
        BadResponse: it is no dashboard, or its API is another one.
    """
    try:
        require_protected(url)
    except BadResponse:
        raise InvalidInput(f"The dashboard's address has to begin with https://, this is {url[:200]!r}.") from None
    host = urlsplit(url).netloc
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    client = LimitedClient(tls_context(), through_proxies=not is_local(url))

    def page(url: str) -> Answer:
        return successful(client.request("GET", url, limit=LARGEST_PAGE, headers=headers), host, login=LOGIN)

    first = f"{url.rstrip('/')}/api/v1/repositories?{urlencode({'account': account, 'limit': PAGE_SIZE})}"
    guns = []
    try:
        for answer in pages(first, lambda url: politeness.ask(lambda: page(url)), next_by_link):
            for name in members(read_object(answer, host).get("items"), "gun"):
                with contextlib.suppress(InvalidName):
                    guns.append(Gun.parse(name))
    finally:
        client.close()
    return sorted(set(guns))
