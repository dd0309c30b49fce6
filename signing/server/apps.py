from django.apps import AppConfig


class TrustServerConfig(AppConfig):
    """The built-in trust server: Notary's HTTP API over this project's database."""

    name = "signing.server"
    label = "trust_server"
    default_auto_field = "django.db.models.BigAutoField"
