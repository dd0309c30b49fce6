"""The rounds: some publishes begin, one part dies at a random moment and comes back, and every end has to be true."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.soak.publisher import Publisher
from tests.soak.world import IMAGE, Part, World

END_SECONDS = 90.0
MOMENTS = (0.0, 3.0)  # seconds after the first publish began, within which a part dies
DEATHS = (0.2, 3.0)  # seconds it stays dead
STARTS_WITHIN = 1.5
LOOK_SECONDS = 1.0


@dataclass
class Outcome:
    """What the rounds came to."""

    rounds: int = 0
    states: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    restarted: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def soak(
    world: World,
    rounds: int,
    chance: random.Random,
    say: Callable[[str], None],
    only: tuple[str, ...] = (),
) -> Outcome:
    """Run rounds, as many at a time as there are lanes, each with the same death; judge every one of them.

    `only` names the parts that may die; none named means all of them, in an order of chance in which each has its turn.
    """
    outcome = Outcome()
    mortal = [part for part in world.parts if not only or part.name in only]
    turns: list[Part] = []
    while outcome.rounds < rounds:
        turns = turns or chance.sample(mortal, len(mortal))
        victim = turns.pop()
        lanes = world.lanes[: rounds - outcome.rounds]
        found = _wave(world, lanes, victim, chance, outcome)
        outcome.problems += found
        say(f"{outcome.rounds}/{rounds} {victim.name} killed, longest {max(outcome.seconds, default=0):.0f} s")
        for problem in found:
            say(f"  {problem}")
    outcome.problems += world.truth.doubled([lane.gun for lane in world.lanes])
    outcome.problems += _audit(world)
    return outcome


def _wave(
    world: World, lanes: tuple[Publisher, ...], victim: Part, chance: random.Random, outcome: Outcome
) -> list[str]:
    ends: dict[int, tuple[str, float]] = {}
    broken: list[str] = []

    def publish(lane: Publisher, tag: str, wait: float) -> None:
        time.sleep(wait)
        began = time.monotonic()
        try:
            operation = lane.publish(IMAGE, tag)
            ends[operation] = lane.wait(operation, END_SECONDS), time.monotonic() - began
        except Exception as error:
            broken.append(f"{lane.gun}:{tag}: {type(error).__name__} {error}")

    threads = [
        threading.Thread(target=publish, args=(lane, f"r{outcome.rounds + number}", chance.uniform(0, STARTS_WITHIN)))
        for number, lane in enumerate(lanes)
    ]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(*MOMENTS))
    victim.kill()
    time.sleep(chance.uniform(*DEATHS))
    victim.resume()
    for thread in threads:
        while thread.is_alive():
            thread.join(LOOK_SECONDS)
            outcome.restarted.update(world.cluster.look_after())
    outcome.rounds += len(lanes)
    outcome.killed[victim.name] += len(lanes)
    outcome.states.update(state for state, _ in ends.values())
    outcome.seconds += [seconds for _, seconds in ends.values()]
    rows = {row.pk: row for row in world.truth.operations()}
    return [*broken, *(problem for pk in ends for problem in world.truth.problems_of(rows[pk]))]


def _audit(world: World) -> list[str]:
    return list(world.cluster.program("tests.parts.cluster_audit")["problems"])
