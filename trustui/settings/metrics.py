"""Who may read the figures at /metrics: whoever has the token, or comes from one of the networks."""

from __future__ import annotations

import ipaddress

from django.core.exceptions import ImproperlyConfigured

from trustui.settings.environment import env

SHORTEST_TOKEN = 20

METRICS_TOKEN = env.str("METRICS_TOKEN", default="").strip()
METRICS_FROM = tuple(env.list("METRICS_FROM", default=[]))
if METRICS_TOKEN and len(METRICS_TOKEN) < SHORTEST_TOKEN:
    raise ImproperlyConfigured(f"METRICS_TOKEN is too short to be a secret: {SHORTEST_TOKEN} characters at least.")
for _network in METRICS_FROM:
    try:
        ipaddress.ip_network(_network)
    except ValueError:
        raise ImproperlyConfigured(f"METRICS_FROM must hold networks such as 10.0.0.0/8, not {_network!r}.") from None
