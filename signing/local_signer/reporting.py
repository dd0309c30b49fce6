"""What a command that writes says: the true change of each repository, for people or as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signing.local_signer.exit_codes import Exit
from signing.local_signer.terminal import complain, complain_of, error_as_json, plain_line, say, say_json
from signing.trust.errors import TrustError
from signing.trust.notary.publishing import Published

MOST_SENTENCES = 30


class Report:
    """Collects what was done to each repository; `finish` gives the exit code."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._rows: list[dict[str, Any]] = []
        self.failures: list[str] = []

    def say(self, text: str) -> None:
        """Print one line, for people only."""
        if not self._as_json:
            say(plain_line(text))

    def done(self, gun: str, published: Published, said: Callable[[], None] | None = None, **more: Any) -> None:
        """Tell what a publish changed; `said` prints something else than the changes in sentences."""
        self.row(
            gun,
            changed=bool(published.versions),
            published=dict(published.versions),
            changes=list(published.changes),
            warnings=list(published.warnings),
            **more,
        )
        if not self._as_json:
            (said or (lambda: self._sentences(gun, published)))()
        for warning in published.warnings:
            complain(f"Warning: {warning}")

    def row(self, gun: str, *, changed: bool, **more: Any) -> None:
        """Note what was done, for programs; who calls this tells people what happened."""
        self._rows.append({"repository": gun, "changed": changed, **more})

    def failed(self, gun: str, error: TrustError) -> None:
        """Tell that a repository could not be done; the others still are."""
        self.failures.append(gun)
        complain_of(error, gun)
        self._rows.append({"repository": gun, "changed": False, **error_as_json(error)})

    def finish(self) -> Exit:
        """Print the JSON where it was asked for, and give the exit code."""
        if self._as_json:
            say_json(self._rows)
        if self.failures:
            return Exit.FAILED
        return Exit.DONE if any(row["changed"] for row in self._rows) else Exit.NOTHING_TO_CHANGE

    def _sentences(self, gun: str, published: Published) -> None:
        if not published.versions:
            self.say(f"Nothing to change in {gun}: it is so already.")
        for text in published.changes[:MOST_SENTENCES]:
            self.say(text)
        if len(published.changes) > MOST_SENTENCES:
            self.say(f"And {len(published.changes) - MOST_SENTENCES} more changes; --json lists them all.")
