"""Logs for people or for machines, with secrets taken out before a line leaves the process."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

MASK = "[hidden]"
_SECRET_NAME = re.compile(
    r"passphrase|password|passwd|secret|token|authori[sz]ation|cookie|private|credential|master_key|key_pem",
    re.IGNORECASE,
)
_SECRET_TEXT = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]+|(?<=\bbasic )[\w+/=-]+"),
    re.compile(
        r"(?i)(?:(?<=password)|(?<=passphrase)|(?<=secret)|(?<=token))(?P<mark>[\"']?\s*[=:]\s*)"
        r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"']+)"
    ),
)


def hide_secrets(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values by their name, and secrets inside text by their shape."""
    for name, value in event.items():
        if not name.startswith("_"):  # structlog's own bookkeeping
            event[name] = MASK if _SECRET_NAME.search(name) else _cleaned(value)
    return event


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        for shape in _SECRET_TEXT:
            value = shape.sub(lambda found: (found.groupdict().get("mark") or "") + MASK, value)
        return value
    if isinstance(value, Mapping):
        return {k: MASK if _SECRET_NAME.search(str(k)) else _cleaned(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


def configure(form: str, level: str) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING so that both write the same lines.

    `form` is "json" or "console"; tracebacks become text before secrets are hidden, so they are covered too.
    """
    common: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0
        )
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    renderer,
                ],
                "foreign_pre_chain": common,
            }
        },
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["out"], "level": level},
        "loggers": {
            "django": {"level": level},
            "django.server": {"handlers": [], "propagate": True},
            "httpx": {"level": "WARNING"},  # it writes every address at INFO
            "rq": {"level": level},
        },
    }
