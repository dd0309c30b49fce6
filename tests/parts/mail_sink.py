"""A mail server on this machine that keeps what it is given (RFC 5321, as much as one client needs)."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import TracebackType


@dataclass
class MailSink:
    """Takes every mail; `mails` are parsed messages."""

    mails: list[EmailMessage] = field(default_factory=list)

    def __enter__(self) -> MailSink:
        sink = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 sink")
                while line := self.rfile.readline():
                    word = line.split(b" ")[0].strip().upper()
                    if word == b"DATA":
                        self._say("354 go on")
                        sink.mails.append(self._mail())
                        self._say("250 kept")
                    elif word == b"QUIT":
                        self._say("221 bye")
                        return
                    else:
                        self._say("250 ok")

            def _mail(self) -> EmailMessage:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b"."))
                return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

            def _say(self, text: str) -> None:
                self.wfile.write(text.encode() + b"\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._server.server_address[1]}"
