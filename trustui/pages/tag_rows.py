"""The rows of the list of tags, written by hand: a hundred of them are most of the work of the page that shows them.

A template with the parts of other lists takes some twenty times as long (`make bench` compares). What they look like is
the same; everything from outside is escaped here, once per value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import cache

from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from signing.models import Repository, SignedTag, TagVerdict
from signing.selectors.tag_rows import TagRow
from trustui.pages.words import VERDICTS

SHORT = 12


def rows_of(repository: Repository, rows: Iterable[TagRow], people: Mapping[str, str]) -> SafeString:
    """Write the rows; `people` names who is behind each signer."""
    writer = _Writer(repository, people)
    return SafeString("".join(map(writer.row, rows)))  # every value went through `escape`


class _Writer:
    """Writes rows in the language of the request; what repeats from row to row is written once."""

    def __init__(self, repository: Repository, people: Mapping[str, str]) -> None:
        self._people = people
        self._sprite = static("icons.svg")
        self._link = _links(repository.gun)
        self._copy, self._copy_icon = escape(_("Copy digest")), self._icon("copy")
        self._seen, self._nobody = escape(_("seen")), f'<span class="soft">{escape(_("nobody"))}</span>'
        self._begin = [
            f'<td data-label="{escape(label)}">'
            for label in (_("Tag"), _("Status"), _("Digest"), _("Platforms"), _("Signed by"), _("Signed"), _("Ends"))
        ]
        self.badge, self.signers, self.date = cache(self._badge), cache(self._signers), cache(self._date)

    def row(self, row: TagRow) -> str:
        """Write one row."""
        tag, status, digest, _unused, signers, signed, ends = self._begin
        name = f"<tr>{tag}{self._link(row.tag, escape(row.tag))}</td>"
        if not isinstance(row, SignedTag):
            seen = self._first_seen(row.first_seen)
            cells = f"{status}{self.badge(TagVerdict.UNSIGNED)}</td>{digest}{self._digest(row.digest)}</td>"
            return f"{name}{cells}<td></td>{signers}{self._nobody}</td>{signed}{seen}</td><td></td></tr>"
        return (
            f"{name}{status}{self.badge(row.verdict)}</td>"
            f"{digest}{self._digest(row.digest)}{self._elsewhere(row)}</td>{self._platforms(row)}"
            f"{signers}{self.signers(tuple(row.signers), tuple(row.key_ids))}</td>"
            f"{signed}{self._signed(row)}</td>{ends}{self.date(row.expires_at)}</td></tr>"
        )

    def _digest(self, value: str) -> str:
        short, whole = escape(value[:SHORT]), escape(value)
        return (
            f'<span class="hash"><code>sha256:{short}…</code><button class="copy no-script-hidden"'
            f' data-copy="sha256:{whole}" aria-label="{self._copy} {short}">{self._copy_icon}</button></span>'
        )

    def _icon(self, name: str) -> str:
        return f'<svg class="icon" aria-hidden="true"><use href="{self._sprite}#{name}"/></svg>'

    def _badge(self, verdict: str) -> str:
        tone, symbol, word, _meaning = VERDICTS[verdict]
        return f'<span class="badge {tone}">{self._icon(symbol)}{escape(word)}</span>'

    def _elsewhere(self, row: SignedTag) -> str:
        """Show what the registry has instead of what was signed."""
        if row.verdict != TagVerdict.DRIFTED or not row.registry_digest:
            return ""
        words = _("the registry shows %(digest)s") % {"digest": f"sha256:{row.registry_digest[:SHORT]}…"}
        return f'<div class="small bad-text">{escape(words)}</div>'

    def _platforms(self, row: SignedTag) -> str:
        if not row.platforms:
            return "<td></td>"
        names = [str(platform.get("platform", "")) for platform in row.platforms]
        bare = [str(one.get("platform", "")) for one in row.platforms if not one.get("signed")]
        count = f"{len(names) - len(bare)}/{len(names)}"
        words = f"{_('not signed:')} {', '.join(bare)}" if bare else ", ".join(n.removeprefix("linux/") for n in names)
        tone = "bad-text" if bare else "soft"
        return (
            f'{self._begin[3]}<div title="{escape(", ".join(names))}">{count}'
            f' <span class="small {tone}">{escape(words)}</span></div></td>'
        )

    def _signers(self, names: tuple[str, ...], key_ids: tuple[str, ...]) -> str:
        if not names:
            chips = f'<span class="chip">{self._icon("key-round")}{escape(_("Repo Admin"))}</span>'
        else:
            chips = "".join(self._chip(name) for name in names)
        keys = " ".join(f"<code>{escape(key[:SHORT])}…</code>" for key in key_ids)
        return f"<div>{chips} {keys}</div>"

    def _chip(self, name: str) -> str:
        person = self._people.get(name, _("not known here"))
        avatar = f'<span class="avatar" aria-hidden="true">{escape(name[:1])}</span>'
        who = "" if person == name else f' <span class="soft">· {escape(person)}</span>'
        return f'<span class="chip">{avatar}{escape(name)}{who}</span>'

    def _signed(self, row: SignedTag) -> str:
        if row.signed_at:
            return self.date(row.signed_at)
        return self._first_seen(row.first_seen)

    def _first_seen(self, moment: datetime) -> str:
        return f'<span><span class="soft">{self._seen}</span> {self.date(moment)}</span>'

    def _date(self, moment: datetime | None) -> str:
        if moment is None:
            return ""
        local = moment.astimezone(timezone.get_current_timezone())
        return f'<time datetime="{moment.isoformat(timespec="seconds")}">{local:%Y-%m-%d}</time>'


def _links(gun: str) -> Callable[[str, str], str]:
    """Give what writes the link to a tag; a name that no image tag could have gets none."""
    stem = reverse("tag", args=[gun, "x"]).removesuffix("x/")

    def link(tag: str, escaped: str) -> str:
        if tag.isascii() and tag.replace("-", "").replace(".", "").replace("_", "").isalnum():
            return f'<a class="name" href="{stem}{tag}/">{escaped}</a>'
        try:
            return f'<a class="name" href="{reverse("tag", args=[gun, tag])}">{escaped}</a>'
        except NoReverseMatch:
            return f"<strong>{escaped}</strong>"

    return link
