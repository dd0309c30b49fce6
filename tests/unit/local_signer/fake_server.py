"""An HTTP server on this machine that answers as a test says and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Answer = tuple[int, dict[str, str], bytes]
Behaviour = Callable[[str, dict[str, str]], Answer]
"""From path and headers, whose names are in small letters, to status, headers and body."""


class FakeServer:
    """What was asked is in `asked`, what was sent with it in `sent`."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.sent: list[bytes] = []
        self.behaviour = behaviour
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                fake.asked.append((self.path, headers))
                fake.sent.append(self.rfile.read(int(headers.get("content-length", "0"))))
                status, sent, body = fake.behaviour(self.path, headers)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **sent}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
