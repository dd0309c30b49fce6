"""How far an operation is, in words and numbers a page can draw."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing import queue
from signing.models import Operation
from trustui.pages.words import size

# step -> icon, word
STEPS = {
    queue.RESOLVE: ("search", _("Resolve")),
    queue.PULL: ("download", _("Pull")),
    queue.PUSH: ("upload", _("Push aside")),
    queue.SIGN: ("pen-line", _("Sign and verify")),
    queue.RELEASE: ("send", _("Move the tag")),
    queue.ADD_SIGNER: ("user-plus", _("Delegate and verify")),
    queue.GENERATE_KEY: ("key-round", _("Generate")),
    queue.IMPORT_KEY: ("key-round", _("Import")),
    queue.ENROL_KEY: ("fingerprint-pattern", _("Read the key and have it sign")),
    queue.MAKE_CSR: ("file-badge", _("Write the request")),
    queue.REFRESH: ("refresh-cw", _("Ask and verify")),
    queue.IMPORT_TRUST: ("download", _("Copy and verify")),
    queue.EXPORT_TRUST: ("upload", _("Copy")),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One dot of the picture."""

    word: str
    symbol: str
    state: str  # done, now, failed or next
    spins: bool = False

    @property
    def says(self) -> str:
        return {"done": gettext("done"), "now": gettext("now"), "failed": gettext("failed here")}.get(
            self.state, gettext("to come")
        )


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a transfer."""

    name: str
    status: str
    current: int
    total: int

    @property
    def amount(self) -> str:
        if not self.total:
            return self.status
        if self.status == queue.VERSIONS:
            return gettext("%(current)s of %(total)s versions") % {"current": self.current, "total": self.total}
        return gettext("%(current)s of %(total)s") % {"current": size(self.current), "total": size(self.total)}


def steps_of(operation: Operation) -> list[Step]:
    """Draw every step of an operation and where it is."""
    drawn = []
    for name in queue.steps_of(operation):
        symbol, word = STEPS.get(name, ("circle-dashed", name))
        state = _state(operation, name)
        spins = state == "now" and operation.state == Operation.State.RUNNING
        drawn.append(Step(str(word), symbol, state, spins))
    return drawn


def _state(operation: Operation, name: str) -> str:
    if name in operation.done_steps or operation.state == Operation.State.DONE:
        return "done"
    if name != operation.step:
        return "next"
    if operation.state == Operation.State.FAILED:
        return "failed"
    return "next" if operation.state == Operation.State.CANCELLED else "now"


def layers_of(operation: Operation) -> list[Layer]:
    """List the layers of the running transfer."""
    return [
        Layer(name, str(seen.get("status", "")), int(seen.get("current") or 0), int(seen.get("total") or 0))
        for name, seen in sorted(operation.layers.items())
    ]
