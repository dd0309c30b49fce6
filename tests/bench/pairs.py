"""Measure ours beside the real peer, turn by turn, and keep what was measured.

These machines are noisy, so no figure stands alone: each is the median of interleaved pairs of one run, and what counts
is the ratio.
"""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Measured = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison: medians in `unit`; `ratio` is how many times faster ours is."""

    name: str
    ours: float
    peer: float
    unit: str
    ratio: float
    peer_name: str
    runs: int


def compare(name: str, *, ours: Measured, peer: Measured, peer_name: str, runs: int) -> Figure:
    """Time both in turns, ours first, in seconds."""
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(runs)]
    our_median, peer_median = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = peer_median / our_median
    return Figure(name, round(our_median, 6), round(peer_median, 6), "s", round(ratio, 1), peer_name, runs)


def compare_with_cpu(
    name: str, *, ours: Measured, peer: Measured, peer_name: str, runs: int, before_each: Measured = lambda: None
) -> list[Figure]:
    """Time both in turns, by the clock and by the processor: ours is this process, the peer is started by it."""
    pairs = []
    for _ in range(runs):
        before_each()
        our_times = _clock_and_cpu(ours, resource.RUSAGE_SELF)
        pairs.append((our_times, _clock_and_cpu(peer, resource.RUSAGE_CHILDREN)))
    figures = []
    for at, unit in enumerate(("s", "s CPU")):
        our_median = statistics.median(pair[0][at] for pair in pairs)
        peer_median = statistics.median(pair[1][at] for pair in pairs)
        ratio = round(peer_median / our_median, 1)
        figures.append(Figure(name, round(our_median, 6), round(peer_median, 6), unit, ratio, peer_name, runs))
    return figures


def _clock_and_cpu(measured: Measured, who: int) -> tuple[float, float]:
    used = resource.getrusage(who)
    seconds = _seconds(measured)
    now = resource.getrusage(who)
    return seconds, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime


def _seconds(measured: Measured) -> float:
    started = time.perf_counter()
    measured()
    return time.perf_counter() - started


def table(figures: Sequence[Figure]) -> str:
    """Lay the figures out for people."""
    head = ("what", "ours", "peer", "faster", "peer program", "pairs")
    rows = [head, *(_row(item) for item in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(item: Figure) -> tuple[str, ...]:
    seconds = (f"{side:.4f} {item.unit}" for side in (item.ours, item.peer))
    return (item.name, *seconds, f"{item.ratio:.1f}x", item.peer_name, str(item.runs))


def write(figures: Sequence[Figure], path: Path) -> None:
    """Keep the figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(item) for item in figures], indent=2) + "\n")
