"""The built-in trust server, for a WSGI server that speaks TLS."""

import os

from django.core.wsgi import get_wsgi_application

# Assigned, not defaulted: with another process's settings it would serve pages under the trust server's name.
os.environ["DJANGO_SETTINGS_MODULE"] = "trustui.settings.notary"

application = get_wsgi_application()
