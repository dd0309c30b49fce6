"""Keep the parts alive, and end all of them together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from trustui.embedded.processes import POLL_SECONDS, NotReady, Process

WATCH_SECONDS = 0.5
STOP_SECONDS = 10.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 60.0  # whoever lived this long starts again with a short pause
MOST_RESTARTS = 10


class GaveUp(Exception):
    """A part ended again and again; the text carries its last words."""


@dataclass(slots=True)
class Part:
    """A program that should always run, and what its ends have been like."""

    process: Process
    serves_parts: bool = False  # others need it to end well, so it ends after them
    started: float = 0.0
    restarts: int = 0
    due: float | None = None  # when to start it again, while it is down


@dataclass(slots=True)
class Supervisor:
    """The running parts, and how to tell a person what becomes of them."""

    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    parts: list[Part] = field(default_factory=list)

    def keep(self, process: Process, *, serves_parts: bool = False) -> Process:
        """Keep a program alive from now on, starting it unless it runs."""
        if not process.is_alive:
            process.start()
        self.parts.append(Part(process, serves_parts, started=self.clock()))
        return process

    def look(self) -> None:
        """Start again what has ended, each time after a longer pause.

        Raises:
            GaveUp: a part ended too often in a row.
        """
        now = self.clock()
        for part in self.parts:
            if part.due is None and not part.process.is_alive:
                self._ended(part, now)
            elif part.due is not None and now >= part.due:
                self._start_again(part, now)

    def watch(self) -> None:
        """Look again and again until interrupted."""
        while True:
            self.look()
            time.sleep(WATCH_SECONDS)

    def run(self, process: Process) -> int:
        """Run a program to its end while the parts are looked after; return its code."""
        try:
            process.start()
            while process.is_alive:
                self.look()
                time.sleep(POLL_SECONDS)
            return process.returncode or 0
        finally:
            process.stop()

    def stop(self) -> None:
        """End every part: those that only use others at the same time, then those that served them."""
        for serving in (False, True):
            ending = [part.process for part in self.parts if part.serves_parts is serving]
            for process in ending:
                process.ask_to_end()
            for process in ending:
                process.stop(STOP_SECONDS)
        self.parts.clear()

    def _ended(self, part: Part, now: float) -> None:
        if now - part.started > STEADY_SECONDS:
            part.restarts = 0
        part.restarts += 1
        name, code = part.process.name, part.process.returncode
        part.process.stop()  # what it may have left behind
        if part.restarts > MOST_RESTARTS:
            raise GaveUp(f"{name} ended {part.restarts} times in a row.\n{part.process.tail()}")
        pause = min(FIRST_PAUSE * 2 ** (part.restarts - 1), LONGEST_PAUSE)
        part.due = now + pause
        self.say(f"{name} ended (code {code}); it starts again in {pause:g} s. Its log: {part.process.log}")

    def _start_again(self, part: Part, now: float) -> None:
        part.due, part.started = None, now
        try:
            part.process.start()
        except NotReady as error:
            self.say(str(error))
