"""No secret reaches a log line, by whatever door it came."""

import io
import json
import logging
import logging.config
from collections.abc import Callable

import pytest
import structlog

from trustui.settings import logs


@pytest.fixture
def logged():
    """Give a function that configures logging as a process does, and returns where the lines go."""
    saved = logging.root.handlers[:], logging.root.level

    def start(form: str) -> io.StringIO:
        configuration = logs.configure(form, "INFO")
        stream = configuration["handlers"]["out"]["stream"] = io.StringIO()
        logging.config.dictConfig(configuration)
        return stream

    yield start
    logging.root.handlers[:], level = saved
    logging.root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=["json", "console"])
def written(request: pytest.FixtureRequest, logged) -> Callable[[], str]:
    """Give what was written so far, in both forms."""
    return logged(request.param).getvalue


def test_named_values(written) -> None:
    structlog.get_logger("t").info("stored", passphrase="canary", detail={"api_token": "canary", "tag": "1.0"})
    line = written()
    assert "canary" not in line
    assert "1.0" in line


@pytest.mark.parametrize(
    "text",
    [
        "GET https://bob:canary@registry.example/v2/",
        "Authorization: Bearer canary",
        "authorization: basic Y2FuYXJ5canary",
        "password=canary next",
        "{'passphrase': 'canary two'}",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\ncanary\n-----END ENCRYPTED PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\ncanary and cut off",
    ],
)
def test_secrets_inside_text(written, text: str) -> None:
    logging.getLogger("t").warning("before %s", text)
    line = written()
    assert "canary" not in line
    assert "before" in line
    assert logs.MASK in line


def test_tracebacks(written) -> None:
    try:
        raise ValueError("token=canary")
    except ValueError:
        logging.getLogger("t").exception("failed")
    line = written()
    assert "canary" not in line
    assert "ValueError" in line


def test_what_is_no_secret_stays(written) -> None:
    logging.getLogger("t").info("signed %s for %s", "registry.example/team/app:1.4.0", "targets/alice")
    assert "registry.example/team/app:1.4.0 for targets/alice" in written()


def test_json_lines_can_be_read(logged) -> None:
    lines = logged("json")
    logging.getLogger("t").info("ready")
    assert json.loads(lines.getvalue())["event"] == "ready"
