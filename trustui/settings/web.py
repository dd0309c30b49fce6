"""The web process: pages and sign-in. It gets no private half and no master key."""

from __future__ import annotations

import json

from csp.constants import NONCE, NONE, SELF

from trustui.settings.base import *  # noqa: F403  this is the base with additions
from trustui.settings.base import CACHES, CORE_APPS, DATABASES, REDIS_URL, queues
from trustui.settings.environment import BASE_DIR, VAR, env, secret
from trustui.settings.mail import *  # noqa: F403  mail of forgotten passwords
from trustui.settings.metrics import *  # noqa: F403  who reads the figures
from trustui.settings.sign_in import *  # noqa: F403  who comes in, and how
from trustui.settings.sign_in import SIGN_IN_APPS

SECRET_KEY = secret("SECRET_KEY")
SEALING_PUBLIC_KEYS = json.loads(secret("SEALING_PUBLIC_KEYS"))

# Whoever asked for no language gets the browser's, and English where we do not have that one.
USE_I18N = True
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"

ROOT_URLCONF = "trustui.urls"
WSGI_APPLICATION = "trustui.wsgi.application"

INSTALLED_APPS = [
    *CORE_APPS,
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    *SIGN_IN_APPS,
    "csp",
    "django_htmx",
    "template_partials",
    "trustui",
]
MIDDLEWARE = [
    "trustui.middleware.RequestIdMiddleware",
    "trustui.middleware.ProblemMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "csp.middleware.CSPMiddleware",
    "trustui.sign_in.sessions.SessionRulesMiddleware",
    "trustui.middleware.QueueMiddleware",
    "trustui.middleware.OneTimePasswordMiddleware",
    "trustui.sign_in.second_factors.SecondFactorMiddleware",
    "trustui.middleware.TrustErrorMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "trustui.pages.shell.shell",
            ],
        },
    },
]

# Pages and parts of them as they were drawn, in the memory of this process; what they show is named in their keys.
CACHES["fragments"] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "fragments",
    "TIMEOUT": 3600,
    "OPTIONS": {"MAX_ENTRIES": 128},
}

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# A page says after so many seconds that the database does not answer.
DATABASE_ANSWER_SECONDS = env.float("DATABASE_ANSWER_SECONDS", default=2.5)
if DATABASES["default"]["ENGINE"].endswith("postgresql"):
    from trustui.patience import PatientConnection

    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 2,
        "pool": {
            "min_size": 1,
            "max_size": 4,
            "timeout": DATABASE_ANSWER_SECONDS,
            "reconnect_timeout": 4,  # else the pool's attempts would come ever more rarely for five minutes
            "connection_class": PatientConnection,
        },
    }
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # the pool keeps them

RQ_QUEUES = queues(REDIS_URL, patience=1)  # a page that hands over work does not wait for a Redis that is silent

# Tokens for trust servers; without a key none are issued. The key signs who may come in, never trust data.
TOKEN_KEY = env.str("TOKEN_KEY", default="")
TOKEN_CERTIFICATE = env.str("TOKEN_CERTIFICATE", default="")
TOKEN_ISSUER = env.str("TOKEN_ISSUER", default="trustui")
TOKEN_SERVICE = env.str("TOKEN_SERVICE", default="notary")

# With it readers check the signed heads of the audit log; without it the pages say that nothing vouches for the log.
AUDIT_PUBLIC_KEY = env.str("AUDIT_PUBLIC_KEY", default="")

# Django's admin, for operators to look at rows; it changes none.
DJANGO_ADMIN = env.bool("DJANGO_ADMIN", default=False)
if DJANGO_ADMIN:
    INSTALLED_APPS += ["django.contrib.admin.apps.SimpleAdminConfig"]

# Headers
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=False)
PROXIES = env.int("PROXIES", default=1 if HTTPS_ONLY else 0)  # in front of us; what only they may say is believed
SESSION_COOKIE_NAME = "trustui_session"  # other programs on the same host name use Django's default
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS_ONLY:
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^metrics$"]  # asked from inside, past the proxy
if HTTPS_ONLY and PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = PROXIES
NINJA_NUM_PROXIES = PROXIES  # whose word for an address counts in the API's limits
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
