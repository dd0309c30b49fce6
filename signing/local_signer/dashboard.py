"""The dashboard's REST API, for a holder who gives signatures; nothing that it says is believed unchecked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from signing.trust.errors import BadResponse, InvalidInput, NotAuthorised, NotFound, ServerUnreachable, TrustError
from signing.trust.notary.http_client import LimitedClient, is_local, tls_context
from signing.trust.notary.server_errors import plain
from signing.trust.notary.tokens import require_protected

if TYPE_CHECKING:
    from signing.trust.notary.http_answers import Answer

URL_VARIABLE = "TRUSTUI_URL"
TOKEN_VARIABLE = "TRUSTUI_TOKEN"  # noqa: S105  the name of a variable
LARGEST_ANSWER = 96 * 1024 * 1024  # a file of a hundred thousand tags, as base64, three times
LOGIN = f"Put an API token of yours with the scopes read and publish into {TOKEN_VARIABLE}."
MOST_LISTED = 200


class DashboardRefused(TrustError):
    """The dashboard understood and says no; code, sentence and next step are its own."""

    code = "refused"


class Dashboard:
    """One dashboard as one person's token opens it; use it as a context manager."""

    def __init__(self, url: str | None, environ: Mapping[str, str], ca_pem: str | None = None) -> None:
        """Connect when it is asked something.

        Raises:
            InvalidInput: no address, or one that is not https (http is for this machine only).
            NotAuthorised: there is no token.
        """
        address = url or environ.get(URL_VARIABLE, "")
        if not address:
            raise InvalidInput("Which TrustUI?", next_step=f"Give --dashboard URL, or set {URL_VARIABLE}.")
        try:
            require_protected(address)
        except BadResponse:
            raise InvalidInput(
                f"The dashboard's address has to begin with https://, this is {address[:200]!r}."
            ) from None
        token = environ.get(TOKEN_VARIABLE)
        if not token:
            raise NotAuthorised("A signature is given by a person.", next_step=LOGIN)
        self.url = address.rstrip("/")
        self.host = urlsplit(address).netloc
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._client = LimitedClient(tls_context(ca_pem), through_proxies=not is_local(address))

    def __enter__(self) -> Dashboard:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def waiting(self) -> list[dict[str, Any]]:
        """List what waits for this person's signature."""
        found = self._ask("GET", f"signatures?limit={MOST_LISTED}").get("items")
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def request(self, number: int) -> bytes:
        """Fetch one request as it is."""
        return self._answer("GET", f"signatures/{number}").body

    def give(self, number: int, signature: str, sha256: str) -> dict[str, Any]:
        """Send a signature; nothing else of the key leaves this machine."""
        return self._ask("POST", f"signatures/{number}", {"signature": signature, "sha256": sha256})

    def refuse(self, number: int, comment: str) -> dict[str, Any]:
        """Say no."""
        return self._ask("POST", f"signatures/{number}/refuse", {"comment": comment})

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        return self._object(self._answer(method, path, body))

    def _answer(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """Ask, and give the answer of a success.

        Raises:
            NotAuthorised: the token does not open it.
            NotFound: there is no such request, or it is not this person's to see.
            DashboardRefused: it says no.
            ServerUnreachable: there is no answer now.
        """
        headers, content = dict(self._headers), b""
        if body is not None:
            headers["Content-Type"], content = "application/json", json.dumps(body).encode()
        url = f"{self.url}/api/v1/{path}"
        answer = self._client.request(method, url, limit=LARGEST_ANSWER, headers=headers, content=content)
        if 200 <= answer.status < 300:
            return answer
        if answer.status == 401:
            raise NotAuthorised(f"{self.host} does not know this token.", next_step=LOGIN)
        if answer.status == 404:
            raise NotFound(
                f"{self.host} has nothing of that number for you to sign.", next_step="List it: trustctl requests."
            )
        if answer.status >= 500 or answer.status == 429:
            raise ServerUnreachable(f"{self.host} cannot answer now: {answer.status}.", status=answer.status)
        said = self._object(answer)
        refused = DashboardRefused(
            plain(str(said.get("detail") or said.get("title") or f"{self.host} says {answer.status}.")),
            next_step=plain(str(said.get("next_step", ""))),
        )
        refused.code = plain(str(said.get("code", refused.code)))
        raise refused

    def _object(self, answer: Answer) -> dict[str, Any]:
        try:
            found = json.loads(answer.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise BadResponse(f"{self.host} did not answer as TrustUI does.", next_step="Check the address.")
        return found
