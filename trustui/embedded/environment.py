"""The environment of each part: a short list of what any program needs, and what that part alone may know."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from trustui.embedded.place import Place

ANY_PROGRAM = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
ANY_PART = ("DEBUG", "LOG_LEVEL", "DATABASE_URL", "DATABASE_URL_FILE")
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
ENGINE = ("DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION")
MAIL = ("EMAIL_URL", "EMAIL_URL_FILE", "EMAIL_FROM", "DASHBOARD_URL")
OIDC = (
    "OIDC_URL",
    "OIDC_NAME",
    "OIDC_CLIENT_ID",
    "OIDC_CLIENT_SECRET",
    "OIDC_CLIENT_SECRET_FILE",
    "OIDC_SCOPES",
    "OIDC_CREATES_PEOPLE",
    "OIDC_GROUPS_CLAIM",
    "OIDC_CA_FILE",
)
LDAP = (
    "LDAP_URL",
    "LDAP_BIND_DN",
    "LDAP_BIND_PASSWORD",
    "LDAP_BIND_PASSWORD_FILE",
    "LDAP_PEOPLE",
    "LDAP_FILTER",
    "LDAP_GROUPS",
    "LDAP_GROUP_FILTER",
    "LDAP_CREATES_PEOPLE",
    "LDAP_START_TLS",
    "LDAP_CA_FILE",
)
SIGN_IN = (
    "REQUIRE_SECOND_FACTOR",
    "SESSION_IDLE_MINUTES",
    "SESSION_LONGEST_HOURS",
    "GROUP_ROLES",
    "GROUP_ROLES_FILE",
    *OIDC,
    *LDAP,
)
PAGES = ("CSRF_TRUSTED_ORIGINS", "HTTPS_ONLY", *MAIL, *SIGN_IN)
NOTICES = (*MAIL, "DIGEST_HOUR", "WEBHOOKS_TO_THIS_MACHINE")
KEPT_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(64 * 1024 * 1024), "MALLOC_MMAP_THRESHOLD_": str(32 * 1024 * 1024)}
"""For whoever verifies again and again: megabytes given back to the system after each time take long to get anew."""

LOCAL_HOSTS = "127.0.0.1,localhost"

# Which secrets a part may read, by the name of its settings module.
SECRETS = {
    "web": ("SECRET_KEY", "SEALING_PUBLIC_KEYS", "AUDIT_PUBLIC_KEY"),
    "signing_worker": (
        "SEALING_PUBLIC_KEYS",
        "SIGNING_WORKER_KEY",
        "MASTER_KEY",
        "AUDIT_KEY",
        "TRUST_SERVER_MASTER_KEY",
    ),
    "docker_worker": ("SEALING_PUBLIC_KEYS", "DOCKER_WORKER_KEY"),
    "notices_worker": ("SEALING_PUBLIC_KEYS", "NOTICES_WORKER_KEY"),
    "scheduler": (),
    "notary": ("TRUST_SERVER_MASTER_KEY",),
}
MORE = {
    "web": PAGES,
    "signing_worker": PROXIES,
    "docker_worker": (*PROXIES, *ENGINE),
    "notices_worker": NOTICES,
}


def of(
    part: str, place: Place, *, secrets: Path, redis_url: str, docker_host: str, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Form the environment of the part whose settings module is `part`."""
    passed = (*ANY_PROGRAM, *ANY_PART, *MORE.get(part, ()))
    result = {name: environ[name] for name in passed if name in environ}
    result |= {
        "DJANGO_SETTINGS_MODULE": f"trustui.settings.{part}",
        "TRUSTUI_VAR": str(place.var),
        "LOG_FORMAT": environ.get("LOG_FORMAT", "console"),
        "PYTHONUNBUFFERED": "1",
    }
    for name in SECRETS[part]:
        result |= _secret(name, secrets, environ)
    if part == "web" and environ.get("ALLOWED_HOSTS"):
        result["ALLOWED_HOSTS"] = f"{environ['ALLOWED_HOSTS']},{LOCAL_HOSTS}"  # we ask it whether it is ready
    if part == "signing_worker":
        result |= KEPT_MEMORY
    if part != "notary":
        result["REDIS_URL"] = redis_url
    if part in ("web", "notices_worker"):
        result.setdefault("DASHBOARD_URL", place.web_url)
    if part == "docker_worker":
        result["DOCKER_HOST"] = docker_host
    return result


def _secret(name: str, folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Pass on what a person set, else the file made here."""
    for given in (f"{name}_FILE", name):
        if environ.get(given):
            return {given: environ[given]}
    return {f"{name}_FILE": str(folder / name.lower())}
