"""Read N damaged documents; the first crash, hang or wrong accept ends the run and is kept.

A run is told by its seed: `make fuzz N=1000 SEED=7` does the same again. What was found is written to var/fuzz/.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

from tests.fuzz.mutations import mutated
from tests.fuzz.readers import Reader, is_refusal, readers

LONGEST = 2.0
"""Seconds of CPU one document may take."""

FINDINGS = Path(os.environ.get("TRUSTUI_VAR", "var")) / "fuzz"


class Hang(BaseException):
    """A document took too long; no `except Exception` on the way may hide it."""


class Finding(AssertionError):
    """A document that did harm."""

    def __init__(self, reader: Reader, document: bytes, error: BaseException) -> None:
        super().__init__(f"{reader.name}: {type(error).__name__}: {error}")
        self.document = document


def fuzz(count: int, seed: int, *, report: bool = False) -> dict[str, int]:
    """Read `count` damaged documents and tell how many were refused and how many were read.

    Raises:
        Finding: the first that did harm.
    """
    rng = random.Random(seed)
    known = readers()
    documents = [reader.document for reader in known]
    cheap = [reader for reader in known if not reader.name.startswith("private key")]
    counts = {"refused": 0, "read": 0}
    before = signal.signal(signal.SIGVTALRM, _hang)
    begun = time.monotonic()
    try:
        for number in range(count):
            reader = rng.choice(known if number % 20 == 0 else cheap)  # opening a private key is slow on purpose
            document = mutated(reader.document, documents, rng)
            counts["refused" if _is_refused(reader, document) else "read"] += 1
            if report and number % 20_000 == 19_999:
                print(f"{number + 1} documents, {(number + 1) / (time.monotonic() - begun):.0f} a second", flush=True)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return counts


def _is_refused(reader: Reader, document: bytes) -> bool:
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        reader.read(document)
    except Exception as error:
        if is_refusal(error):
            return True
        raise Finding(reader, document, error) from error
    except Hang as error:
        raise Finding(reader, document, error) from error
    return False


def _hang(_number: int, _frame: object) -> None:
    raise Hang(f"more than {LONGEST} seconds")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    try:
        counts = fuzz(arguments.count, arguments.seed, report=True)
    except Finding as finding:
        FINDINGS.mkdir(parents=True, exist_ok=True)
        kept = FINDINGS / hashlib.sha256(finding.document).hexdigest()[:16]
        kept.write_bytes(finding.document)
        sys.exit(f"{finding}\nThe document is kept in {kept}.")
    print(f"{arguments.count} documents: {counts['refused']} refused, {counts['read']} read, no harm done.")


if __name__ == "__main__":
    main()
