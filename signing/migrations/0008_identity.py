import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('signing', '0007_ask_for_every_change'),
    ]

    operations = [
        migrations.CreateModel(
            name='Identity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('oidc', 'Single sign-on (OpenID Connect)'), ('ldap', 'Directory (LDAP)')], max_length=8)),
                ('subject', models.CharField(help_text='who they are there: the sub of a token, the name in a directory', max_length=255)),
                ('locked_token', models.TextField(blank=True, help_text='the refresh token, locked (signing.at_rest); empty: none')),
                ('linked_at', models.DateTimeField(auto_now_add=True)),
                ('checked_at', models.DateTimeField(blank=True, help_text='when their source last vouched for them', null=True)),
                ('gone_at', models.DateTimeField(blank=True, help_text='since when their source does not know them any more', null=True)),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='identity', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'identities',
                'constraints': [models.UniqueConstraint(fields=('source', 'subject'), name='one_person_per_identity')],
            },
        ),
    ]
