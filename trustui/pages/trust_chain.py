"""The picture of the chain of trust: where each box and each line stands. The template only draws.

It is drawn twice: in columns for a wide page, as a tree for a narrow one; style sheets show the one that fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from signing.models import Repository
from signing.selectors.trust_chain import KeyUse, RoleInChain, TagInChain, TrustChain
from trustui.pages.words import VERDICTS

LINE, HEAD, PADDING = 18, 24, 10
COLUMN, GAP, BETWEEN = 222, 54, 14
TREE_WIDTH, INDENT = 320, 18
MOST_KEYS, MOST_ROLES = 3, 12
LONGEST = 27
FITTING = 100
ZOOMS = (75, FITTING, 150, 200, 300)
"""In per cent; the one that fits is never wider than the page."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key of a role: what stands in the box, who holds it and where the link goes."""

    text: str
    says: str
    url: str
    custody: str


@dataclass(frozen=True, slots=True)
class Node:
    """What one box says, wherever it stands. `parents` are the names of the boxes that vouch for it."""

    name: str
    title: str
    lines: tuple[str, ...]
    keys: tuple[KeyLine, ...]
    tone: str
    url: str
    parents: tuple[str, ...]
    problem: str = ""

    @property
    def height(self) -> int:
        """How high its box is."""
        return HEAD + LINE * (len(self.lines) + len(self.keys)) + PADDING


@dataclass(frozen=True, slots=True)
class Box:
    """A node in its place."""

    node: Node
    x: int
    y: int
    width: int

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines under the title, each with its height."""
        for place, text in enumerate(self.node.lines):
            yield self.y + HEAD + LINE * (place + 1) - 2, text

    @property
    def keys(self) -> Iterator[tuple[int, KeyLine]]:
        """The keys under these, each with its height."""
        first = HEAD + LINE * (len(self.node.lines) + 1) - 2
        for place, key in enumerate(self.node.keys):
            yield self.y + first + LINE * place, key

    @property
    def text_x(self) -> int:
        """Where text begins."""
        return self.x + 14

    @property
    def title_y(self) -> int:
        """The height of the title."""
        return self.y + HEAD - 4


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and lines, ready to draw."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    paths: tuple[str, ...]
    zoom: int = FITTING

    @property
    def shown_width(self) -> int:
        """How wide it is drawn on the page."""
        return self.width * self.zoom // 100

    @property
    def shown_height(self) -> int:
        """How high it is drawn on the page."""
        return self.height * self.zoom // 100


@dataclass(frozen=True, slots=True)
class Picture:
    """The chain as columns, as a tree and as the list that says the same."""

    columns: Drawing
    tree: Drawing
    layers: tuple[tuple[str, tuple[Node, ...]], ...]


def zoom_of(text: str) -> int:
    """Read how much larger the picture is asked for; what is no such step fits the page."""
    return next((zoom for zoom in ZOOMS if str(zoom) == text), FITTING)


def steps_of(zoom: int) -> tuple[int | None, int | None]:
    """Give the next smaller and the next larger step, where there is one."""
    place = ZOOMS.index(zoom)
    return (ZOOMS[place - 1] if place else None, ZOOMS[place + 1] if place + 1 < len(ZOOMS) else None)


def picture_of(repository: Repository, chain: TrustChain, zoom: int = FITTING) -> Picture:
    """Draw the chain of one repository."""
    nodes = _Nodes(repository, chain)
    layers = (
        (_("Root"), (nodes.role(chain.root),)),
        (_("Roles of the repository"), tuple(map(nodes.role, chain.base))),
        (_("Delegations"), nodes.delegations()),
        (_("Tags"), nodes.tags()),
    )
    drawn = [layer for _title, layer in layers]
    return Picture(_columns(drawn, zoom), _tree(drawn, zoom), layers)


class _Nodes:
    """Puts roles and tags into words."""

    def __init__(self, repository: Repository, chain: TrustChain) -> None:
        self._repository = repository
        self._chain = chain
        self._tone = VERDICTS[repository.verdict][0]
        self._now = timezone.now()

    def role(self, role: RoleInChain) -> Node:
        """Say who may sign a role, until when its file counts and where its keys are."""
        return Node(
            name=role.name,
            title=_short(role.name),
            lines=tuple(self._lines(role)),
            keys=tuple(map(_key_line, role.keys[:MOST_KEYS])),
            tone=self._tone_of(role),
            url=f"{reverse('repository_metadata', args=[self._repository.gun])}?role={role.name}",
            parents=(role.parent,) if role.parent else (),
            problem=role.problem,
        )

    def delegations(self) -> tuple[Node, ...]:
        """Say it of each delegation, of many only of the first."""
        shown = [self.role(role) for role in self._chain.delegations[:MOST_ROLES]]
        more = len(self._chain.delegations) - len(shown)
        if more:
            words = ngettext("and %(count)s delegation more", "and %(count)s delegations more", more)
            shown.append(self._note("more-roles", words % {"count": more}, "#signers", ("targets",)))
        if not shown:
            nobody = _("No delegation")
            shown = [self._note("none", nobody, "", ("targets",), _("only the repository key signs"))]
        return tuple(shown)

    def tags(self) -> tuple[Node, ...]:
        """Show the tags that were chosen, and how many there are besides."""
        shown = [self._tag(tag) for tag in self._chain.tags]
        drawn = {role.name for role in self._chain.delegations[:MOST_ROLES]}
        anybody = tuple(drawn) or ("targets",)
        if self._chain.more_tags:
            words = ngettext("and %(count)s tag more", "and %(count)s tags more", self._chain.more_tags)
            shown.append(self._note("more-tags", words % {"count": f"{self._chain.more_tags:,}"}, "#tags", anybody))
        return tuple(shown) or (self._note("no-tags", _("No tag is signed yet"), "", anybody),)

    def _tag(self, tag: TagInChain) -> Node:
        tone, _symbol, word, _meaning = VERDICTS[tag.verdict]
        try:
            url = reverse("tag", args=[self._repository.gun, tag.name])
        except NoReverseMatch:
            url = ""
        return Node(f"tag {tag.name}", _short(tag.name), (str(word),), (), tone, url, tag.parents)

    def _note(self, name: str, title: str, url: str, parents: tuple[str, ...], text: str = "") -> Node:
        return Node(name, title, (text,) if text else (), (), "", url, parents)

    def _lines(self, role: RoleInChain) -> Iterator[str]:
        count = len(role.keys)
        words = ngettext("%(threshold)s of %(count)s key signs", "%(threshold)s of %(count)s keys sign", count)
        yield words % {"threshold": role.threshold, "count": count}
        if role.expires:
            form = _("over since %(date)s") if role.expires < self._now else _("until %(date)s")
            yield form % {"date": f"{role.expires:%Y-%m-%d}"}
        elif role.problem:
            yield _("does not count now")
        else:
            yield _("nothing signed yet")
        if count > MOST_KEYS:
            more = count - MOST_KEYS
            yield ngettext("%(count)s key more", "%(count)s keys more", more) % {"count": more}

    def _tone_of(self, role: RoleInChain) -> str:
        if role.problem:
            return "bad"
        if role.expires and role.expires < self._now:
            return "warn"
        return self._tone if role.expires else ""


def _key_line(key: KeyUse) -> KeyLine:
    short = f"{key.key_id[:12]}…"
    if key.row is None:
        return KeyLine(f"{short} {_('not kept here')}", key.key_id, "", "")
    holder = f"{key.row.name}, {key.row.owner}" if key.row.owner else key.row.name
    custody = str(key.row.get_custody_display())
    return KeyLine(f"{short} {custody}", f"{key.key_id} · {holder} · {custody}", key.row.get_absolute_url(), custody)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _columns(layers: Sequence[Sequence[Node]], zoom: int) -> Drawing:
    """Put each layer into a column, centred on the highest one."""
    heights = [sum(node.height for node in layer) + BETWEEN * (len(layer) - 1) for layer in layers]
    height = max(heights)
    boxes: dict[str, Box] = {}
    for place, (layer, own) in enumerate(zip(layers, heights, strict=True)):
        y = (height - own) // 2
        for node in layer:
            boxes[node.name] = Box(node, place * (COLUMN + GAP) + 1, y + 1, COLUMN)
            y += node.height + BETWEEN
    width = len(layers) * COLUMN + (len(layers) - 1) * GAP + 2
    return Drawing(width, height + 2, tuple(boxes.values()), tuple(_curves(boxes)), zoom)


def _curves(boxes: Mapping[str, Box]) -> Iterator[str]:
    for box in boxes.values():
        for parent in (boxes[name] for name in box.node.parents if name in boxes):
            x, y = parent.x + COLUMN, parent.y + parent.node.height // 2
            to_x, to_y = box.x, box.y + box.node.height // 2
            if to_x > x:
                bend = x + GAP // 2
                yield f"M{x} {y}C{bend} {y} {bend} {to_y} {to_x - 5} {to_y}"
            else:  # a delegation below another one stands in the same column
                yield f"M{parent.x + 24} {parent.y + parent.node.height}V{box.y}"


def _tree(layers: Iterable[Sequence[Node]], zoom: int) -> Drawing:
    """Put one box under the other, each moved in by its depth, with a line from the one that vouches for it."""
    boxes: dict[str, Box] = {}
    paths: list[str] = []
    y = 1
    for depth, layer in enumerate(layers):
        for node in layer:
            x = depth * INDENT + 1
            boxes[node.name] = Box(node, x, y, TREE_WIDTH - x - 1)
            parent = next((boxes[name] for name in node.parents if name in boxes), None)
            if parent is not None and parent.x < x:
                paths.append(f"M{parent.x + 9} {parent.y + parent.node.height}V{y + HEAD // 2 + 6}H{x}")
            y += node.height + BETWEEN
    return Drawing(TREE_WIDTH, y - BETWEEN + 1, tuple(boxes.values()), tuple(paths), zoom)
