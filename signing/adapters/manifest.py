"""An image manifest as exactly the bytes a registry holds, and the tiny one that stands in for a tag."""

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    OCI_MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
EMPTY_CONFIG = b"{}"


def sha256_digest(data: bytes) -> str:
    """Return the digest under which a registry files `data`."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The bytes of a manifest or index, their media type and their digest."""

    digest: str
    media_type: str
    data: bytes

    @property
    def size(self) -> int:
        """Return the length that is signed beside the digest."""
        return len(self.data)


def media_type_of(declared: str, data: bytes) -> str | None:
    """Return the manifest's media type, or `None` where it is not one manifest of a kind we know.

    The header and the document must not disagree: such bytes are an image to one client and an index to
    another (CVE-2021-41190).
    """
    kind = declared.partition(";")[0].strip().lower()
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    inside = document.get("mediaType")
    if kind not in MEDIA_TYPES and isinstance(inside, str):
        kind = inside
    if kind not in MEDIA_TYPES or inside not in (None, kind) or not _has_the_parts_of(kind, document):
        return None
    return kind


def _has_the_parts_of(kind: str, document: dict[str, Any]) -> bool:
    is_index = kind in (MEDIA_TYPES[0], MEDIA_TYPES[2])
    wanted, foreign = ("manifests", "layers") if is_index else ("layers", "manifests")
    return wanted in document and foreign not in document


def placeholder() -> Manifest:
    """Return an image of nothing whose digest no other manifest has.

    It refers to the blob `EMPTY_CONFIG`, which registries want to hold before they accept the manifest.
    """
    config = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": sha256_digest(EMPTY_CONFIG),
        "size": len(EMPTY_CONFIG),
    }
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": config,
        "layers": [],
        "annotations": {"trustui.placeholder": secrets.token_hex(16)},
    }
    data = json.dumps(document).encode()
    return Manifest(sha256_digest(data), OCI_MANIFEST, data)
