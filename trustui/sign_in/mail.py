"""Send mail that no answer waits for."""

from __future__ import annotations

import logging
import threading

from django.core.mail import EmailMessage

log = logging.getLogger(__name__)


def send_soon(message: EmailMessage) -> threading.Thread:
    """Send a mail beside the request; one that fails is logged without its text, which may hold a link to a secret."""
    sending = threading.Thread(target=_send, args=(message,), name="mail")
    sending.start()
    return sending


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as error:  # SMTP's own errors are OSErrors too
        log.warning("a mail was not sent: %s", type(error).__name__)
