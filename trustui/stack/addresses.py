"""Under which names and ports people and workers reach the parts of the stack: the same ones for both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from signing.trust.notary.tokens import is_loopback

TOKEN_SERVICE, TOKEN_ISSUER = "notary", "trustui"


@dataclass(frozen=True, slots=True)
class Addresses:
    """One host and the ports that are published on it."""

    host: str
    bind: str
    web_port: str
    trust_port: str
    registry_port: str
    notary_port: str

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Addresses:
        """Read what docker-compose.yml passes on from the shell or from `.env`."""
        return cls(
            host=environ.get("TRUSTUI_HOST") or "127.0.0.1",
            bind=environ.get("TRUSTUI_BIND") or "127.0.0.1",
            web_port=environ.get("PORT") or "8000",
            trust_port=environ.get("TRUST_PORT") or "4443",
            registry_port=environ.get("REGISTRY_PORT") or "5000",
            notary_port=environ.get("NOTARY_PORT") or "4444",
        )

    @property
    def is_local(self) -> bool:
        """Tell whether this machine alone is meant: pages and registry then need no TLS, as nothing leaves it."""
        return is_loopback(self.host)

    @property
    def is_open(self) -> bool:
        """Tell whether the ports are published for other machines too."""
        return not is_loopback(self.bind)

    @property
    def web(self) -> str:
        return f"{'http' if self.is_local else 'https'}://{self.host}:{self.web_port}"

    @property
    def realm(self) -> str:
        return f"{self.web}/token"

    @property
    def trust_server(self) -> str:
        return f"https://{self.host}:{self.trust_port}"

    @property
    def notary_server(self) -> str:
        return f"https://{self.host}:{self.notary_port}"

    @property
    def registry(self) -> str:
        return f"{self.host}:{self.registry_port}"

    def routes(self) -> dict[int, tuple[str, int]]:
        """Say which part stands behind each published port, by its name and port between containers."""
        return {
            int(self.web_port): ("web", 8000),
            int(self.trust_port): ("trust-server", 4443),
            int(self.registry_port): ("registry", 5000),
            int(self.notary_port): ("notary-server", 4443),
        }
