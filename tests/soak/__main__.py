"""`make soak`: N= rounds of kills at random moments of sign-and-push; SEED= does a run again."""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
from pathlib import Path

from tests.soak.rounds import Outcome, soak
from tests.soak.world import running

LANES = 5


def main() -> int:
    """Run the rounds, tell each wave and a summary; the exit code is 1 where an end was not true."""
    rounds = int(os.environ.get("N") or 200)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"{rounds} rounds, SEED={seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as a user of its own
        with running(Path(folder), LANES) as world:
            outcome = soak(world, rounds, random.Random(seed), lambda line: print(line, flush=True))
    print(summary(outcome))
    return 1 if outcome.problems else 0


def summary(outcome: Outcome) -> str:
    """Say what the rounds came to."""
    killed = ", ".join(f"{name} {number}" for name, number in sorted(outcome.killed.items()))
    restarted = ", ".join(f"{name} {number}" for name, number in sorted(outcome.restarted.items())) or "none"
    states = ", ".join(f"{number} {state}" for state, number in outcome.states.most_common())
    return "\n".join(
        (
            f"{outcome.rounds} rounds: {states}.",
            f"Rounds in which each part was killed: {killed}.",
            f"Parts that ended because of it and were started again: {restarted}.",
            f"Time to an end: median {_median(outcome.seconds):.1f} s, "
            f"longest {max(outcome.seconds, default=0):.1f} s.",
            f"Ends that were not true: {len(outcome.problems)}.",
            *(f"  {problem}" for problem in outcome.problems),
        )
    )


def _median(seconds: list[float]) -> float:
    return statistics.median(seconds) if seconds else 0


if __name__ == "__main__":
    sys.exit(main())
