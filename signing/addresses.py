"""Where the dashboard shows things, for the key side, which has no routes: links in notices and webhooks.

A test holds each of them against the routes of the pages.
"""

from __future__ import annotations

from urllib.parse import quote

from signing.models import Account, Alert, ChangeRequest, Key, Operation, Repository, Rotation, TrustServer


def account(thing: Account) -> str:
    return f"/accounts/{thing.name}/"


def key(thing: Key) -> str:
    return f"/keys/{thing.key_id}/"


def repository(thing: Repository) -> str:
    return f"/repositories/{quote(thing.gun, safe='/:@')}/"


def request(thing: ChangeRequest) -> str:
    return f"/requests/{thing.pk}/"


def operation(thing: Operation) -> str:
    return f"/operations/{thing.pk}/"


def trust_server(thing: TrustServer) -> str:
    return f"/trust-servers/{thing.name}/"


def own_tokens() -> str:
    return "/me/tokens/"


def rotation(thing: Rotation) -> str:
    return f"/rotations/{thing.pk}/"


def freezes() -> str:
    return "/freezes/"


def audit_check() -> str:
    return "/audit/check/"


def alerts() -> str:
    return "/alerts/"


def alert(thing: Alert) -> str:
    return f"/alerts/{thing.pk}/"
