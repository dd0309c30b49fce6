from django.db import migrations, models

EVENTS = [
    ("requested", "A change is asked for"),
    ("approved", "A request is approved"),
    ("rejected", "A request is rejected"),
    ("signed", "A tag is signed"),
    ("revoked", "A tag is revoked"),
    ("failed", "Work failed"),
    ("drift", "Trust data changed unexpectedly"),
    ("expiring", "Something expires soon"),
    ("frozen", "A key, an account or a person is frozen"),
]


class Migration(migrations.Migration):
    dependencies = [("signing", "0011_part_health")]

    operations = [
        migrations.AlterField("happening", "event", models.CharField(choices=EVENTS, max_length=16)),
        migrations.AlterField("noticechoice", "event", models.CharField(choices=EVENTS, max_length=16)),
    ]
