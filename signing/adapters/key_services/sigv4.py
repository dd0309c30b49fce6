"""Sign a request as AWS wants it: Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html, for a POST without a query.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks. None of it but the id is ever sent."""

    key_id: str
    secret: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for beside its day."""

    region: str
    service: str


def signed_headers(
    host: str, path: str, headers: Mapping[str, str], body: bytes, who: Credentials, scope: Scope, now: datetime
) -> dict[str, str]:
    """Give the headers of a request, and with them those that sign it; `now` is in UTC."""
    moment = now.strftime("%Y%m%dT%H%M%SZ")
    sent = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    sent |= {"host": host, "x-amz-date": moment}
    if who.session_token:
        sent["x-amz-security-token"] = who.session_token
    names = ";".join(sorted(sent))
    lines = "".join(f"{name}:{sent[name]}\n" for name in sorted(sent))
    request = "\n".join(("POST", path, "", lines, names, hashlib.sha256(body).hexdigest()))
    granted = f"{moment[:8]}/{scope.region}/{scope.service}/aws4_request"
    text = "\n".join((ALGORITHM, moment, granted, hashlib.sha256(request.encode()).hexdigest()))
    signature = hmac.new(_signing_key(who.secret, granted), text.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={who.key_id}/{granted}"
    return sent | {"authorization": f"{ALGORITHM} {credential}, SignedHeaders={names}, Signature={signature}"}


def _signing_key(secret: str, granted: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in granted.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
