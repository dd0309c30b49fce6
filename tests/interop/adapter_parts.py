"""What the interop tests of the Engine and registry adapters share."""

from __future__ import annotations

import io
import os
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.ports import free_port
from tests.parts.programs import require_program
from trustui.embedded.processes import Process

USERNAME, PASSWORD = "alice", "right"
HTPASSWD = "alice:$2b$04$xfv0xV0hhnyjmKsrtDhPVuebFvcVQdN.8Ld1wroa73loxMXR47gna\n"  # bcrypt of PASSWORD


def layer(size: int = 100_000) -> bytes:
    """Make a root file system of one file that no image has yet."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("content")
        entry.size = size
        tar.addfile(entry, io.BytesIO(os.urandom(size)))
    return packed.getvalue()


@dataclass(slots=True)
class StrictRegistry:
    """docker-registry with settings the usual test registry does not have: no deletions, or a login."""

    folder: Path
    deletes: bool = True
    wants_login: bool = False
    port: int = field(default_factory=free_port)
    _process: Process | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> StrictRegistry:
        config = self.folder / "registry.yml"
        config.write_text(self._config())
        log = self.folder / "registry.log"
        argv = [require_program("docker-registry"), "serve", str(config)]
        self._process = Process("docker-registry", argv, env={"OTEL_TRACES_EXPORTER": "none"}, log=log)
        self._process.start()
        self._process.wait_ready(self._answers, 40)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.stop()

    def _config(self) -> str:
        lines = [
            "version: 0.1",
            "storage:",
            f"  filesystem: {{rootdirectory: {self.folder / 'data'}}}",
            f"  delete: {{enabled: {str(self.deletes).lower()}}}",
            f"http: {{addr: {self.host}}}",
        ]
        if self.wants_login:
            people = self.folder / "htpasswd"
            people.write_text(HTPASSWD)
            lines.append(f"auth: {{htpasswd: {{realm: test, path: {people}}}}}")
        return "\n".join(lines)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"http://{self.host}/v2/", timeout=5).close()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return self.wants_login and refusal.code == 401
        except OSError:
            return False
        return not self.wants_login
