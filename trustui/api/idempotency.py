"""The same request sent twice is done once: the header `Idempotency-Key`.

The key is claimed, the work is done and the answer is kept in one transaction. Who repeats it meanwhile waits at the
claim, and then gets the kept answer; where the work was refused the claim goes with it, and it may be tried again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from signing.models import KeptAnswer, User
from signing.permissions import acting_token
from trustui.errors import Refused

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
_KEY = re.compile(r"[!-~]{1,255}")


def once(
    request: HttpRequest, user: User, work: Callable[[], HttpResponse], *, holds_secret: bool = False
) -> HttpResponse:
    """Do the work, or give the answer it had when this key came for the first time.

    An answer that holds a secret is never kept: who repeats such a request is told that it was done.

    Raises:
        Refused: the key came with another request before, or its answer was not kept.
    """
    key = request.headers[HEADER]
    if not _KEY.fullmatch(key):
        raise Refused("invalid_members", errors={HEADER: ["It has 1 to 255 visible ASCII characters."]})
    mark = _mark(request, user)
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
    with transaction.atomic():
        claim = _claim(user, key, mark)
        if claim is None:
            return _kept(KeptAnswer.objects.get(user=user, key=key), mark)
        response = work()
        if response.status_code >= 400:
            claim.delete()
        else:
            _keep(claim, response, holds_secret=holds_secret)
    return response


def _claim(user: User, key: str, mark: str) -> KeptAnswer | None:
    """Write the row that only one request can write; the database lets the others wait for its end."""
    try:
        with transaction.atomic():
            return KeptAnswer.objects.create(user=user, key=key, request_hash=mark)
    except IntegrityError:
        return None


def _keep(claim: KeptAnswer, response: HttpResponse, *, holds_secret: bool) -> None:
    claim.status = response.status_code
    claim.location = response.headers.get("Location", "")
    claim.body = "" if holds_secret else response.content.decode()
    claim.holds_secret = holds_secret
    claim.save(update_fields=["status", "location", "body", "holds_secret"])


def _kept(answer: KeptAnswer, mark: str) -> HttpResponse:
    if not constant_time_compare(answer.request_hash, mark):
        raise Refused("key_used_otherwise")
    headers = {"Idempotency-Replayed": "true"} | ({"Location": answer.location} if answer.location else {})
    if answer.holds_secret:
        raise Refused("answer_not_kept", headers=headers)
    return HttpResponse(answer.body, status=answer.status, content_type="application/json", headers=headers)


def _mark(request: HttpRequest, user: User) -> str:
    """Recognise the request by a keyed hash: a body may hold a passphrase, and a plain one could be guessed from it."""
    token = acting_token(user)
    parts = (str(token.pk if token else ""), str(request.method), request.get_full_path(), request.body.hex())
    return salted_hmac("trustui.api.idempotency", "\n".join(parts), algorithm="sha256").hexdigest()
