"""What the dashboard remembers.

Rows on this side never hold an opened secret: passwords and passphrases are sealed to one worker's public
key (`signing.sealing`), private keys are envelopes only the signing worker can open
(`signing.adapters.sealed_keys`).
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.urls import reverse
from django.utils import timezone


class User(AbstractUser):
    """A person who signs in."""

    must_change_password = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_absolute_url(self) -> str:
        return reverse("person", args=[self.pk])


class TrustServer(models.Model):
    """One Notary v1 server: the built-in one or any other."""

    name = models.SlugField(unique=True)
    url = models.URLField(help_text="https://host[:port]")
    ca_pem = models.TextField(blank=True, help_text="CA certificates in PEM form; empty: the system's own")
    username = models.CharField(max_length=255, blank=True)
    password = models.BinaryField(default=b"", help_text="sealed to the signing worker")
    is_builtin = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """A namespace of repositories on one registry, with its people, its trust server and its root key."""

    name = models.SlugField(unique=True)
    registry = models.CharField(max_length=255, help_text="host[:port] as in image names; docker.io for Docker Hub")
    namespace = models.CharField(max_length=200, blank=True, help_text="first part of every repository's path")
    trust_server = models.ForeignKey(TrustServer, on_delete=models.PROTECT, related_name="accounts")
    registry_username = models.CharField(max_length=255, blank=True)
    registry_password = models.BinaryField(default=b"", help_text="sealed to the docker worker")
    enforces_trust = models.BooleanField(
        default=True, help_text="refuse to push unsigned tags and to pull unsigned ones of this account"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("account", args=[self.name])


class Membership(models.Model):
    """What one person may do in one account."""

    class Role(models.TextChoices):
        LEAD = "lead", "Lead"
        SIGNER = "signer", "Signer"
        DEVELOPER = "developer", "Developer"
        AUDITOR = "auditor", "Auditor"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("account", "user"), name="one_role_per_account"),)

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.account}"


class Key(models.Model):
    """A public key, where its private half lives, and what it is for."""

    class Purpose(models.TextChoices):
        ROOT = "root", "Root key"
        REPOSITORY = "repository", "Repository key"
        SIGNER = "signer", "Signer key"

    class Custody(models.TextChoices):
        SEALED = "sealed", "Sealed on this server"
        CLIENT = "client", "Held by its owner"

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
    csr_pem = models.TextField(blank=True)
    certificate_pem = models.TextField(blank=True, help_text="leaf first, then its chain")
    certificate_expires = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("account__name", "purpose", "name")

    def __str__(self) -> str:
        return f"{self.name} {self.key_id[:12]}"

    def get_absolute_url(self) -> str:
        return reverse("key", args=[self.key_id])

    @property
    def asks_passphrase(self) -> bool:
        """Tell whether using it needs a person to type its passphrase."""
        return self.custody == self.Custody.SEALED and not self.unattended


class Signer(models.Model):
    """A person or machine whose key may be delegated to, under one name in an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="signers")
    name = models.CharField(max_length=100)
    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="signers")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="signers")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("account__name", "name")
        constraints = (models.UniqueConstraint(fields=("account", "name"), name="one_signer_per_name"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("signer", args=[self.pk])


class Repository(models.Model):
    """One GUN and the newest state of its trust data that verified.

    `verdict` and the columns under it are written by the signing worker only; pages read them and never
    a network.
    """

    class Verdict(models.TextChoices):
        UNCHECKED = "unchecked", "Not checked yet"
        VERIFIED = "verified", "Verified"
        UNSIGNED = "unsigned", "Unsigned"
        EXPIRED = "expired", "Expired"
        UNKNOWN_KEY = "unknown_key", "Unknown key"
        UNREACHABLE = "unreachable", "Trust server not reached"
        BROKEN = "broken", "Does not verify"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="repositories")
    gun = models.CharField(max_length=255, unique=True)
    description = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    verdict = models.CharField(max_length=16, choices=Verdict.choices, default=Verdict.UNCHECKED)
    reason = models.TextField(blank=True, help_text="why it is not verified, one sentence")
    next_step = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="last attempt")
    verified_at = models.DateTimeField(null=True, blank=True, help_text="last attempt that verified")
    signers = models.JSONField(default=list, help_text='[{"name", "keys": [canonical id]}] in delegation order')
    administrative_keys = models.JSONField(default=dict, help_text='{"root": [TUF id], "repository": [TUF id]}')
    roles = models.JSONField(default=list, help_text='[{"role", "version", "expires", "threshold", "keys"}]')
    left_out = models.JSONField(default=dict, help_text="{delegation: why it was left out}")
    lease = models.ForeignKey(
        "Operation",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who may publish now",
    )

    class Meta:
        ordering = ("gun",)
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.gun

    def get_absolute_url(self) -> str:
        return reverse("repository", args=[self.gun])


class SignedTag(models.Model):
    """One released tag as last verified."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="tags")
    tag = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text="sha256, lower-case hex, without its prefix")
    length = models.BigIntegerField(help_text="bytes of the manifest")
    signers = models.JSONField(default=list, help_text="names in delegation order; empty: the repository key alone")
    sort_key = models.CharField(max_length=600, db_index=True, help_text="natural order of the tag")
    first_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("sort_key", "digest")
        constraints = (
            models.UniqueConstraint(fields=("repository", "tag", "digest"), name="one_row_per_signed_digest"),
        )

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


class TrustedMetadata(models.Model):
    """The bytes of one role's file as last trusted: the anchor against rollback and replaced roots."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="metadata")
    role = models.CharField(max_length=255)
    data = models.BinaryField()
    stored_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repository", "role"), name="one_trusted_file_per_role"),)

    def __str__(self) -> str:
        return f"{self.role} of {self.repository}"


class SignerRequest(models.Model):
    """Somebody asks that a signer may sign one or more repositories."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for approval"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"

    signer = models.ForeignKey(Signer, on_delete=models.CASCADE, related_name="requests")
    reason = models.CharField(max_length=500, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="signer_requests")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    needed_approvals = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.signer} for {self.items.count()} repositories"

    def get_absolute_url(self) -> str:
        return reverse("request", args=[self.pk])


class SignerRequestItem(models.Model):
    """One repository of a request and the work that its approval caused."""

    request = models.ForeignKey(SignerRequest, on_delete=models.CASCADE, related_name="items")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="signer_request_items")
    operation = models.ForeignKey("Operation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("request", "repository"), name="one_item_per_repository"),)

    def __str__(self) -> str:
        return f"{self.request_id}: {self.repository}"


class Decision(models.Model):
    """One person's yes or no to a request."""

    request = models.ForeignKey(SignerRequest, on_delete=models.CASCADE, related_name="decisions")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    approves = models.BooleanField()
    comment = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at",)
        constraints = (models.UniqueConstraint(fields=("request", "by"), name="one_decision_per_person"),)

    def __str__(self) -> str:
        return f"{self.by} {'approves' if self.approves else 'rejects'} {self.request_id}"


class Operation(models.Model):
    """One piece of queued work, step by step, and what became of it."""

    class Kind(models.TextChoices):
        GENERATE_KEY = "generate_key", "Generate a key"
        IMPORT_KEY = "import_key", "Import a key"
        MAKE_CSR = "make_csr", "Make a certificate request"
        ADD_SIGNER = "add_signer", "Add a signer"
        PUBLISH = "publish", "Publish an image"
        SIGN = "sign", "Sign a digest"
        PULL = "pull", "Pull a verified image"
        REFRESH = "refresh", "Check a repository"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    FINISHED = (State.DONE, State.FAILED, State.CANCELLED)
    STAGING_TAG = "trustui-staging"  # where an image waits in the registry until it is signed

    kind = models.CharField(max_length=16, choices=Kind.choices)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="operations")
    repository = models.ForeignKey(
        Repository, null=True, blank=True, on_delete=models.CASCADE, related_name="operations"
    )
    key = models.ForeignKey(Key, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    signer = models.ForeignKey(Signer, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    requested_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    parameters = models.JSONField(default=dict, help_text="what was asked; never a secret")
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    step = models.CharField(max_length=16, help_text="the step that is queued or running now")
    done_steps = models.JSONField(default=list)
    layers = models.JSONField(default=dict, help_text='{layer: {"status", "current", "total"}} of the running transfer')
    result = models.JSONField(default=dict, help_text="digest, length, versions and whatever the steps found out")
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    next_step = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="when the running step was taken")
    alive_at = models.DateTimeField(null=True, blank=True, help_text="last sign of life of the running step")
    run_after = models.DateTimeField(null=True, blank=True, help_text="a repeated step waits until then")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="how often the current step broke off")
    cancel_requested = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = (models.Index(fields=("state", "created_at"), name="operation_open"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("operation", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        return self.state in self.FINISHED

    @property
    def is_signature_stored(self) -> bool:
        """Tell whether the trust server holds the signature, read back and verified."""
        return bool(self.result.get("signature_stored"))

    @property
    def outcome(self) -> str:
        """Say in a few words what became of it; while it works, what it is doing."""
        if self.state == self.State.FAILED and self.kind == self.Kind.PUBLISH:
            return (
                "failed, signature stored, tag not moved" if self.is_signature_stored else "failed, nothing published"
            )
        if self.state == self.State.DONE and self.kind == self.Kind.PUBLISH:
            return "published"
        if self.state in (self.State.QUEUED, self.State.RUNNING):
            return f"{self.get_state_display().lower()}: {self.step}"
        return self.get_state_display().lower()


class OperationLine(models.Model):
    """One line of an operation's log, for people."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField(auto_now_add=True)
    text = models.TextField()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text


class SealedSecret(models.Model):
    """A passphrase or an uploaded key on its way to the signing worker: sealed, used once, short-lived."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="secrets")
    purpose = models.CharField(max_length=16, help_text="root, repository, signer or import")
    box = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("operation", "purpose"), name="one_secret_per_purpose"),)

    def __str__(self) -> str:
        return f"{self.purpose} for operation {self.operation_id}"


class EngineStatus(models.Model):
    """What the docker worker last saw of its Engine. One row."""

    checked_at = models.DateTimeField(auto_now=True)
    is_available = models.BooleanField(default=False)
    version = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True, help_text="why it is off, one sentence")
    images = models.JSONField(default=list, help_text="names of the Engine's local images")

    def __str__(self) -> str:
        return self.version or self.reason


class AuditEvent(models.Model):
    """Who did what, when. Rows are only ever added."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=64, help_text="verb and noun: approve_signer, publish_image ...")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    subject = models.CharField(max_length=300, help_text="what it was done to, readable")
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.action}: {self.subject}"
