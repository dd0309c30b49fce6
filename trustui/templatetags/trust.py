"""How trust looks: icons, verdicts, digests, times and commands, the same on every page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django import template
from django.forms import BoundField
from django.http import HttpRequest, QueryDict
from django.template.context import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.approvals.words import title_of
from signing.models import ChangeRequest
from trustui.pages.api_calls import calls_of
from trustui.pages.words import STATES, VERDICTS, age, section_of

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

VALUE = _("value")
ON_COMMAND_LINE = _("The same on the command line")

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw one symbol of the sprite; what it means is always written beside it."""
    return format_html(
        '<svg class="icon {}" width="18" height="18" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra,
        static("icons.svg"),
        name,
    )


@register.inclusion_tag("parts/badge.html")
def verdict(value: str) -> dict[str, Any]:
    """Show one of the verdict words with its icon and colour."""
    tone, symbol, word, meaning = VERDICTS.get(value, VERDICTS["unchecked"])
    return {"tone": tone, "symbol": symbol, "word": word, "meaning": meaning}


@register.inclusion_tag("parts/badge.html")
def state(value: str) -> dict[str, Any]:
    """Show how far an operation or a request is."""
    tone, symbol, word = STATES.get(value, ("", "circle-dashed", value))
    return {"tone": tone, "symbol": symbol, "word": word, "spins": value == "running"}


@register.inclusion_tag("parts/hash.html")
def digest(value: str, prefix: str = "sha256:") -> dict[str, Any]:
    """Show an image digest shortened, with a button that copies all of it."""
    return {"short": f"{prefix}{value[:12]}", "full": f"{prefix}{value}", "what": gettext("digest")}


@register.inclusion_tag("parts/hash.html")
def keyid(value: str) -> dict[str, Any]:
    """Show a key id shortened, with a button that copies all of it."""
    return {"short": value[:12], "full": value, "what": gettext("key ID")}


@register.inclusion_tag("parts/hash.html")
def whole(value: str, what: StrOrPromise = VALUE) -> dict[str, Any]:
    """Show a long value in full, with a button that copies it."""
    return {"short": value, "full": value, "what": what, "is_whole": True}


@register.inclusion_tag("parts/command.html")
def command(text: str, says: StrOrPromise = ON_COMMAND_LINE) -> dict[str, Any]:
    """Show a shell command with real values, ready to copy."""
    return {"text": text, "says": says}


@register.inclusion_tag("parts/api_calls.html", takes_context=True)
def api_calls(context: Context) -> dict[str, Any]:
    """Show which endpoints do what this page does, with its real values."""
    request: HttpRequest | None = context.get("request")
    asked = context.get("asked")
    known = {"content_hash": asked.content_hash} if isinstance(asked, ChangeRequest) else {}
    return {"calls": calls_of(request, known) if request else []}


@register.simple_tag
def when(moment: datetime | None) -> SafeString | str:
    """Write a time as ISO date and clock with its zone; how long ago it was shows on hover."""
    if moment is None:
        return gettext("never")
    utc = moment.astimezone(timezone.get_current_timezone())
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        moment.isoformat(),
        age(moment),
        utc.strftime("%Y-%m-%d %H:%M %Z"),
    )


@register.simple_tag
def ago(moment: datetime | None) -> SafeString | str:
    """Write how long ago (or ahead) a time is; the exact time shows on hover."""
    if moment is None:
        return gettext("never")
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        moment.isoformat(),
        moment.strftime("%Y-%m-%d %H:%M:%S %Z"),
        age(moment),
    )


@register.inclusion_tag("parts/nav_link.html", takes_context=True)
def nav_link(context: Context, url_name: str, label: str, symbol: str, count: int = 0) -> dict[str, Any]:
    """Link to a section; the one the page belongs to is marked."""
    match = getattr(context.get("request"), "resolver_match", None)
    current = match is not None and section_of(match.url_name) == url_name
    return {
        "href": reverse(url_name),
        "label": label,
        "symbol": symbol,
        "count": count,
        "is_current": current,
    }


@register.simple_tag
def tag_url(gun: str, tag: str) -> str:
    """Find the page of one tag; empty for a target whose name no image tag could have."""
    try:
        return reverse("tag", args=[gun, tag])
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def here_with(context: Context, **changes: Any) -> str:
    """Build this page's address with some query values changed (an empty one is dropped)."""
    query: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = str(value)
    return "?" + query.urlencode()


@register.inclusion_tag("parts/field.html")
def field(bound: BoundField, extra_class: str = "", is_filter: bool = False) -> dict[str, Any]:
    """Show one form field with label, help and errors, tied together for screen readers."""
    return {
        "field": bound,
        "kind": getattr(bound.field.widget, "input_type", ""),
        "extra_class": extra_class,
        "multiple": _is_group(bound),
        "is_filter": is_filter,
    }


def _is_group(bound: BoundField) -> bool:
    return bool(getattr(bound.field.widget, "use_fieldset", False))


@register.filter
def initial_of(name: object) -> str:
    """Take the first letter of a name for its round picture."""
    return str(name)[:1] or "?"


@register.simple_tag
def signer_person(people: Mapping[str, str], name: str) -> str:
    """Say who is behind a signer's name; a key nobody here enrolled stays without a face."""
    return people.get(name, gettext("not known here"))


@register.filter
def request_title(asked: ChangeRequest) -> str:
    """Say what a request asks for."""
    return title_of(asked)


@register.filter
def breakable(name: object) -> SafeString:
    """Let a long image name break after its slashes rather than inside a word."""
    return format_html_join(mark_safe("/<wbr>"), "{}", ((part,) for part in str(name).split("/")))
