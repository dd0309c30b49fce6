from django.db import migrations


class Migration(migrations.Migration):
    """A request asks for more than signers now."""

    dependencies = [("signing", "0001_initial")]

    operations = [
        migrations.RenameModel("SignerRequest", "ChangeRequest"),
        migrations.RenameModel("SignerRequestItem", "ChangeRequestItem"),
    ]
