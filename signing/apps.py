from django.apps import AppConfig


class SigningConfig(AppConfig):
    """Accounts, keys, signers, repositories and the operations on them."""

    name = "signing"
    label = "signing"
    default_auto_field = "django.db.models.BigAutoField"
