"""The words, icons and colours that mean the same thing on every page."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

# verdict -> tone, icon, word, what it means
VERDICTS: dict[str, tuple[str, str, str, str]] = {
    "verified": ("good", "badge-check", "Verified", "Every signature up to the root key holds."),
    "unknown_key": (
        "odd",
        "shield-question-mark",
        "Unknown key",
        "Signed, but not by a key this dashboard trusts.",
    ),
    "expired": ("warn", "clock-alert", "Expired", "The signatures are right, but their time is over."),
    "drifted": ("warn", "git-compare-arrows", "Drifted", "The registry shows another digest than was signed."),
    "unsigned": ("bad", "shield-off", "Unsigned", "There is no signature at all."),
    "unchecked": ("", "circle-dashed", "Not checked", "Nobody has looked yet."),
    "unreachable": ("", "unplug", "Not reached", "The trust server gave no answer; the last known state is shown."),
    "broken": ("bad", "shield-x", "Does not verify", "What the trust server gave is not what was promised."),
}

# state of an operation or a request -> tone, icon, word
STATES: dict[str, tuple[str, str, str]] = {
    "queued": ("busy", "hourglass", "Queued"),
    "running": ("busy", "loader-circle", "Running"),
    "done": ("good", "circle-check", "Done"),
    "failed": ("bad", "circle-x", "Failed"),
    "cancelled": ("", "ban", "Cancelled"),
    "waiting": ("busy", "hourglass", "Waiting for approval"),
    "approved": ("good", "circle-check", "Approved"),
    "rejected": ("bad", "circle-x", "Rejected"),
    "expired": ("warn", "clock-alert", "Expired"),
    "withdrawn": ("", "ban", "Withdrawn"),
    "due": ("busy", "hourglass", "To be sent"),
    "delivered": ("good", "circle-check", "Delivered"),
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
    "notice": "inbox",
    "webhook": "accounts",
    "audit": "audit",
}

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def section_of(url_name: str | None) -> str:
    """Tell which entry of the navigation a page belongs to."""
    return SECTIONS.get((url_name or "").split("_")[0], "")


def age(moment: datetime, now: datetime | None = None) -> str:
    """Say how long ago, or how far ahead, a moment is."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    for unit, size in _UNITS:
        if abs(seconds) >= size:
            count = int(abs(seconds) // size)
            plural = f"{count} {unit}{'s' if count != 1 else ''}"
            return f"{plural} ago" if seconds > 0 else f"in {plural}"
    return "just now" if seconds >= 0 else "in a moment"


def size(count: int) -> str:
    """Write a number of bytes as people read it."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
