"""Turn happenings into inbox notices, mails and webhook deliveries, and send what is due.

Nothing is lost and little is sent twice: each mail and delivery is a row that is claimed before it is sent, and that is
tried again later where sending failed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from signing.adapters import webhooks
from signing.adapters.unsealing import unseal
from signing.errors import CannotUnseal, WebhookRefused
from signing.models import Happening, Notice, NoticeChoice, User, Webhook, WebhookDelivery
from signing.recipients import recipients
from signing.sealing import webhook_context

WAITS = (10, 60, 300, 1800, 7200, 21600)  # seconds before each further attempt
CLAIMED_FOR = timedelta(minutes=2)  # after that a worker that died is given up for lost
MOST = 200  # rows of a kind per tick
DEFAULT_WAY = NoticeChoice.Way.NOW

_log = structlog.get_logger(__name__)


def send_notices() -> None:
    """Spread what happened, then send the mails and webhooks that are due."""
    for happening in Happening.objects.filter(spread_at=None).order_by("pk")[:MOST]:
        _spread(happening)
    for notice in Notice.objects.filter(_is_due(), mail=Notice.Mail.DUE).select_related("user", "happening")[:MOST]:
        _send_mail(notice)
    due = WebhookDelivery.objects.filter(_is_due(), state=WebhookDelivery.State.DUE, webhook__is_active=True)
    for delivery in due.select_related("webhook", "happening__account", "happening__repository").order_by("pk")[:MOST]:
        _deliver(delivery)


def send_digests() -> None:
    """Send each person one mail of what gathered before the last digest hour."""
    cutoff = _last_digest_hour(timezone.now())
    waiting = Notice.objects.filter(mail=Notice.Mail.DIGEST)
    for user in User.objects.filter(pk__in=waiting.filter(happening__at__lt=cutoff).values("user")):
        _send_digest(user)


def _spread(happening: Happening) -> None:
    """Make the notices and deliveries of one happening, once."""
    with transaction.atomic():
        if not Happening.objects.filter(pk=happening.pk, spread_at=None).update(spread_at=timezone.now()):
            return  # another worker did
        for user in recipients(happening):
            way = _way(user, happening.event)
            if way != NoticeChoice.Way.OFF:
                Notice.objects.create(user=user, happening=happening, mail=_mail_of(user, way))
        for webhook in Webhook.objects.filter(account=happening.account, is_active=True):
            if happening.account and happening.event in webhook.events:
                WebhookDelivery.objects.create(webhook=webhook, happening=happening)


def _way(user: User, event: str) -> str:
    chosen = NoticeChoice.objects.filter(user=user, event=event).values_list("way", flat=True).first()
    return chosen or DEFAULT_WAY


def _mail_of(user: User, way: str) -> Notice.Mail:
    if not (settings.SENDS_MAIL and user.email):
        return Notice.Mail.NONE
    ways = {NoticeChoice.Way.NOW: Notice.Mail.DUE, NoticeChoice.Way.DIGEST: Notice.Mail.DIGEST}
    return ways.get(NoticeChoice.Way(way), Notice.Mail.NONE)


def _send_mail(notice: Notice) -> None:
    if not _claim(Notice.objects.filter(_is_due(), pk=notice.pk, mail=Notice.Mail.DUE), notice.attempts):
        return
    happening = notice.happening
    text = f"{happening.subject}\n\n{_link(happening)}\n\n{_WHY}\n{settings.DASHBOARD_URL}/me/notices/\n"
    is_sent = _mail(notice.user, happening.subject, text)
    mail = Notice.Mail.SENT if is_sent else _after(notice.attempts, Notice.Mail.DUE, Notice.Mail.FAILED)
    Notice.objects.filter(pk=notice.pk).update(mail=mail, next_attempt_at=_next(notice.attempts))


def _send_digest(user: User) -> None:
    notices = list(user.notices.filter(mail=Notice.Mail.DIGEST).select_related("happening").order_by("happening__at"))
    mine = Notice.objects.filter(pk__in=[notice.pk for notice in notices], mail=Notice.Mail.DIGEST)
    if not mine.update(mail=Notice.Mail.SENT):
        return  # another worker sends it
    lines = [f"{notice.happening.subject}\n  {_link(notice.happening)}" for notice in notices]
    text = "\n\n".join([*lines, f"{_WHY}\n{settings.DASHBOARD_URL}/me/notices/\n"])
    if not _mail(user, f"{len(notices)} thing{'s' * (len(notices) != 1)} since the last digest", text):
        Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(mail=Notice.Mail.DIGEST)


_WHY = "You get this because of your part in these repositories. Choose what you are told at"


def _mail(user: User, subject: str, text: str) -> bool:
    """Send one mail; a name from outside cannot add a header, because a subject is one line."""
    try:
        return bool(send_mail(f"[TrustUI] {' '.join(subject.split())}", text, None, [user.email]))
    except (OSError, SMTPException) as error:
        _log.warning("mail.not_sent", user=user.pk, reason=type(error).__name__)
        return False


def _deliver(delivery: WebhookDelivery) -> None:
    mine = WebhookDelivery.objects.filter(_is_due(), pk=delivery.pk, state=WebhookDelivery.State.DUE)
    if not _claim(mine, delivery.attempts):
        return
    status, problem = _post(delivery)
    fields: dict[str, Any] = {"status": status, "error": problem[:300], "next_attempt_at": _next(delivery.attempts)}
    if not problem:
        fields |= {"state": WebhookDelivery.State.DELIVERED, "delivered_at": timezone.now()}
    else:
        states = WebhookDelivery.State
        fields["state"] = _after(delivery.attempts, states.DUE, states.FAILED)
    WebhookDelivery.objects.filter(pk=delivery.pk).update(**fields)


def _post(delivery: WebhookDelivery) -> tuple[int | None, str]:
    """Send it; gives the status and what is wrong, an empty text where nothing is."""
    webhook, happening = delivery.webhook, delivery.happening
    message = webhooks.Message(happening.event, str(happening.uuid), orjson.dumps(body_of(happening)))
    try:
        secret = unseal(webhook.secret, webhook_context(webhook.pk))
        status = webhooks.send(webhook.url, secret, message, int(timezone.now().timestamp()))
    except (WebhookRefused, CannotUnseal) as error:
        return None, error.message
    return status, "" if 200 <= status < 300 else f"The receiver answered {status}."


def body_of(happening: Happening) -> dict[str, Any]:
    """Form the body a webhook carries; docs/api.md describes it."""
    return {
        "id": str(happening.uuid),
        "event": happening.event,
        "at": happening.at.isoformat(),
        "account": happening.account.name if happening.account else None,
        "repository": happening.repository.gun if happening.repository else None,
        "request": happening.request_id,
        "subject": happening.subject,
        "url": _link(happening),
        "detail": happening.detail,
    }


def _claim(rows: Any, attempts: int) -> bool:
    """Take a row for a while; who comes second gets nothing."""
    return bool(rows.update(attempts=attempts + 1, next_attempt_at=timezone.now() + CLAIMED_FOR))


def _is_due() -> Q:
    return Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())


def _next(attempts: int) -> datetime:
    return timezone.now() + timedelta(seconds=WAITS[min(attempts, len(WAITS) - 1)])


def _after(attempts: int, again: str, given_up: str) -> str:
    return again if attempts < len(WAITS) else given_up


def _last_digest_hour(now: datetime) -> datetime:
    today = now.replace(hour=settings.DIGEST_HOUR, minute=0, second=0, microsecond=0)
    return today if now >= today else today - timedelta(days=1)


def _link(happening: Happening) -> str:
    return f"{settings.DASHBOARD_URL}{happening.path}"
