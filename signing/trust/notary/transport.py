"""How metadata comes from a trust server and goes to it (reference 3)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self
from urllib.parse import urlencode

from signing.trust.errors import (
    BadResponse,
    InvalidInput,
    InvalidKey,
    MalformedMetadata,
    NotAuthorised,
    PublishRejected,
    ServerUnreachable,
    TooLarge,
)
from signing.trust.notary.gun import Gun
from signing.trust.notary.http_answers import Answer, Answers
from signing.trust.notary.http_client import DEADLINE, LimitedClient, is_local, tls_context
from signing.trust.notary.server_errors import LARGEST_ERROR, errors_in, raise_for
from signing.trust.notary.tokens import Credentials, Fetch, require_protected
from signing.trust.tuf import canonical, roles
from signing.trust.tuf.keys import PublicKey

LARGEST_FILE = 64 * 1024 * 1024
LARGEST_KEY = 64 * 1024
LARGEST_CHANGES = 16 * 1024 * 1024

_PULL = "pull"
_FILE_NAME = re.compile(
    r"(?:[1-9][0-9]{0,18}\.)?(?:root|snapshot|timestamp|targets(?:/[-a-z0-9_]+)*)(?:\.[0-9a-f]{64})?\.json", re.ASCII
)


class Transport(Protocol):
    """The way to one trust server."""

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        """Give a metadata file such as `root.json`, `3.root.json` or `targets/alice.<sha256>.json`; None if absent.

        Raises:
            TooLarge: it has more than `limit` bytes.
        """

    def get_key(self, gun: str, role: str) -> PublicKey:
        """Give the key the server holds for `snapshot` or `timestamp`."""

    def rotate_key(self, gun: str, role: str) -> PublicKey:
        """Have the server make a new key for `snapshot` or `timestamp`; it counts once a root names it."""

    def post(self, gun: str, files: Mapping[str, bytes]) -> None:
        """Publish files by role name, all or none.

        Raises:
            VersionConflict: somebody else published in between.
            PublishRejected: the server says why.
        """

    def delete(self, gun: str) -> None:
        """Delete all metadata of a GUN on the server."""


class HttpsTransport:
    """One trust server over HTTPS, with pooled connections. Use it in a `with` statement or `close` it.

    Raises from every method:
        ServerUnreachable: no answer in time, no trusted certificate, or the server says it cannot answer now.
        NotAuthorised: it wants other credentials.
        BadResponse: its answer is not Notary's.
    """

    def __init__(
        self,
        url: str,
        *,
        ca_pem: str | None = None,
        client_cert: tuple[Path, Path] | None = None,
        username: str | None = None,
        password: str | None = None,
        token_source: Fetch | None = None,
        verify: bool = True,
        timeout: float = DEADLINE,
    ) -> None:
        """Name the server; nothing is sent yet. `token_source` is asked in place of the token service it names.

        Raises:
            InvalidInput: the address is not https (http is for this machine only), or a certificate cannot be read.
        """
        try:
            require_protected(url)
        except BadResponse:
            raise InvalidInput(
                f"The trust server's address has to begin with https://, this is {url[:200]!r}.",
                next_step="Write it as https://HOST:PORT.",
            ) from None
        self.url = url.rstrip("/")
        context = tls_context(ca_pem, client_cert, verify=verify)
        self._client = LimitedClient(context, timeout=timeout, through_proxies=not is_local(url))
        self._credentials = Credentials(username or None, password, token_source or self._fetch_token)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connections."""
        self._client.close()

    def get(self, gun: str, name: str, limit: int | None = None) -> bytes | None:
        """Give a metadata file of at most `limit` bytes; None if the server has no such file.

        Raises:
            InvalidInput: no metadata file has that name; the server is not asked.
            TooLarge: it is larger.
        """
        if not _FILE_NAME.fullmatch(name):
            raise InvalidInput(f"{name[:300]!r} is not the name of a metadata file.")
        largest = LARGEST_FILE if limit is None else limit
        answer = self._ask("GET", gun, name, _PULL, limit=largest)
        if answer.status == 404 and errors_in(answer.body) is not None:
            return None
        self._require_success(answer)
        if not answer.body.lstrip().startswith(b"{"):
            raise BadResponse(f"{self.url} gave something else than metadata: it may not be a Notary v1 server.")
        return answer.body

    def get_together(self, gun: str, wanted: Sequence[tuple[str, int]]) -> FilesInTurn | None:
        """Ask for several files at once, each with the bytes it may have; None if that cannot be done.

        Whatever is wrong with a file, it just does not come: `get` tells the reason.
        """
        if not all(_FILE_NAME.fullmatch(name) for name, _ in wanted):
            return None
        try:
            sent = self._credentials.headers(f"repository:{gun}:{_PULL}")
        except (NotAuthorised, BadResponse, ServerUnreachable, TooLarge):
            return None
        folder = self._address(gun, "tuf/")
        urls = [(folder + name, limit) for name, limit in wanted]
        answers = self._client.request_together(urls, sent)
        return None if answers is None else FilesInTurn([name for name, _ in wanted], answers)

    def get_of_many(self, guns: Sequence[str], name: str, limit: int) -> Iterator[tuple[str, bytes]]:
        """Ask for the same file of several repositories at once, over one connection; give each that comes.

        Nothing comes of a server that wants another token for each repository, and whatever is wrong with a file it
        just does not come: `get` tells the reason.
        """
        if not guns or not _FILE_NAME.fullmatch(name):
            return
        try:
            sent = [self._credentials.headers(f"repository:{gun}:{_PULL}") for gun in guns]
        except (NotAuthorised, BadResponse, ServerUnreachable, TooLarge):
            return
        if any(headers != sent[0] for headers in sent):
            return
        answers = self._client.request_together([(self._address(gun, f"tuf/{name}"), limit) for gun in guns], sent[0])
        if answers is None:
            return
        files = FilesInTurn(guns, answers)
        try:
            while (file := files.next()) is not None:
                if file[1] is not None:
                    yield file[0], file[1]
        finally:
            files.close()

    def get_key(self, gun: str, role: str) -> PublicKey:
        """Give the key the server holds for `snapshot` or `timestamp`; it makes one where there is none yet.

        Raises:
            PublishRejected: it does not take repositories of that name.
        """
        return self._key("GET", gun, role, "pull,push")

    def rotate_key(self, gun: str, role: str) -> PublicKey:
        """Have the server make a new key for `snapshot` or `timestamp`; it counts once a root names it.

        Raises:
            PublishRejected: the server does not take repositories of that name.
        """
        return self._key("POST", gun, role, "*")

    def _key(self, method: str, gun: str, role: str, actions: str) -> PublicKey:
        if role not in (roles.SNAPSHOT, roles.TIMESTAMP):
            raise InvalidInput(f"A trust server holds no key for {role[:80]!r}.")
        answer = self._ask(method, gun, f"{role}.key", actions, limit=LARGEST_KEY)
        if answer.status == 404 and errors_in(answer.body) is not None:
            raise PublishRejected(
                f"{self.url} keeps no keys for {gun}.",
                next_step="Ask its administrator whether it accepts repositories of that name.",
            )
        self._require_success(answer)
        try:
            key = PublicKey.from_json(canonical.parse(answer.body))
            key.loaded  # noqa: B018  a key that cannot be used must not get into a root
        except (MalformedMetadata, InvalidKey) as error:
            raise BadResponse(f"{self.url} gave no usable {role} key: {error.message}") from None
        return key

    def post(self, gun: str, files: Mapping[str, bytes]) -> None:
        """Publish files by role name, all or none."""
        boundary = secrets.token_hex(30)
        content = multipart(files, boundary)
        kind = f"multipart/form-data; boundary={boundary}"
        answer = self._ask("POST", gun, "", "pull,push", content=content, headers={"Content-Type": kind})
        self._require_success(answer, publishing=True)

    def delete(self, gun: str) -> None:
        """Delete all metadata of a GUN on the server; the server keeps its keys."""
        self._require_success(self._ask("DELETE", gun, "", "*"))

    def changes(self, gun: str, after: str, most: int) -> bytes | None:
        """Give a page of a GUN's changefeed, from after the change of that number on; None if the server has none."""
        query = urlencode({"records": most, "change_id": after})
        answer = self._ask("GET", gun, f"changefeed?{query}", _PULL, limit=LARGEST_CHANGES, folder="")
        if answer.status in (400, 404) and errors_in(answer.body) is not None:
            return None
        self._require_success(answer)
        return answer.body

    def _ask(
        self,
        method: str,
        gun: str,
        name: str,
        actions: str,
        *,
        limit: int = LARGEST_ERROR,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        folder: str = "tuf/",
    ) -> Answer:
        """Send a request, and once more with what the server asks for when it answers 401."""
        url = self._address(gun, folder + name)
        scope = f"repository:{gun}:{actions}"
        sent = {**(headers or {}), **self._credentials.headers(scope)}
        answer = self._client.request(method, url, limit=limit, headers=sent, content=content)
        if answer.status == 401 and (challenge := answer.headers.get("WWW-Authenticate")):
            sent = {**(headers or {}), **self._credentials.answer(challenge, scope)}
            answer = self._client.request(method, url, limit=limit, headers=sent, content=content)
        return answer

    def _address(self, gun: str, path: str) -> str:
        return f"{self.url}/v2/{Gun(gun)}/_trust/{path}"

    def _require_success(self, answer: Answer, *, publishing: bool = False) -> None:
        if answer.status != 200:
            raise_for(answer.status, answer.body, self.url, publishing=publishing)

    def _fetch_token(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[int, bytes]:
        answer = self._client.request("GET", url, limit=limit, headers=headers)
        return answer.status, answer.body


class FilesInTurn:
    """Metadata files that were asked for together, in the order they were asked for."""

    def __init__(self, names: Sequence[str], answers: Answers) -> None:
        self._names = iter(names)
        self._answers = answers

    def next(self) -> tuple[str, bytes | None] | None:
        """Read the next file: its name, and its bytes if the server gave it; None after the last."""
        answer = self._answers.next()
        if answer is None:
            return None
        is_file = answer.status == 200 and answer.body.startswith(b"{")
        return next(self._names), answer.body if is_file else None

    def close(self) -> None:
        """Give up those that were not read."""
        self._answers.close()


def multipart(files: Mapping[str, bytes], boundary: str) -> bytes:
    """Write the body of a publish as docker does: the role's name, slashes and all, is the file's name."""
    parts = []
    for role, data in files.items():
        head = f'Content-Disposition: form-data; name="files"; filename="{roles.check_role_name(role)}"'
        parts.append(
            f"--{boundary}\r\n{head}\r\nContent-Type: application/octet-stream\r\n\r\n".encode() + data + b"\r\n"
        )
    return b"".join(parts) + f"--{boundary}--\r\n".encode()
