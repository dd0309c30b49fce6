"""Everything that runs out, in one place: what the calendar shows is what the notices announce.

Both sides read it: pages hand in the rows that a person may see, the worker that announces hands in all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from django.db.models import QuerySet, TextChoices

from signing import addresses
from signing.models import Account, ApiToken, ChangeRequest, Key, Membership, Repository, TrustServer
from signing.trust.tuf.times import parse_time

SERVER_MADE = ("snapshot", "timestamp")  # renewed by their server without anybody


class Kind(TextChoices):
    """What sort of thing ends."""

    ROOT = "root", "Root"
    TARGETS = "targets", "Targets"
    DELEGATION = "delegation", "Delegation"
    SERVER = "server", "Renewed by its server"
    CERTIFICATE = "certificate", "Certificate of a key"
    TOKEN = "token", "API token"
    MEMBERSHIP = "membership", "Role of a person"
    SIGNER = "signer", "Signer with an end"
    AUTHORITY = "authority", "Authority of a trust server"


@dataclass(frozen=True, slots=True)
class Ending:
    """One thing that ends, and whom and where it concerns.

    `thing` names it for good: it stays when the end moves. `lapses` says what happens if nobody does anything.
    """

    kind: str
    thing: str
    ends: datetime
    what: str
    whose: str
    lapses: str
    subject: str
    path: str
    account: Account | None = None
    repository: Repository | None = None
    owner: int | None = None
    row: ApiToken | Key | Membership | ChangeRequest | TrustServer | None = None

    def days_left(self, now: datetime) -> int:
        """Count the whole days until the end; below 0 once it is over."""
        return (self.ends - now).days


def of_metadata(repositories: Iterable[Repository]) -> Iterator[Ending]:
    """List the ends of every role's file as last verified; `account` is best selected with the rows."""
    for repository in repositories:
        for role in repository.roles:
            name = role["role"]
            ends = parse_time(role["expires"].replace("+00:00", "Z"))
            kind, whose, lapses = _of_role(name)
            yield Ending(
                kind=kind,
                thing=f"metadata {repository.pk} {name}",
                ends=ends,
                what=name,
                whose=whose or str(repository.account),
                lapses=lapses,
                subject=f"{name} of {repository.gun} expires",
                path=addresses.repository(repository),
                account=repository.account,
                repository=repository,
            )


def of_certificates(keys: QuerySet[Key]) -> Iterator[Ending]:
    """List the ends of certificates that authorities issued for keys."""
    for key in keys.filter(certificate_expires__isnull=False).select_related("account", "owner"):
        if key.certificate_expires:
            yield Ending(
                kind=Kind.CERTIFICATE,
                thing=f"certificate {key.key_id}",
                ends=key.certificate_expires,
                what=f"Certificate of the key {key.name}",
                whose=str(key.owner or key.account),
                lapses="What is signed stays valid, but no further repository takes the key without a new certificate.",
                subject=f"The certificate of the key {key.name} of {key.account} expires",
                path=addresses.key(key),
                account=key.account,
                owner=key.owner_id,
                row=key,
            )


def of_tokens(tokens: QuerySet[ApiToken], now: datetime) -> Iterator[Ending]:
    """List the ends of API tokens that still open something."""
    for token in tokens.filter(expires_at__gt=now, revoked_at=None).select_related("user"):
        yield Ending(
            kind=Kind.TOKEN,
            thing=f"token {token.pk}",
            ends=token.expires_at,
            what=f"API token {token.name}",
            whose=str(token.user),
            lapses="Programs that use it are refused.",
            subject=f"The API token {token.name} of {token.user} expires",
            path=addresses.own_tokens(),
            owner=token.created_by_id,
            row=token,
        )


def of_memberships(memberships: QuerySet[Membership], now: datetime) -> Iterator[Ending]:
    """List the roles that count until a day which is still to come."""
    for membership in memberships.filter(ends_at__gt=now).select_related("account", "user", "repository"):
        if membership.ends_at:
            place = membership.repository or membership.account
            yield Ending(
                kind=Kind.MEMBERSHIP,
                thing=f"membership {membership.pk}",
                ends=membership.ends_at,
                what=f"Role {membership.role}",
                whose=str(membership.user),
                lapses=f"{membership.user} is no longer {membership.role} of {place}.",
                subject=f"{membership}, which ends",
                path=addresses.account(membership.account),
                account=membership.account,
                repository=membership.repository,
                owner=membership.user_id,
                row=membership,
            )


def of_signers(requests: QuerySet[ChangeRequest]) -> Iterator[Ending]:
    """List the signers who were approved until a day, as long as trust data still names them."""
    timed = requests.filter(
        kind=ChangeRequest.Kind.ADD_SIGNER, state=ChangeRequest.State.APPROVED, signer_ends_at__isnull=False
    )
    for request in timed.select_related("account", "signer__key").prefetch_related("items__repository"):
        signer = request.signer
        if signer is None or request.signer_ends_at is None:
            continue
        named = [item.repository for item in request.items.all() if _names(item.repository, signer.key.key_id)]
        if named:
            yield Ending(
                kind=Kind.SIGNER,
                thing=f"signer {request.pk}",
                ends=request.signer_ends_at,
                what=f"Signer {signer.name}",
                whose=signer.name,
                lapses=f"{signer.name} is taken out, and tags that {signer.name} alone signed stop verifying.",
                subject=f"{signer.name} is a signer of {request.account}, which ends",
                path=addresses.request(request),
                account=request.account,
                repository=named[0] if len(named) == 1 else None,
                owner=signer.user_id,
                row=request,
            )


def of_authorities(servers: Iterable[TrustServer]) -> Iterator[Ending]:
    """List the ends of the certificate authorities that trust servers are known by; the longest-lived one counts."""
    for server in servers:
        if ends := _last_day(server.ca_pem):
            yield Ending(
                kind=Kind.AUTHORITY,
                thing=f"authority {server.pk}",
                ends=ends,
                what=f"Authority of the trust server {server.name}",
                whose="administrators",
                lapses="The server is not believed any more: nothing is read from it and nothing signed on it.",
                subject=f"The certificate authority of the trust server {server.name} expires",
                path=addresses.trust_server(server),
                row=server,
            )


def _of_role(name: str) -> tuple[str, str, str]:
    """Tell a role's kind, whose it is (empty: the account's) and what lapses."""
    if name in SERVER_MADE:
        return (
            Kind.SERVER,
            "its trust server",
            "The server renews it; where it does not, clients refuse the repository.",
        )
    if name == "root":
        return Kind.ROOT, "", "Clients refuse the whole repository, whatever is signed in it."
    if name == "targets":
        return Kind.TARGETS, "", "Clients refuse the repository until somebody signs with the repository key again."
    if name == "targets/releases":
        return Kind.DELEGATION, "", "Released tags stop verifying until somebody signs one again."
    signer = name.removeprefix("targets/")
    return Kind.DELEGATION, signer, f"What {signer} alone signed stops verifying until {signer} signs again."


def _names(repository: Repository, key_id: str) -> bool:
    return any(key_id in entry["keys"] for entry in repository.signers)


def _last_day(pem: str) -> datetime | None:
    if not pem:
        return None
    try:
        certificates = x509.load_pem_x509_certificates(pem.encode())
        return max(certificate.not_valid_after_utc for certificate in certificates).astimezone(UTC)
    except (ValueError, x509.InvalidVersion):
        return None  # whoever typed it is told when the server is first asked
