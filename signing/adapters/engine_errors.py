"""Turn what the Docker Engine says into plain words with a next step.

The Engine reports most failures as free text, often quoting a registry, so the text is all there is to go
by. The patterns are anchored on punctuation and spaces that an image's name cannot contain: an image called
`denied` is not a denial.
"""

import errno
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from signing.adapters.outside_text import plain, secrets_in
from signing.errors import (
    DiskFull,
    EngineError,
    NoEngine,
    RegistryDenied,
    RegistryLoginNeeded,
    RegistryUnreachable,
    TransferFailed,
    UnknownImage,
)
from signing.trust.errors import InvalidName, TrustError


@dataclass(frozen=True, slots=True)
class Rule:
    """What a piece of the Engine's text means; `{image}` and `{registry}` are filled in."""

    pattern: re.Pattern[str]
    kind: type[TrustError]
    sentence: str
    next_step: str | None = None


def _rule(pattern: str, kind: type[TrustError], sentence: str, next_step: str | None = None) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), kind, sentence, next_step)


_LOGIN = "Store a registry user name and password for the account, or correct the stored ones."

# The first match wins: causes on this machine, then what the registry answered, then the way to it.
RULES = (
    _rule(
        r"no space left on device|disk quota exceeded",
        DiskFull,
        "There is no space left on the disk where the Docker Engine keeps images.",
    ),
    _rule(
        r"invalid reference format|repository name must be lowercase|invalid repository name",
        InvalidName,
        "The Docker Engine does not accept {image} as the name of an image.",
    ),
    _rule(
        r"no such image|an image does not exist locally|tag does not exist:",
        UnknownImage,
        "The Docker Engine has no image {image}.",
        "Pull or build the image first, or choose one the Engine has.",
    ),
    _rule(
        r"no matching manifest for|does not match the (specified|requested) platform",
        UnknownImage,
        "{image} exists, but not for this machine's kind of processor.",
        "Choose an image built for this platform, or use an Engine on a machine of the image's kind.",
    ),
    _rule(
        r"manifest unknown|manifest for \S+ not found|: not found: does not exist or no pull access",
        UnknownImage,
        "{registry} has no image {image}.",
    ),
    _rule(
        r"repository does not exist or may require|name unknown|repository name not known",
        UnknownImage,
        "{registry} has no image {image}, or shows it only to people with a login.",
        "Check the name and tag. If the image is private, store a registry login for the account.",
    ),
    _rule(
        r"no basic auth credentials|authentication required",
        RegistryLoginNeeded,
        "{registry} wants a login for {image}.",
        _LOGIN,
    ),
    _rule(
        r"incorrect username or password|(^|[\s:])unauthorized($|: | )|\b401 unauthorized"
        r"|http response (status )?code 401|status: 401",
        RegistryLoginNeeded,
        "{registry} does not accept the login for {image}.",
        _LOGIN,
    ),
    _rule(
        r"toomanyrequests|too many requests|\brate limit",
        TransferFailed,
        "{registry} asks to slow down: too many pulls in a short time.",
        "Wait until the registry allows more, or store a login that has a higher limit.",
    ),
    _rule(
        r"insufficient_scope|(^|[\s:])denied: |access to the resource is denied|\b403 forbidden"
        r"|http (403 )?response (status )?code 403|parsing http 403|status: 403",
        RegistryDenied,
        "{registry} does not allow this login to use {image}.",
    ),
    _rule(
        r"server gave http response to https client",
        RegistryUnreachable,
        "{registry} speaks plain HTTP where the Docker Engine expects HTTPS.",
        "Give the registry a certificate, or name it under insecure-registries in the Engine's daemon.json.",
    ),
    _rule(
        r"client sent an http request to an https server",
        RegistryUnreachable,
        "{registry} speaks HTTPS where plain HTTP was expected.",
        "Take the registry out of insecure-registries in the Engine's daemon.json.",
    ),
    _rule(
        r"x509:|certificate signed by unknown|tls: |tls handshake timeout|handshake failure",
        RegistryUnreachable,
        "The Docker Engine cannot make a trusted TLS connection to {registry}.",
        "Put the registry's CA certificate into /etc/docker/certs.d/HOST:PORT/ca.crt on the Engine's machine.",
    ),
    _rule(
        r"no such host|server misbehaving|name resolution|name or service not known|\blookup \S+",
        RegistryUnreachable,
        "The Docker Engine cannot find {registry}: the name does not resolve.",
        "Check the registry's name and the Engine machine's name service, then try again.",
    ),
    _rule(
        r"connection refused|no route to host|network is unreachable",
        RegistryUnreachable,
        "Nothing answers at {registry}.",
    ),
    _rule(
        r"i/o timeout|client\.timeout exceeded|context deadline exceeded|request canceled while waiting"
        r"|timeout awaiting response",
        RegistryUnreachable,
        "{registry} did not answer in time.",
    ),
    _rule(
        r"connection reset by peer|broken pipe|unexpected eof|: eof$|http2: server sent goaway"
        r"|use of closed network connection",
        TransferFailed,
        "The connection to {registry} broke off in the middle.",
    ),
    _rule(
        r"unexpected http status: 5\d\d|\b50[0234] (internal server error|bad gateway|service unavailable"
        r"|gateway time-?out)",
        TransferFailed,
        "{registry} failed while it worked on {image}.",
        "Look at the registry's own log for the cause (a full disk is a common one), then try again.",
    ),
    _rule(
        r"manifest invalid|schema 1|unsupported media ?type|manifest blob unknown|unsupported manifest",
        TransferFailed,
        "The registry or the Engine does not accept the format of {image}.",
        "Build the image again with a current Docker Engine, or update the registry.",
    ),
)


def registry_of(image: str) -> str:
    """Return the registry an image's name stands for, in words."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return f"the registry {first}"
    return "Docker Hub"


def explain(text: str, image: str, login: Mapping[str, str] | None = None) -> TrustError:
    """Return the error that says in plain words what the Engine's `text` means for `image`.

    What no rule knows becomes `TransferFailed` and quotes the Engine.
    """
    said = plain(text, secrets=secrets_in(login))
    if not image:
        return EngineError(f"The Docker Engine answered with an error: {said}", said=said)
    name = plain(image, 200)
    for rule in RULES:
        if rule.pattern.search(said):
            kind, next_step = rule.kind, rule.next_step
            if kind is RegistryDenied and not login:
                # Docker Hub denies where others ask for a login.
                kind, next_step = RegistryLoginNeeded, _LOGIN
            sentence = rule.sentence.format(image=name, registry=registry_of(name))
            sentence = sentence[0].upper() + sentence[1:]
            return kind(f"{sentence} (The Engine said: {said})", next_step=next_step, image=name, said=said)
    return TransferFailed(f"The Docker Engine gave up on {name}: {said}", image=name, said=said)


def broken_off(error: BaseException, address: str, image: str = "") -> EngineError:
    """Return the error for an Engine that answers nothing usable at `address`.

    `image` is what it was working on, empty before a first answer: then there is no Engine to speak of.
    """
    number = next((cause.errno for cause in _causes(error) if isinstance(cause, OSError) and cause.errno), None)
    where = plain(address, 200)
    if number == errno.ENOENT:
        return NoEngine(f"There is no Docker Engine: the socket {where} does not exist.", address=where)
    if number in (errno.EACCES, errno.EPERM):
        return NoEngine(
            f"This process may not use the Docker Engine's socket {where}.",
            next_step="Add the worker's user to the group that owns the socket (usually docker) and restart it.",
            address=where,
        )
    if number == errno.ECONNREFUSED:
        return NoEngine(f"No Docker Engine answers at {where}: the connection is refused.", address=where)
    *_, innermost = _causes(error)
    said = plain(innermost)
    if image:
        name = plain(image, 200)
        return TransferFailed(
            f"The connection to the Docker Engine broke off while it worked on {name}: {said}", image=name
        )
    if re.search(r"timed? ?out", said, re.IGNORECASE):
        return NoEngine(f"The Docker Engine at {where} did not answer in time.", address=where)
    return NoEngine(f"No usable Docker Engine answers at {where}: {said}", address=where, said=said)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps; requests and urllib3 hide the cause in args and `reason`."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        hidden = [getattr(current, "reason", None), *reversed(current.args), current.__cause__, current.__context__]
        current = next((cause for cause in hidden if isinstance(cause, BaseException)), None)
