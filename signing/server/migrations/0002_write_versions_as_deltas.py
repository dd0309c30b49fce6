from django.db import migrations, models

import signing.server.models


class Migration(migrations.Migration):
    dependencies = [("trust_server", "0001_create_the_trust_servers_tables")]

    operations = [
        migrations.RenameField(model_name="collection", old_name="generation", new_name="state"),
        migrations.AlterField(
            model_name="collection",
            name="state",
            field=models.BigIntegerField(default=signing.server.models.new_state),
        ),
        migrations.AddField(
            model_name="collection",
            name="renew_at",
            field=models.DateTimeField(db_index=True, null=True),
        ),
        migrations.AddField(
            model_name="metadatafile",
            name="form",
            field=models.SmallIntegerField(
                choices=[(0, "Plain"), (1, "Packed"), (2, "Delta")], db_default=0, default=0
            ),
        ),
        migrations.AddField(
            model_name="metadatafile",
            name="base_version",
            field=models.BigIntegerField(null=True),
        ),
    ]
