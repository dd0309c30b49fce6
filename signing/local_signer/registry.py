"""Ask a registry what a tag means, and which repositories it has."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from signing.local_signer.docker_folder import DOCKER_HUB, Login
from signing.trust.errors import BadResponse, NoSuchTarget, NotAuthorised
from signing.trust.notary.gun import ImageName
from signing.trust.notary.http_answers import Answer
from signing.trust.notary.http_client import LimitedClient, is_local, tls_context
from signing.trust.notary.tokens import Credentials

LARGEST_MANIFEST = 4 * 1024 * 1024
ACCEPTED = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
DOCKER_HUB_REGISTRY = "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is signed of an image: the digest of its manifest or index, and that file's size."""

    digest: str
    size: int


class Registry:
    """One registry's HTTP API; plain HTTP on this machine, HTTPS elsewhere, as docker does."""

    def __init__(self, host: str, client: LimitedClient, login: Login | None) -> None:
        self._host = host
        server = DOCKER_HUB_REGISTRY if host == DOCKER_HUB else host
        self.url = f"{'http' if is_local(f'http://{host}') else 'https'}://{server}"
        self._client = client
        username, password = (login.username, login.password) if login else (None, None)
        self._credentials = Credentials(username, password, self._fetch_token)

    @classmethod
    @contextlib.contextmanager
    def connect(cls, host: str, login: Login | None) -> Iterator[Registry]:
        """Open a connection to a registry."""
        client = LimitedClient(tls_context(), through_proxies=not is_local(f"http://{host}"))
        try:
            yield cls(host, client, login)
        finally:
            client.close()

    def manifest(self, image: ImageName) -> Manifest:
        """Read what an image's tag means now, or the manifest of its digest. The digest is computed here, not believed.

        Raises:
            NoSuchTarget: the registry has no such tag or digest.
            NotAuthorised: it wants another login.
            BadResponse: its answer is not a registry's.
        """
        gun, tag = image.gun, image.tag
        url = f"{self.url}/v2/{gun.path}/manifests/{image.digest or tag}"
        wanted = {"Accept": ", ".join(ACCEPTED)}
        try:
            answer = self.ask(url, f"repository:{gun.path}:pull", limit=LARGEST_MANIFEST, headers=wanted)
        except NotAuthorised:
            raise self._denied() from None
        if answer.status in (401, 403):
            raise self._denied()
        if answer.status == 404:
            raise NoSuchTarget(
                f"The registry {self._host} has no {gun.path}:{tag}.",
                next_step="Push the image first, or name its digest and size with --digest and --size.",
            )
        if answer.status != 200:
            raise BadResponse(
                f"The registry {self._host} answered {answer.status}.", next_step="Try again when the registry works."
            )
        return self._verified(answer, image.digest)

    def ask(self, url: str, scope: str, *, limit: int, headers: Mapping[str, str] | None = None) -> Answer:
        """Send a GET to an address below `url`, and once more with what the registry asks for when it answers 401.

        Raises:
            NotAuthorised: there is no login to answer with, or the registry's token service refused it.
            BadResponse: its answer is no registry's.
        """
        sent = {**(headers or {}), **self._credentials.headers(scope)}
        answer = self._client.request("GET", url, limit=limit, headers=sent)
        if answer.status == 401 and (challenge := answer.headers.get("WWW-Authenticate")):
            sent |= self._credentials.answer(challenge, scope)
            answer = self._client.request("GET", url, limit=limit, headers=sent)
        return answer

    def _verified(self, answer: Answer, wanted: str | None) -> Manifest:
        digest = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
        claimed = answer.headers.get("Docker-Content-Digest", digest)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind not in ACCEPTED:
            raise BadResponse(
                f"The registry {self._host} gave no manifest that can be signed.",
                next_step="Check the registry's address, and that the image is not of schema 1.",
            )
        if claimed != digest or wanted not in (None, digest):
            raise BadResponse(
                f"The registry {self._host} gave other bytes than it says.", next_step="Do not sign this image."
            )
        return Manifest(digest, len(answer.body))

    def _denied(self) -> NotAuthorised:
        return NotAuthorised(
            f"The registry {self._host} does not let you read this repository.",
            next_step=f"Run `docker login {self._host}`, or name the digest and size with --digest and --size.",
        )

    def _fetch_token(self, url: str, headers: Mapping[str, str], limit: int) -> tuple[int, bytes]:
        answer = self._client.request("GET", url, limit=limit, headers=headers)
        return answer.status, answer.body
