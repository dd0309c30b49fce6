"""Ask the directories who left."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from trustui.sign_in.sync import sync

_log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """One pass, or one every so many seconds until a signal ends it. It runs with the web process's settings."""

    help = "Ask OIDC and LDAP whether they still know their people; who is gone is signed out and deactivated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Ask how often."""
        parser.add_argument("--every", type=float, metavar="SECONDS", help="go on; without it one pass is made")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, tell the log what was found, and wait."""
        stop = threading.Event()
        if options["every"] and threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        self._pass()
        while options["every"] and not stop.wait(options["every"]):
            close_old_connections()
            self._pass()

    def _pass(self) -> None:
        found = sync()
        if found.left or found.unclear:
            _log.info("asked the directories", asked=found.asked, left=found.left, unclear=found.unclear)
