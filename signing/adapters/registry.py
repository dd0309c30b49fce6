"""Read, copy and remove tags through a registry's HTTP API, without the Docker Engine."""

import json
import re
from types import TracebackType

import httpx

from signing.adapters.manifest import (
    EMPTY_CONFIG,
    MEDIA_TYPES,
    Manifest,
    media_type_of,
    placeholder,
    sha256_digest,
)
from signing.adapters.registry_answers import Answer
from signing.adapters.registry_http import Connection
from signing.adapters.registry_login import RegistryLogin
from signing.errors import BadRegistryAnswer, RegistryDenied
from signing.trust.notary.gun import Gun, check_digest, check_tag

__all__ = ["Manifest", "Registry"]

_READ, _WRITE, _DELETE = "pull", "pull,push", "pull,push,delete"
_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_PAGE = 1000
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_GONE = (200, 202, 204, 404)


class Registry:
    """One registry, named as in an image's name: `docker.io` is Docker Hub.

    Every method raises a `RegistryError` where the registry does not do what was asked, and `InvalidName`
    for a path, tag or digest the format forbids.
    """

    def __init__(
        self,
        host: str,
        username: str | None = None,
        password: str | None = None,
        *,
        http: httpx.Client | None = None,
    ) -> None:
        login = RegistryLogin(username, password or "") if username else None
        self._connection = Connection(host, login, http)

    def __enter__(self) -> "Registry":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, unless the client was lent."""
        self._connection.close()

    def manifest(self, path: str, reference: str) -> Manifest | None:
        """Return the manifest under a tag or digest, or `None` where there is none.

        Its digest is computed from the bytes received and must equal the digest asked for and the one the
        registry claims. Raises: BadRegistryAnswer also for more than 4 MiB.
        """
        url = self._manifest_url(path, _checked(reference))
        answer = self._connection.send("GET", url, self._scope(path, _READ), headers=_ACCEPT)
        if answer.status == 404 and _is_from_a_registry(answer):
            return None
        if answer.status == 404:
            raise self._connection.words.refusal(answer, BadRegistryAnswer, "does not answer as a registry does")
        if answer.status != 200:
            raise self._connection.words.unexpected(answer, f"read {path}")
        return self._verified(answer, path, reference)

    def list_tags(self, path: str, most: int) -> list[str] | None:
        """List the tags of a repository, at most so many; `None` where the registry has no such repository.

        What is no tag's name is left out. Raises: BadRegistryAnswer also for a list without end.
        """
        url = httpx.URL(f"/v2/{self._repository(path)}/tags/list", params={"n": str(_PAGE)})
        found: list[str] = []
        for _ in range(most // _PAGE + 2):
            answer = self._connection.send("GET", url, self._scope(path, _READ))
            if answer.status == 404 and _is_from_a_registry(answer):
                return None
            if answer.status != 200 or not answer.whole:
                raise self._connection.words.unexpected(answer, f"list the tags of {path}")
            found += _tags_in(answer)
            following = answer.headers.get("link", "")
            if len(found) >= most or 'rel="next"' not in following or not found:
                return found[:most]
            url = url.copy_merge_params({"last": found[-1]})  # its link says the same, and could lead elsewhere
        raise BadRegistryAnswer(f"The registry lists the tags of {path} without end.")

    def put_manifest(self, path: str, tag: str, manifest: Manifest) -> None:
        """Let `tag` mean `manifest`, byte for byte; whatever it meant before stays under its digest."""
        answer = self._connection.send(
            "PUT",
            self._manifest_url(path, check_tag(tag)),
            self._scope(path, _WRITE),
            headers={"Content-Type": manifest.media_type},
            content=manifest.data,
        )
        if answer.status not in (200, 201):
            raise self._connection.words.unexpected(answer, f"write {path}:{tag}")
        stored = _claimed_digest(answer)
        if stored not in (None, manifest.digest):
            raise BadRegistryAnswer(f"The registry stored {path}:{tag} as {stored}, not as {manifest.digest}.")

    def tag_digest(self, path: str, tag: str) -> str | None:
        """Return the digest the registry says `tag` has, or `None` where there is no such tag.

        The registry's word is not checked against the bytes; `manifest` does that.
        """
        url = self._manifest_url(path, check_tag(tag))
        answer = self._connection.send("HEAD", url, self._scope(path, _READ), headers=_ACCEPT)
        if answer.status == 404:
            return None
        if answer.status == 200 and (digest := _claimed_digest(answer)):
            return digest
        if answer.status in (200, 405):  # the header is optional, and so is HEAD in some proxies
            found = self.manifest(path, tag)
            return found.digest if found else None
        raise self._connection.words.unexpected(answer, f"read {path}:{tag}")

    def delete_tag(self, path: str, tag: str) -> bool:
        """Remove one tag and return True, or leave an empty placeholder under it and return False.

        The image stays, and so do its other tags. Registries that know only deletion by digest would remove
        them all, so there the tag is first moved to a manifest nobody else has. Where deletion is off or
        not allowed, that placeholder is what remains.
        """
        if self.tag_digest(path, tag) is None or self._delete(path, tag):
            return True
        stand_in = placeholder()
        self._upload_empty_config(path)
        self.put_manifest(path, tag, stand_in)
        return self._delete(path, stand_in.digest)

    def _delete(self, path: str, reference: str) -> bool:
        """Try to delete; 404 for a tag may also mean that only digests can be deleted, so look again."""
        scope = self._scope(path, _DELETE)
        try:
            answer = self._connection.send("DELETE", self._manifest_url(path, reference), scope)
        except RegistryDenied:
            return False
        if answer.status >= 500:
            raise self._connection.words.unexpected(answer, f"delete {path}:{reference}")
        if answer.status == 404 and not _is_digest(reference):
            return self.tag_digest(path, reference) is None
        return answer.status in _GONE

    def _upload_empty_config(self, path: str) -> None:
        base, scope = f"/v2/{self._repository(path)}/blobs", self._scope(path, _WRITE)
        digest = sha256_digest(EMPTY_CONFIG)
        if self._connection.send("HEAD", f"{base}/{digest}", scope).status == 200:
            return
        started = self._connection.send("POST", f"{base}/uploads/", scope)
        if started.status != 202 or "location" not in started.headers:
            raise self._connection.words.unexpected(started, f"start an upload to {path}")
        address = self._connection.base.join(started.headers["location"]).copy_merge_params({"digest": digest})
        kind = {"Content-Type": "application/octet-stream"}
        done = self._connection.send("PUT", address, scope, headers=kind, content=EMPTY_CONFIG)
        if done.status not in (201, 204):
            raise self._connection.words.unexpected(done, f"finish an upload to {path}")

    def _verified(self, answer: Answer, path: str, reference: str) -> Manifest:
        if not answer.whole:
            raise BadRegistryAnswer(f"The manifest of {path} is larger than 4 MiB.", reference=reference)
        digest = sha256_digest(answer.body)
        claimed = _claimed_digest(answer)
        if claimed not in (None, digest) or (_is_digest(reference) and reference != digest):
            raise BadRegistryAnswer(
                f"The registry sent other bytes for {path} than their digest says.",
                next_step="Do not use the image; ask the registry's administrator what changed.",
                reference=reference,
                received=digest,
            )
        media_type = media_type_of(answer.headers.get("content-type", ""), answer.body)
        if media_type is None:
            raise BadRegistryAnswer(
                f"What the registry has under {path} is not an image manifest of a kind that is known here.",
                next_step="Push the image again with a current Docker Engine.",
                reference=reference,
            )
        return Manifest(digest, media_type, answer.body)

    def _repository(self, path: str) -> str:
        """Return the path inside the registry; Docker Hub keeps `alpine` under `library/`."""
        return Gun.parse(f"{self._connection.host}/{path}").path

    def _manifest_url(self, path: str, reference: str) -> str:
        return f"/v2/{self._repository(path)}/manifests/{reference}"

    def _scope(self, path: str, actions: str) -> str:
        return f"repository:{self._repository(path)}:{actions}"


def _tags_in(answer: Answer) -> list[str]:
    """Read one page of a list of tags; registries write null for none."""
    try:
        listed = json.loads(answer.body)["tags"] or []
        return [name for name in listed if isinstance(name, str) and _TAG.fullmatch(name)]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BadRegistryAnswer("The registry's list of tags cannot be read.") from None


def _checked(reference: str) -> str:
    return check_digest(reference) if _is_digest(reference) else check_tag(reference)


def _is_digest(reference: str) -> bool:
    return ":" in reference  # no tag has a colon


def _claimed_digest(answer: Answer) -> str | None:
    """Return the sha256 digest the registry claims, if it claims one in the usual form."""
    claimed = answer.headers.get("docker-content-digest", "")
    return claimed if _is_digest(claimed) and claimed.startswith("sha256:") else None


def _is_from_a_registry(answer: Answer) -> bool:
    return "docker-distribution-api-version" in answer.headers or b'"errors"' in answer.body
