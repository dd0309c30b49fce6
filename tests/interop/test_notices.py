"""From an act to a mail and a webhook by the worker as a process of its own: within ten seconds, and told once."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from time import monotonic

import pytest

from tests.parts.installation import installed
from tests.parts.mail_sink import MailSink
from tests.parts.waiting import wait_until
from tests.parts.webhook_receiver import Receiver

WITHIN = 10  # seconds, as promised

ASK = """
from signing.announcing import announce
from signing.models import Account, Event, Membership, TrustServer, User
from signing.services.webhooks import create_webhook
lead = User.objects.create_user("lea", email="lea@example.com")
server = TrustServer.objects.create(name="none", url="https://127.0.0.1:1")
account = Account.objects.create(name="team", registry="r.test", namespace="team", trust_server=server)
Membership.objects.create(account=account, user=lead, role="lead")
_, secret = create_webhook(actor=lead, account=account, url="{url}", events=["requested"])
announce(Event.REQUESTED, subject="dan asks for alice.", path="/requests/7/", account=account)
print(secret)
"""


@pytest.mark.interop
def test_a_request_is_mailed_and_delivered_within_ten_seconds(tmp_path: Path) -> None:
    with MailSink() as mails, Receiver() as receiver:
        made = installed(
            tmp_path,
            "",
            EMAIL_URL=mails.url,
            DASHBOARD_URL="https://trust.example.com",
            WEBHOOKS_TO_THIS_MACHINE="on",
        )
        try:
            made.start("notices-worker", "notices_worker", "poll_worker", "notices")
            wait_until(lambda: (tmp_path / "notices-worker.log").exists(), 30, "the worker")
            secret = made.shell(ASK.format(url=receiver.url))
            asked = monotonic()
            wait_until(lambda: bool(mails.mails and receiver.got), 30, "mail and webhook")
            assert monotonic() - asked < WITHIN
        finally:
            made.stop()
    [mail], [got] = mails.mails, receiver.got
    assert (mail["To"], mail["Subject"]) == ("lea@example.com", "[TrustUI] dan asks for alice.")
    assert "https://trust.example.com/requests/7/" in mail.get_content()
    parts = dict(part.split("=", 1) for part in got.headers["X-TrustUI-Signature"].split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert parts["v1"] == expected
    assert json.loads(got.body)["url"] == "https://trust.example.com/requests/7/"
    assert secret not in (tmp_path / "notices-worker.log").read_text()
