"""What all trust servers of the tests have: a port on this machine, and a certificate of their own authority."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.parts.certificates import Authority
from tests.parts.ports import free_port


@dataclass(slots=True)
class LocalTrustServer:
    """A trust server whose files are in `folder`."""

    folder: Path
    port: int = field(default_factory=free_port, kw_only=True)
    _authority: Authority = field(init=False)

    def __post_init__(self) -> None:
        self._authority = Authority(self.folder)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_pem(self) -> str:
        return self._authority.ca_pem

    @property
    def ca_file(self) -> Path:
        return self._authority.ca_file
