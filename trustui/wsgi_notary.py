"""The built-in trust server, for a WSGI server that speaks TLS."""

import gc
import os
from typing import cast

from django.core.wsgi import get_wsgi_application

# Assigned, not defaulted: with another process's settings it would serve pages under the trust server's name.
os.environ["DJANGO_SETTINGS_MODULE"] = "trustui.settings.notary"

django = get_wsgi_application()

from signing.server.access import may_read  # noqa: E402  Django's settings come first
from signing.server.hot import Application, Front  # noqa: E402
from signing.server.metrics import observe_hot  # noqa: E402
from signing.server.states import states  # noqa: E402
from signing.server.ticks import Ticks  # noqa: E402

application = Front(cast(Application, django), states(), may_read, observe_hot)  # Django's responses are iterable
ticks = Ticks().start()

# What is loaded now stays. Looking through it for garbage took a third of the time of publishing a large role.
gc.collect()
gc.freeze()
