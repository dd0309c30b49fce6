"""The built-in trust server with its limits, for granian's RSGI; `manage.py trustserver` serves it."""

from trustui.wsgi_notary import application as wsgi_application  # isort: skip  it sets Django up

from django.conf import settings

from signing.server.access import may_upload
from signing.server.gate import Gate

THREADS = 16

application = Gate(
    wsgi_application,
    may_upload,
    threads=THREADS,
    largest=settings.TRUST_SERVER_LARGEST_UPLOAD,
    seconds=settings.TRUST_SERVER_UPLOAD_SECONDS,
)
