"""How people sign in: passwords, second factors, sessions, and the directories of others (docs/settings.md)."""

from __future__ import annotations

import importlib.util
import json
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from trustui.settings.environment import env

SIGN_IN_APPS = [
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]

# Passwords
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())
ACCOUNT_ADAPTER = "trustui.sign_in.accounts.AccountAdapter"  # closes sign-up: people are invited
ACCOUNT_FORMS = {"change_password": "trustui.sign_in.forms.ChangePasswordForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # nobody learns by mail or page whether an address is known
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# Wrong passwords and codes, counted in the cache that all web processes share: `key` is one person, `ip` one address.
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {"login_failed": "5/5m/key,20/h/key,10/m/ip,100/h/ip"}

# Second factors
MFA_ADAPTER = "trustui.sign_in.second_factors.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "trustui.sign_in.forms.CodeForm",
    "reauthenticate": "trustui.sign_in.forms.CodeAgainForm",
    "activate_totp": "trustui.sign_in.forms.AppForm",
    "authenticate_webauthn": "trustui.sign_in.forms.PasskeyForm",
    "login_webauthn": "trustui.sign_in.forms.PasskeyLoginForm",
    "reauthenticate_webauthn": "trustui.sign_in.forms.PasskeyAgainForm",
    "add_webauthn": "trustui.sign_in.forms.PasskeyAddForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an administrator wrote the address; there is no sign-up to abuse
MFA_TOTP_ISSUER = "TrustUI"
MFA_TOTP_TOLERANCE = 1  # clocks of phones; a code still counts once only
MFA_RECOVERY_CODE_DIGITS = 10
MFA_RECOVERY_CODES_SHOW_ONCE = True
REQUIRE_SECOND_FACTOR = env.str("REQUIRE_SECOND_FACTOR", default="none")
if REQUIRE_SECOND_FACTOR not in ("none", "leads", "all"):
    raise ImproperlyConfigured("REQUIRE_SECOND_FACTOR must be none, leads or all.")

# Sessions
SESSION_IDLE = timedelta(minutes=env.int("SESSION_IDLE_MINUTES", default=8 * 60))
SESSION_LONGEST = timedelta(hours=env.int("SESSION_LONGEST_HOURS", default=7 * 24))
SESSION_COOKIE_AGE = int(SESSION_LONGEST.total_seconds())


def _roles_of_groups(text: str) -> dict[str, dict[str, str]]:
    """Read {"GROUP": {"ACCOUNT": "ROLE"}}."""
    try:
        read = json.loads(text or "{}")
    except ValueError:
        read = None
    if not isinstance(read, dict) or not all(isinstance(accounts, dict) for accounts in read.values()):
        raise ImproperlyConfigured('GROUP_ROLES must be JSON such as {"release-team": {"shop": "lead"}}.')
    known = {"admin", "lead", "signer", "developer", "auditor"}
    if wrong := {role for accounts in read.values() for role in accounts.values() if role not in known}:
        raise ImproperlyConfigured(f"GROUP_ROLES names roles that do not exist: {', '.join(sorted(map(str, wrong)))}.")
    return read


# Directories: who belongs to a group there has these roles here
GROUP_ROLES = _roles_of_groups(env.str("GROUP_ROLES", default=""))

# OpenID Connect
OIDC_URL = env.str("OIDC_URL", default="").strip().rstrip("/")
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
OIDC_CREATES_PEOPLE = env.bool("OIDC_CREATES_PEOPLE", default=False)
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_CA_FILE = env.str("OIDC_CA_FILE", default="")
SOCIALACCOUNT_ADAPTER = "trustui.sign_in.oidc.OidcAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_EMAIL_REQUIRED = False
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True  # linking opens a way in for good
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
if OIDC_URL:
    if not OIDC_URL.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise ImproperlyConfigured("OIDC_URL must start with https://.")
    SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "SCOPE": env.str("OIDC_SCOPES", default="openid profile email offline_access").split(),
            "APP": {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": env.str("OIDC_CLIENT_ID"),
                "secret": env.str("OIDC_CLIENT_SECRET").strip(),
                "settings": {"server_url": OIDC_URL},
            },
        }
    }

# LDAP, which needs its own packages (`make ldap`)
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
LDAP_URL = env.str("LDAP_URL", default="").strip()
LDAP_BIND_DN = env.str("LDAP_BIND_DN", default="")
LDAP_BIND_PASSWORD = env.str("LDAP_BIND_PASSWORD", default="").strip()
LDAP_PEOPLE = env.str("LDAP_PEOPLE", default="")
LDAP_FILTER = env.str("LDAP_FILTER", default="(uid=%(user)s)")
LDAP_GROUPS = env.str("LDAP_GROUPS", default="")
LDAP_GROUP_FILTER = env.str("LDAP_GROUP_FILTER", default="(|(objectClass=groupOfNames)(objectClass=group))")
LDAP_CREATES_PEOPLE = env.bool("LDAP_CREATES_PEOPLE", default=False)
LDAP_START_TLS = env.bool("LDAP_START_TLS", default=False)
LDAP_CA_FILE = env.str("LDAP_CA_FILE", default="")
if LDAP_URL:
    if not importlib.util.find_spec("django_auth_ldap"):
        raise ImproperlyConfigured("LDAP_URL is set, but the packages for it are missing: run `make ldap`.")
    if not LDAP_PEOPLE or "%(user)s" not in LDAP_FILTER:
        raise ImproperlyConfigured("LDAP_PEOPLE must name where people are, and LDAP_FILTER must hold %(user)s.")
    if not (LDAP_URL.startswith(("ldaps://", "ldapi://", "ldap://127.0.0.1", "ldap://localhost")) or LDAP_START_TLS):
        raise ImproperlyConfigured(
            "Passwords must not cross the network in the clear: use ldaps://, or LDAP_START_TLS."
        )
    AUTHENTICATION_BACKENDS.append("trustui.sign_in.ldap_people.LdapBackend")
