"""Send one webhook: a JSON body signed with the webhook's secret, to an address that was looked at first."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from dataclasses import dataclass

import httpx
from django.conf import settings

from signing.errors import WebhookRefused

TIMEOUT = 8.0
MOST_SECONDS_OLD = 300
"""How old a signed body may be before its receiver should refuse it; docs/api.md says so."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: the names of header values, and the body as bytes."""

    event: str
    delivery: str
    body: bytes


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """Sign a body at a time: `t=SECONDS,v1=HEX`, HMAC-SHA-256 over the seconds, a full stop and the body."""
    mac = hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={mac.hexdigest()}"


def send(url: str, secret: bytes, message: Message, timestamp: int, client: httpx.Client | None = None) -> int:
    """Post the message and give the HTTP status; redirects are not followed.

    The name is looked up once, and the connection goes to the address that was looked at, so that a name that changes
    its meaning in between leads nowhere else.

    Raises:
        WebhookRefused: the address is this machine, or nothing answers there.
    """
    target = httpx.URL(url)
    address = _address_of(target)
    headers = {
        "Host": target.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "TrustUI-Webhook/1",
        "X-TrustUI-Event": message.event,
        "X-TrustUI-Delivery": message.delivery,
        "X-TrustUI-Signature": signature(secret, timestamp, message.body),
    }
    try:
        with client or httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False) as opened:
            request = opened.build_request(
                "POST",
                target.copy_with(host=address),
                content=message.body,
                headers=headers,
                extensions={"sni_hostname": target.host},
            )
            answer = opened.send(request, stream=True)  # what the receiver says beyond its status is not read
            answer.close()
            return answer.status_code
    except httpx.HTTPError as error:
        raise WebhookRefused(f"{target.host} did not take it ({type(error).__name__}).") from error


def _address_of(target: httpx.URL) -> str:
    try:
        port = target.port or (443 if target.scheme == "https" else 80)
        found = socket.getaddrinfo(target.host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise WebhookRefused(f"The name {target.host} has no address.") from None
    for *_, place in found:
        if settings.WEBHOOKS_TO_THIS_MACHINE or not _is_this_machine(str(place[0])):
            return str(place[0])
    raise WebhookRefused(
        f"{target.host} is this machine or a link-local address, where webhooks do not go.",
        next_step="Name the receiver by an address other machines reach, or set WEBHOOKS_TO_THIS_MACHINE.",
    )


def _is_this_machine(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_link_local or mapped.is_unspecified or mapped.is_multicast
