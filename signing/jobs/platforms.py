"""Which platforms a manifest list holds, and which of their manifests are signed by themselves."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from signing.adapters.manifest import MEDIA_TYPES
from signing.adapters.registry import Registry
from signing.trust.errors import TrustError

MOST_PLATFORMS = 100
_LISTS = (MEDIA_TYPES[0], MEDIA_TYPES[2])


def platforms_of(registry: Registry, path: str, digest: str, signed: Collection[str]) -> list[dict[str, Any]]:
    """Read a manifest by its digest, and list its platforms; none where it is no list, or cannot be read."""
    try:
        found = registry.manifest(path, f"sha256:{digest}")
    except TrustError:
        return []
    if found is None or found.media_type not in _LISTS:
        return []
    listed = json.loads(found.data)["manifests"]
    entries = [entry for entry in listed[:MOST_PLATFORMS] if isinstance(entry, dict)]
    return [one for entry in entries if (one := _platform(entry, signed)) is not None]


def _platform(entry: dict[str, Any], signed: Collection[str]) -> dict[str, Any] | None:
    """Read one entry; what only describes another image (an attestation) is none."""
    platform = entry.get("platform")
    if not isinstance(platform, dict):
        platform = {}
    parts = [str(platform.get(name, "")) for name in ("os", "architecture", "variant")]
    if parts[:2] == ["unknown", "unknown"]:
        return None
    digest = str(entry.get("digest", "")).removeprefix("sha256:")[:64]
    return {"platform": "/".join(part for part in parts if part)[:80], "digest": digest, "signed": digest in signed}
