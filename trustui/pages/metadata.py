"""The metadata files of a repository as they were stored: as text, as bytes, and what changed between two of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from signing.models import Repository
from signing.selectors.metadata import StoredVersion, bytes_of, find_version, stored_roles, stored_versions
from signing.selectors.repositories import visible_repositories
from signing.trust.errors import MetadataError
from signing.trust.notary.versions import version_lines
from signing.trust.tuf import canonical
from trustui.htmx import HtmxRequest
from trustui.pages import commands
from trustui.pages.base import page_of
from trustui.pages.words import size

VIEWS = ("pretty", "raw", "diff")
LONGEST = 48_000
MOST_LINES = 300
VERSIONS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Shown:
    """What a version looks like in the view that was asked for; `is_cut` where there is more of it than is shown."""

    text: str = ""
    lines: tuple[str, ...] = ()
    is_cut: bool = False
    problem: str = ""


@login_required
@require_GET
def show(request: HtmxRequest, gun: str) -> HttpResponse:
    """Show one stored version of one role's file, or what changed since another one."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    found = stored_roles(repository)
    role = request.GET.get("role", "") or next(iter(found), "root")
    versions = stored_versions(repository, role)
    version = _asked(request, versions)
    other = _other(request, versions, version)
    view = request.GET.get("view", "")
    view = view if view in VIEWS and (view != "diff" or other) else "pretty"
    data = bytes_of(repository, version) if version else b""
    context = {
        "repository": repository,
        "roles": found,
        "role": role,
        "page": page_of(request, versions, size=VERSIONS_SHOWN),
        "version": version,
        "other": other,
        "view": view,
        "size": size(len(data)),
        "facts": _facts(data),
        "inspect_command": commands.inspect(repository),
        "shown": _shown(repository, data, view, other),
    }
    return render(request, "pages/repository_metadata.html", context, status=200 if version or not found else 404)


@login_required
@require_GET
def download(request: HtmxRequest, gun: str) -> HttpResponse:
    """Give the very bytes of one version."""
    repository = get_object_or_404(visible_repositories(request.user), gun=gun)
    role = request.GET.get("role", "root")
    version = _asked(request, stored_versions(repository, role))
    if version is None:
        raise Http404("no such version is stored")
    name = f"{version.version}.{role.replace('/', '-')}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(bytes_of(repository, version), content_type="application/json", headers=headers)


def _asked(request: HtmxRequest, versions: list[StoredVersion]) -> StoredVersion | None:
    return find_version(versions, _number(request.GET.get("version")), request.GET.get("hash", ""))


def _other(request: HtmxRequest, versions: list[StoredVersion], version: StoredVersion | None) -> StoredVersion | None:
    """Choose what to compare with: the one that was asked for, else the one before."""
    if version is None:
        return None
    if (number := _number(request.GET.get("against"))) is not None:
        return find_version(versions, number)
    place = versions.index(version) + 1
    return versions[place] if place < len(versions) else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _shown(repository: Repository, data: bytes, view: str, other: StoredVersion | None) -> Shown:
    if view == "raw" or not data:
        text = data[:LONGEST].decode("utf-8", "replace")
        return Shown(text, is_cut=len(data) > LONGEST)
    try:
        if view == "diff" and other is not None:
            lines = version_lines(bytes_of(repository, other), data)
            return Shown(lines=tuple(lines[:MOST_LINES]), is_cut=len(lines) > MOST_LINES)
        text = json.dumps(canonical.parse(data), indent=2, ensure_ascii=False)
    except MetadataError as error:
        return Shown(problem=error.message)
    return Shown(text[:LONGEST], is_cut=len(text) > LONGEST)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of itself in a few words."""

    expires: str = ""
    signed_by: tuple[str, ...] = ()
    keys: int | None = None
    tags: int | None = None
    delegations: tuple[str, ...] = ()


def _facts(data: bytes) -> Facts:
    """Read a few words out of a file; of one that is damaged there are none, its bytes are shown anyway."""
    try:
        parsed = canonical.parse(data)
        signed, signatures = parsed["signed"], parsed["signatures"]
        delegations = signed.get("delegations") or {}
        keys = delegations.get("keys") if delegations else signed.get("keys")
        return Facts(
            expires=str(signed.get("expires", "")),
            signed_by=tuple(str(item["keyid"]) for item in signatures),
            keys=_count(keys),
            tags=_count(signed.get("targets")),
            delegations=tuple(str(item["name"]) for item in delegations.get("roles") or ()),
        )
    except (MetadataError, KeyError, TypeError, AttributeError):
        return Facts()


def _count(value: Any) -> int | None:
    return len(value) if isinstance(value, dict) else None
