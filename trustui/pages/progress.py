"""How far an operation is, in words and numbers a page can draw."""

from __future__ import annotations

from dataclasses import dataclass

from signing import queue
from signing.models import Operation
from trustui.pages.words import size

# step -> icon, word
STEPS = {
    queue.RESOLVE: ("search", "Resolve"),
    queue.PULL: ("download", "Pull"),
    queue.PUSH: ("upload", "Push aside"),
    queue.SIGN: ("pen-line", "Sign and verify"),
    queue.RELEASE: ("send", "Move the tag"),
    queue.ADD_SIGNER: ("user-plus", "Delegate and verify"),
    queue.GENERATE_KEY: ("key-round", "Generate"),
    queue.IMPORT_KEY: ("key-round", "Import"),
    queue.MAKE_CSR: ("file-badge", "Write the request"),
    queue.REFRESH: ("refresh-cw", "Ask and verify"),
    queue.IMPORT_TRUST: ("download", "Copy and verify"),
    queue.EXPORT_TRUST: ("upload", "Copy"),
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
        return {"done": "done", "now": "now", "failed": "failed here"}.get(self.state, "to come")


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
            return f"{self.current} of {self.total} versions"
        return f"{size(self.current)} of {size(self.total)}"


def steps_of(operation: Operation) -> list[Step]:
    """Draw every step of an operation and where it is."""
    drawn = []
    for name in queue.steps_of(operation):
        symbol, word = STEPS.get(name, ("circle-dashed", name))
        state = _state(operation, name)
        spins = state == "now" and operation.state == Operation.State.RUNNING
        drawn.append(Step(word, symbol, state, spins))
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
