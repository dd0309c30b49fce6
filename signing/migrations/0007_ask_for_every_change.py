"""Requests of every kind: who may be behind one, and keys that showed already that their private half is here."""

from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def note_opened_keys(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """A sealed key was opened here when it was made or imported."""
    keys = apps.get_model("signing", "Key").objects.filter(custody="sealed", proved_at=None)
    keys.update(proved_at=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies = [("signing", "0006_keep_answers")]

    operations = [
        migrations.AlterField(
            model_name="operation",
            name="kind",
            field=models.CharField(
                choices=[
                    ("generate_key", "Generate a key"),
                    ("import_key", "Import a key"),
                    ("make_csr", "Make a certificate request"),
                    ("add_signer", "Add a signer"),
                    ("remove_signer", "Remove a signer"),
                    ("revoke", "Revoke a tag"),
                    ("rotate", "Rotate a key"),
                    ("publish", "Publish an image"),
                    ("sign", "Sign a digest"),
                    ("pull", "Pull a verified image"),
                    ("refresh", "Check a repository"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="changerequest",
            name="requested_by",
            field=models.ForeignKey(
                blank=True,
                help_text="none: TrustUI itself",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="requests",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="changerequest",
            name="asked_through",
            field=models.ForeignKey(
                blank=True,
                help_text="whose maker never counts",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="signing.apitoken",
            ),
        ),
        migrations.AddField(
            model_name="changerequest",
            name="follows",
            field=models.ForeignKey(
                blank=True,
                help_text="the request it renews, or whose signer's time is over",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="followed_by",
                to="signing.changerequest",
            ),
        ),
        migrations.RunPython(note_opened_keys, migrations.RunPython.noop),
    ]
