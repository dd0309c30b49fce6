"""Keys and the signers who hold them."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from signing.locations import asks_pin
from signing.models.accounts import Account
from signing.models.people import User


class Key(models.Model):
    """A public key, where its private half lives, and what it is for."""

    class Purpose(models.TextChoices):
        ROOT = "root", _("Root key")
        REPOSITORY = "repository", _("Repository key")
        SIGNER = "signer", _("Signer key")

    class Custody(models.TextChoices):
        SEALED = "sealed", _("Sealed on this server")
        CLIENT = "client", _("Held by its owner")
        PKCS11 = "pkcs11", _("In a hardware token")
        REMOTE = "remote", _("In a key service")

    key_id = models.CharField(max_length=64, unique=True, help_text="canonical id, lower-case hex")
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    custody = models.CharField(max_length=16, choices=Custody.choices, default=Custody.SEALED)
    name = models.CharField(
        max_length=100, help_text="the role header in docker's key file: a signer's name, root or targets"
    )
    keytype = models.CharField(max_length=16, help_text="ecdsa, rsa or ed25519")
    public_pem = models.TextField()
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="keys")
    gun = models.CharField(max_length=255, blank=True, help_text="repository keys belong to one repository")
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="keys")
    envelope = models.BinaryField(default=b"", help_text="passphrase-encrypted key file under the master key")
    unattended = models.BinaryField(
        default=b"", help_text="its passphrase sealed to the signing worker, where the owner chose so"
    )
    location = models.CharField(
        db_default="",
        default="",
        max_length=255,
        blank=True,
        help_text="where a token or key service keeps it, without any secret: pkcs11:..., awskms:..., vault:...",
    )
    allowed_guns = models.JSONField(
        db_default=[],
        default=list,
        help_text="what a key in a key service may sign: GUNs, or prefixes that end with /*; none: nothing",
    )
    csr_pem = models.TextField(blank=True)
    certificate_pem = models.TextField(blank=True, help_text="leaf first, then its chain")
    certificate_expires = models.DateTimeField(null=True, blank=True)
    proved_at = models.DateTimeField(
        null=True, blank=True, help_text="when its holder last showed to hold the private half"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("account__name", "purpose", "name")

    def __str__(self) -> str:
        return f"{self.name} {self.key_id[:12]}"

    def get_absolute_url(self) -> str:
        return reverse("key", args=[self.key_id])

    @property
    def is_held_here(self) -> bool:
        """Tell whether this server can sign with it by itself; for the others, their holders sign."""
        return self.custody != self.Custody.CLIENT

    @property
    def asks_passphrase(self) -> bool:
        """Tell whether using it needs a person to type its passphrase, or the PIN of its token."""
        if self.custody == self.Custody.PKCS11:
            return asks_pin(self.location)
        return self.custody == self.Custody.SEALED and not self.unattended


class Signer(models.Model):
    """A person or machine whose key may be delegated to, under one name in an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="signers")
    name = models.CharField(max_length=100)
    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="signers")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="signers")
    flag = models.CharField(max_length=200, blank=True, help_text="why somebody should look: its person left ...")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("account__name", "name")
        constraints = (models.UniqueConstraint(fields=("account", "name"), name="one_signer_per_name"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("signer", args=[self.pk])
