"""The scheduler: it says when work is due and can do none of it."""

from __future__ import annotations

from trustui.settings.worker import *  # noqa: F403  this is the worker without any secret
