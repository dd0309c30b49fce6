"""A part that ends is started again, with patience; all parts end in an order that lets each end well."""

import sys
from pathlib import Path

import pytest

from tests.parts.waiting import wait_until
from trustui.embedded import supervisor as module
from trustui.embedded.processes import Process
from trustui.embedded.supervisor import GaveUp, Supervisor

STEADY = "import time; time.sleep(60)"
SAYS_WHEN_IT_ENDS = """
import signal, sys, time
def end(*_):
    print(sys.argv[1], flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("up", flush=True)
time.sleep(60)
"""


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def supervisor(said: list[str], clock: Clock):
    supervisor = Supervisor(said.append, clock=clock)
    yield supervisor
    supervisor.stop()


def python(name: str, code: str, log: Path, *args: str) -> Process:
    return Process(name, [sys.executable, "-c", code, *args], log=log)


def end(process: Process) -> None:
    wait_until(lambda: not process.is_alive, 10, f"{process.name} has ended")


def test_a_dead_part_comes_back_after_its_pause(supervisor, said, clock, tmp_path) -> None:
    part = supervisor.keep(python("web", "import sys; sys.exit(7)", tmp_path / "web.log"))
    end(part)
    supervisor.look()
    assert said == [f"web ended (code 7); it starts again in 1 s. Its log: {tmp_path / 'web.log'}"]
    part.argv[-1] = STEADY
    supervisor.look()
    assert not part.is_alive  # the pause is not over
    clock.now = 1.0
    supervisor.look()
    assert part.is_alive


def test_pauses_grow_and_patience_ends(supervisor, said, clock, tmp_path) -> None:
    part = supervisor.keep(python("web", "print('no port'); raise SystemExit(1)", tmp_path / "web.log"))
    for _ in range(module.MOST_RESTARTS):
        end(part)
        supervisor.look()
        clock.now += module.LONGEST_PAUSE
        supervisor.look()
    end(part)
    with pytest.raises(GaveUp, match=r"web ended 11 times in a row\.\nno port"):
        supervisor.look()
    pauses = [text.split(" in ")[1].split(" s.")[0] for text in said]
    assert pauses == ["1", "2", "4", "8", "16", "30", "30", "30", "30", "30"]


def test_a_long_life_is_forgiven(supervisor, said, clock, tmp_path) -> None:
    part = supervisor.keep(python("web", "pass", tmp_path / "web.log"))
    for _ in range(3):
        end(part)
        clock.now += module.STEADY_SECONDS + 1
        supervisor.look()
        clock.now += 1
        supervisor.look()
    assert len(said) == 3
    assert all("in 1 s" in text for text in said)


def test_what_serves_others_ends_last(supervisor, tmp_path) -> None:
    log = tmp_path / "order.log"
    supervisor.keep(python("broker", SAYS_WHEN_IT_ENDS, log, "broker"), serves_parts=True)
    supervisor.keep(python("worker", SAYS_WHEN_IT_ENDS, log, "worker"))
    wait_until(lambda: log.read_text() == "up\nup\n", 10, "both are up")
    supervisor.stop()
    assert log.read_text() == "up\nup\nworker\nbroker\n"


def test_running_to_the_end_gives_the_code(supervisor, tmp_path) -> None:
    assert supervisor.run(python("migrate", "raise SystemExit(3)", tmp_path / "migrate.log")) == 3
