"""Push an image that the Docker Engine has; the only thing `trustctl` asks of an Engine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import docker
import requests
from docker.errors import DockerException, ImageNotFound
from docker.utils import kwargs_from_env

from signing.local_signer.docker_folder import Login
from signing.local_signer.terminal import Progress
from signing.trust.errors import InvalidInput, NotAuthorised, ServerError
from signing.trust.notary.gun import Gun, check_digest
from signing.trust.notary.server_errors import plain

USUAL_SOCKET = "unix:///var/run/docker.sock"
ANSWER_TIMEOUT = 120
"""Seconds between two bytes: an Engine that pushes may wait long for a slow registry."""


class Engine:
    """One Docker Engine."""

    def __init__(self, api: Any) -> None:
        self._api = api

    @classmethod
    @contextlib.contextmanager
    def connect(cls, environ: Mapping[str, str]) -> Iterator[Engine]:
        """Open the Engine that the environment names, else the usual socket.

        Raises:
            ServerError: there is none.
        """
        with _in_words():
            address = environ.get("DOCKER_HOST") or USUAL_SOCKET
            _try_socket(address)
            settings = kwargs_from_env(environment={**environ, "DOCKER_HOST": address})
            api = docker.APIClient(**settings, timeout=ANSWER_TIMEOUT)
        try:
            yield cls(api)
        finally:
            api.close()

    def push(self, gun: Gun, tag: str, login: Login | None) -> str:
        """Push a local image and give the digest that the registry keeps it under.

        Raises:
            InvalidInput: the Engine has no such image.
            NotAuthorised: the registry wants another login.
            ServerError: it was not pushed.
        """
        auth = {"username": login.username, "password": login.password} if login else {}
        progress = Progress(f"Pushing {gun}:{tag}", 2)
        digest = ""
        with _in_words(f"{gun}:{tag}"):
            self._api.inspect_image(f"{gun}:{tag}")
            for event in self._api.push(str(gun), tag=tag, stream=True, decode=True, auth_config=auth):
                _raise_if_failed(event, gun, tag)
                digest = str((event.get("aux") or {}).get("Digest") or digest)
                progress.show(f"{event.get('id', '')} {event.get('status', '')} {event.get('progress', '')}")
        progress.end()
        return check_digest(digest)


def _try_socket(address: str) -> None:
    """Connect once before docker's library does: its failed attempt would leave a socket open and hide the cause."""
    if address.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.settimeout(10)
            attempt.connect("/" + address.removeprefix("unix:").lstrip("/"))


def _raise_if_failed(event: Mapping[str, Any], gun: Gun, tag: str) -> None:
    if "error" not in event:
        return
    said = plain(event["error"])
    if any(word in said.lower() for word in ("denied", "unauthorized", "authentication required", "no basic auth")):
        raise NotAuthorised(
            f"The registry {gun.host} does not let you push {gun.path}. The Engine says: {said}.",
            next_step=f"Run `docker login {gun.host}`, then try again; nothing was signed.",
        )
    raise ServerError(f"{gun}:{tag} was not pushed. The Engine says: {said}.", next_step="Nothing was signed.")


@contextlib.contextmanager
def _in_words(image: str = "") -> Iterator[None]:
    try:
        yield
    except ImageNotFound:
        raise InvalidInput(
            f"The Docker Engine has no image {image}.",
            next_step="Build or tag it, or sign what the registry has without --local.",
        ) from None
    except (DockerException, requests.RequestException, OSError) as error:
        raise ServerError(
            f"The Docker Engine cannot be used: {plain(error)}.",
            next_step="Start it or set DOCKER_HOST; without --local no Engine is needed.",
        ) from None
