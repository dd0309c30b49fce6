"""The dashboard, for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trustui.settings.web")

application = get_wsgi_application()

from django.conf import settings  # noqa: E402  it is set up now

from trustui.patience import PatientConnection  # noqa: E402

PatientConnection.patience = settings.DATABASE_ANSWER_SECONDS
