"""Files that wait for holders can be prepared anew, and holders are told that they are asked."""

from django.db import migrations, models

EVENTS = [
    ("requested", "A change is asked for"),
    ("approved", "A request is approved"),
    ("rejected", "A request is rejected"),
    ("signed", "A tag is signed"),
    ("revoked", "A tag is revoked"),
    ("failed", "Work failed"),
    ("drift", "Trust data changed unexpectedly"),
    ("cleared", "An alert cleared"),
    ("watched", "A watched key signed something"),
    ("expiring", "Something expires soon"),
    ("needs_signature", "A signature of yours is needed"),
    ("frozen", "A key, an account or a person is frozen"),
]


class Migration(migrations.Migration):
    dependencies = [("signing", "0013_watching_states")]

    operations = [
        migrations.AddField(
            model_name="preparedfile",
            name="needs",
            field=models.JSONField(
                db_default=[],
                default=list,
                help_text="whose signatures it takes, for each role that has to sign it: threshold, keys by canonical id",
            ),
        ),
        migrations.AddField(
            model_name="preparedfile",
            name="is_current",
            field=models.BooleanField(
                db_default=True, default=True, help_text="no longer once it was prepared anew or is not needed any more"
            ),
        ),
        migrations.RemoveConstraint(model_name="preparedfile", name="one_prepared_file_per_role"),
        migrations.AddConstraint(
            model_name="preparedfile",
            constraint=models.UniqueConstraint(
                fields=("operation", "role"), condition=models.Q(("is_current", True)), name="one_current_file_per_role"
            ),
        ),
        migrations.AlterField("happening", "event", models.CharField(choices=EVENTS, max_length=16)),
        migrations.AlterField("noticechoice", "event", models.CharField(choices=EVENTS, max_length=16)),
    ]
