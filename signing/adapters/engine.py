"""Pull, tag, push and import images through the Docker Engine, with progress and in plain words."""

import json
import os
import socket
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any

import requests
import urllib3
from docker import APIClient
from docker.errors import APIError, DockerException, ImageNotFound, StreamParseError
from docker.utils import kwargs_from_env

from signing.adapters.engine_errors import broken_off, explain
from signing.adapters.outside_text import plain
from signing.errors import NoEngine, TransferFailed
from signing.trust.errors import InvalidName
from signing.trust.notary.gun import ImageName, check_digest

Progress = Callable[[str, str, int, int], None]  # layer ("" for the whole image), status, current, total
Login = Mapping[str, str]  # docker's auth_config: username and password
Event = dict[str, Any]

_NO_SSH = "Set DOCKER_HOST to a socket (unix://) or to an address with TLS (tcp://)."
_USUAL_SOCKET = "unix:///var/run/docker.sock"
_ANSWER_TIMEOUT = 120  # seconds between two bytes; an Engine that pushes may wait long for a slow registry
_BROKEN = (  # what docker, requests, urllib3 and http.client raise, the last two from inside a stream
    DockerException,
    StreamParseError,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    HTTPException,
    OSError,
    ValueError,
    KeyError,
)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What the Engine tells about itself: its version and the names of the images it has."""

    version: str
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PushedImage:
    """The manifest the registry now holds: its digest and its size in bytes, which are what is signed."""

    digest: str
    size: int


def no_progress(layer: str, status: str, current: int, total: int) -> None:
    """Ignore progress."""


class Engine:
    """One Docker Engine; `None` means the one the environment names, else the usual socket.

    Connects on first use. Credentials are passed per call and never read from docker's own configuration.
    A `progress` callback may raise to stop a transfer; its exception comes through unchanged.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        connect: Callable[[str], Any] | None = None,
        patience: float = _ANSWER_TIMEOUT,
    ) -> None:
        """Name the Engine; `patience` is how many seconds may pass between two bytes of its answers."""
        self.address = base_url or os.environ.get("DOCKER_HOST") or _USUAL_SOCKET
        self._connect = connect or partial(_connect, patience=patience)
        self._connected: Any = None

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        if self._connected is not None:
            self._connected.close()
            self._connected = None

    def status(self) -> EngineInfo:
        """Return the Engine's version and image names, sorted. Raises: NoEngine."""
        with self._plain_words():
            version = str(self._api.version()["Version"])
            names = {str(name) for image in self._api.images() for name in image.get("RepoTags") or ()}
        return EngineInfo(plain(version, 60), tuple(sorted(names - {"<none>:<none>"})))

    def version(self) -> tuple[str, str]:
        """Return the versions of the Engine and of its API. Raises: NoEngine."""
        with self._plain_words():
            said = self._api.version()
            return plain(str(said["Version"]), 60), plain(str(said["ApiVersion"]), 20)

    def has_image(self, reference: str) -> bool:
        """Return whether the Engine has the image locally. Raises: NoEngine, InvalidName."""
        ImageName.parse(reference)
        with self._plain_words(reference):
            try:
                self._api.inspect_image(reference)
            except ImageNotFound:
                return False
        return True

    def pull(self, reference: str, auth: Login | None = None, progress: Progress = no_progress) -> None:
        """Fetch an image from its registry; without a tag, the tag `latest`.

        Waits as long as the Engine does: a pull has no time limit of its own.
        Raises: EngineError, InvalidName.
        """
        ImageName.parse(reference)
        with self._plain_words(reference, auth):
            events = self._api.pull(reference, stream=True, decode=True, auth_config=dict(auth or {}))
        for _ in self._follow(events, reference, auth, progress):
            pass
        if not self.has_image(reference):
            raise TransferFailed(f"The pull of {plain(reference, 200)} broke off before the image was complete.")

    def tag(self, source: str, target: str) -> None:
        """Give a local image a further name. Raises: UnknownImage, NoEngine, InvalidName."""
        ImageName.parse(source)
        name = ImageName.parse(target)
        with self._plain_words(source):
            self._api.tag(source, name.gun, name.tag)

    def push(
        self, repository: str, tag: str, auth: Login | None = None, progress: Progress = no_progress
    ) -> PushedImage:
        """Send one local tag to its registry and return what the registry stored.

        Raises: EngineError, InvalidName; TransferFailed also where the Engine names no digest at the end.
        """
        reference = f"{repository}:{tag}"
        ImageName.parse(reference)
        with self._plain_words(reference, auth):
            events = self._api.push(repository, tag, stream=True, decode=True, auth_config=dict(auth or {}))
        pushed = None
        for event in self._follow(events, reference, auth, progress):
            pushed = _pushed(event.get("aux")) or pushed
        if pushed is None:
            raise TransferFailed(f"The push of {plain(reference, 200)} ended without the image's digest.")
        return pushed

    def import_tar(self, data: bytes, reference: str) -> str:
        """Make an image of one layer from a root file system in a tar and return its id.

        Raises: EngineError, InvalidName.
        """
        name = ImageName.parse(reference)
        with self._plain_words(reference):
            answer = self._api.import_image_from_data(data, repository=name.gun, tag=name.tag)
        events = (json.loads(line) for line in answer.splitlines() if line.strip())
        statuses = [event.get("status") for event in self._follow(events, reference, None, no_progress)]
        return plain(statuses[-1] if statuses else "", 80)

    @property
    def _api(self) -> Any:
        if self._connected is None:
            self._connected = self._connect(self.address)
        return self._connected

    def _follow(
        self, events: Generator[Event, None, None], image: str, auth: Login | None, progress: Progress
    ) -> Iterator[Event]:
        """Yield each event after reporting it; the Engine's error event ends the stream as an error.

        The callback runs outside the translation of errors, so what it raises stays what it is. Leaving the
        stream early closes the connection, which makes the Engine stop the transfer.
        """
        with closing(events):
            while True:
                with self._plain_words(image, auth):
                    event = next(events, None)
                if event is None:
                    return
                if "error" in event:
                    raise explain(str(event["error"]), image, auth)
                _report(event, progress)
                yield event

    @contextmanager
    def _plain_words(self, image: str = "", auth: Login | None = None) -> Iterator[None]:
        """Turn every failure of the Engine, and of the way to it, into one error of the tree.

        The causes are cut off (`from None`): the raw text may quote a login.
        """
        try:
            yield
        except APIError as error:
            raise explain(str(error.explanation or error), image, auth) from None
        except _BROKEN as error:
            raise broken_off(error, self.address, image if self._connected else "") from None


class _Client(APIClient):  # type: ignore[misc]  # the package has no types
    """docker's client, with streams that close their connection when they are left early."""

    def _stream_helper(self, response: requests.Response, decode: bool = False) -> Iterator[Any]:
        try:
            yield from super()._stream_helper(response, decode)
        finally:
            response.close()


def _connect(address: str, patience: float) -> APIClient:
    if address.startswith("ssh:"):
        raise NoEngine("A Docker Engine cannot be reached over ssh:// from here.", next_step=_NO_SSH)
    environment = {"DOCKER_HOST": address}
    if address.startswith("unix:"):
        _try_socket("/" + address.removeprefix("unix:").lstrip("/"), min(patience, 10))
    else:  # DOCKER_TLS_VERIFY and DOCKER_CERT_PATH mean nothing for a socket
        environment = {**os.environ, **environment}
    # The newest API version both sides know: recent Engines refuse a fixed old one.
    return _Client(version="auto", timeout=patience, **kwargs_from_env(environment))


def _try_socket(path: str, patience: float) -> None:
    """Connect once before docker does: its failed attempt would leave a socket open and hide the cause."""
    with socket.socket(socket.AF_UNIX) as attempt:
        attempt.settimeout(patience)
        attempt.connect(path)


def _report(event: Event, progress: Progress) -> None:
    """Pass on one event, without the parts of it that are not text and numbers."""
    status = plain(event.get("status") or "", 120)
    if not status:
        return
    # The first event of a pull carries the tag where all others carry their layer.
    layer = "" if status.startswith("Pulling from ") else plain(event.get("id", ""), 64)
    detail = event.get("progressDetail") or {}
    current, total = (_number(detail.get(name)) for name in ("current", "total"))
    # What a push counts includes the packing, which the total does not.
    progress(layer, status, min(current, total) if total else current, total)


def _number(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _pushed(aux: object) -> PushedImage | None:
    """Read the event that ends a push; the Engine sends other kinds of `aux` too."""
    if not isinstance(aux, dict):
        return None
    digest, size = aux.get("Digest"), aux.get("Size")
    if not isinstance(digest, str) or not isinstance(size, int) or size <= 0:
        return None
    try:
        return PushedImage(check_digest(digest), size)
    except InvalidName:
        return None
