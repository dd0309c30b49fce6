from datetime import UTC
from typing import Any

from django.db import migrations
from django.db.models import OuterRef, Subquery

from signing.trust.evidence.audit_log import GENESIS, entry_hash


def fill_accounts(apps: Any, schema_editor: Any) -> None:
    Signer = apps.get_model("signing", "Signer")
    of_signer = Signer.objects.filter(pk=OuterRef("signer")).values("account")[:1]
    apps.get_model("signing", "ChangeRequest").objects.update(account=Subquery(of_signer))


def chain_events(apps: Any, schema_editor: Any) -> None:
    """Number the events that were written before there was a chain, and chain them as they are."""
    previous = GENESIS
    events = apps.get_model("signing", "AuditEvent").objects.select_related("actor", "account").order_by("at", "pk")
    for number, event in enumerate(events.iterator(), start=1):
        event.number, event.previous_hash = number, previous
        event.actor_name = event.actor.username if event.actor else ""
        event.account_name = event.account.name if event.account else ""
        entry = {
            "number": number,
            "at": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor": event.actor_name,
            "action": event.action,
            "account": event.account_name,
            "subject": event.subject,
            "reason": event.reason,
            "detail": event.detail,
            "correlation": event.correlation,
            "previous_hash": previous,
        }
        event.event_hash = previous = entry_hash(entry)
        event.save()


class Migration(migrations.Migration):
    dependencies = [("signing", "0003_people_requests_notices")]

    operations = [
        migrations.RunPython(fill_accounts, migrations.RunPython.noop),
        migrations.RunPython(chain_events, migrations.RunPython.noop),
    ]
