"""The program `trustctl`: what it loads lasts until it ends, so nobody looks for garbage in between or at the end."""

from __future__ import annotations

import gc
import sys

MOST_BEFORE_COLLECTING = 100_000
"""Objects made before garbage is looked for: more than loading makes, and few enough for any memory."""


def start() -> int:
    """Run one command as a process of its own and give its exit code."""
    gc.set_threshold(MOST_BEFORE_COLLECTING)
    from signing.local_signer.main import main

    try:
        return main()
    finally:
        gc.freeze()


if __name__ == "__main__":
    sys.exit(start())
