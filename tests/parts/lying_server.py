"""A trust server that lies: it passes on a true one's answers, changed as a test says.

It looks like any HTTPS trust server, so our client and the real `docker trust` can both be lied to.
"""

from __future__ import annotations

import contextlib
import http.client
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tests.parts.certificates import Authority

Ask = Callable[[str, str, bytes, dict[str, str]], tuple[int, bytes, str]]
"""Method, path, body and headers to status, body and content type."""

Lie = Callable[[str, bytes], bytes | None]
"""Given the path asked for and the true body, the body to answer; None answers 404."""


def honest(_path: str, body: bytes) -> bytes:
    """Change nothing."""
    return body


@dataclass(slots=True)
class LyingServer:
    """Stands in front of `truth` (url, CA); `lie`, and `ask` for lies about what was asked, may be set at any time."""

    folder: Path
    truth_url: str
    truth_ca: str
    lie: Lie = honest
    ask: Ask = field(init=False)
    asked: list[str] = field(default_factory=list)
    _server: ThreadingHTTPServer = field(init=False)
    _authority: Authority = field(init=False)

    def __post_init__(self) -> None:
        self._authority = Authority(self.folder, "a liar's authority")
        self.ask = self.fetch_truth

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    @property
    def ca_pem(self) -> str:
        return self._authority.ca_pem

    @property
    def ca_file(self) -> Path:
        return self._authority.ca_file

    def start(self) -> LyingServer:
        pair = self._authority.issue("liar")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def fetch_truth(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        """Ask the true server and give status, body and content type."""
        there = urlsplit(self.truth_url)
        context = ssl.create_default_context(cadata=self.truth_ca)
        connection = http.client.HTTPSConnection(there.hostname or "", there.port, context=context, timeout=20)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.getheader("Content-Type", "text/plain")
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        liar = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                liar.asked.append(format % args)

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                kept = {"Content-Type": self.headers.get("Content-Type", "")}
                status, said, kind = liar.ask(self.command, self.path, body, kept)
                told = liar.lie(self.path, said) if status == 200 else said
                if told is None:
                    status, told, kind = (
                        404,
                        b'{"errors":[{"code":"METADATA_NOT_FOUND","message":"no"}]}\n',
                        ("application/json"),
                    )
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(told)))
                self.end_headers()
                with contextlib.suppress(OSError):  # a client may well hang up on a liar
                    self.wfile.write(told)

            do_GET = do_POST = do_DELETE = answer

        return Handler
