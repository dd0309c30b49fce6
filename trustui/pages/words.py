"""The words, icons and colours that mean the same thing on every page."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# verdict -> tone, icon, word, what it means
VERDICTS: dict[str, tuple[str, str, StrOrPromise, StrOrPromise]] = {
    "verified": ("good", "badge-check", _("Verified"), _("Every signature up to the root key holds.")),
    "unknown_key": (
        "odd",
        "shield-question-mark",
        _("Unknown key"),
        _("Signed, but not by a key this dashboard trusts."),
    ),
    "expired": ("warn", "clock-alert", _("Expired"), _("The signatures are right, but their time is over.")),
    "drifted": ("warn", "git-compare-arrows", _("Drifted"), _("The registry shows another digest than was signed.")),
    "unsigned": ("bad", "shield-off", _("Unsigned"), _("There is no signature at all.")),
    "unchecked": ("", "circle-dashed", _("Not checked"), _("Nobody has looked yet.")),
    "unreachable": (
        "",
        "unplug",
        _("Not reached"),
        _("The trust server gave no answer; the last known state is shown."),
    ),
    "broken": ("bad", "shield-x", _("Does not verify"), _("What the trust server gave is not what was promised.")),
}

# state of an operation or a request -> tone, icon, word
STATES: dict[str, tuple[str, str, StrOrPromise]] = {
    "queued": ("busy", "hourglass", _("Queued")),
    "running": ("busy", "loader-circle", _("Running")),
    "needs_signature": ("busy", "hourglass", _("Needs a signature")),
    "paused": ("busy", "hourglass", _("Paused")),
    "done": ("good", "circle-check", _("Done")),
    "failed": ("bad", "circle-x", _("Failed")),
    "cancelled": ("", "ban", _("Cancelled")),
    "waiting": ("busy", "hourglass", _("Waiting for approval")),
    "approved": ("good", "circle-check", _("Approved")),
    "rejected": ("bad", "circle-x", _("Rejected")),
    "expired": ("warn", "clock-alert", _("Expired")),
    "withdrawn": ("", "ban", _("Withdrawn")),
    "due": ("busy", "hourglass", _("To be sent")),
    "delivered": ("good", "circle-check", _("Delivered")),
    "good": ("good", "circle-check", _("Works")),
    "warning": ("warn", "triangle-alert", _("Needs care")),
    "broken": ("bad", "circle-x", _("Broken")),
    "unknown": ("warn", "circle-dashed", _("Not known")),
}

# first word of a URL's name -> the section of the navigation it belongs to
SECTIONS = {
    "overview": "overview",
    "repository": "repositories",
    "repositories": "repositories",
    "tag": "repositories",
    "publish": "repositories",
    "sign": "repositories",
    "key": "keys",
    "keys": "keys",
    "expiry": "expiry",
    "signer": "signers",
    "signers": "signers",
    "request": "requests",
    "requests": "requests",
    "operation": "operations",
    "operations": "operations",
    "account": "accounts",
    "accounts": "accounts",
    "people": "people",
    "person": "people",
    "machines": "machines",
    "machine": "machines",
    "trust": "trust_servers",
    "inbox": "inbox",
    "alert": "alerts",
    "alerts": "alerts",
    "watched": "alerts",
    "history": "repositories",
    "notice": "inbox",
    "webhook": "accounts",
    "audit": "audit",
    "health": "health_page",
}

# seconds -> so long ago, so far ahead
_AGES = (
    (
        86400,
        ngettext_lazy("%(count)d day ago", "%(count)d days ago", "count"),
        ngettext_lazy("in %(count)d day", "in %(count)d days", "count"),
    ),
    (
        3600,
        ngettext_lazy("%(count)d hour ago", "%(count)d hours ago", "count"),
        ngettext_lazy("in %(count)d hour", "in %(count)d hours", "count"),
    ),
    (
        60,
        ngettext_lazy("%(count)d minute ago", "%(count)d minutes ago", "count"),
        ngettext_lazy("in %(count)d minute", "in %(count)d minutes", "count"),
    ),
)


def section_of(url_name: str | None) -> str:
    """Tell which entry of the navigation a page belongs to."""
    return SECTIONS.get((url_name or "").split("_")[0], "")


def age(moment: datetime, now: datetime | None = None) -> str:
    """Say how long ago, or how far ahead, a moment is."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    for size, past, ahead in _AGES:
        if abs(seconds) >= size:
            count = int(abs(seconds) // size)
            return str((past if seconds > 0 else ahead) % {"count": count})
    return gettext("just now") if seconds >= 0 else gettext("in a moment")


def size(count: int) -> str:
    """Write a number of bytes as people read it."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
