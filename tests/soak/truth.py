"""What is true of a publish, asked of the registry, the trust server and the audit log, beside what its row says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from signing.adapters.registry import Registry as RegistryClient
from tests.parts.cluster import Cluster
from tests.parts.ours import OurClient

FINISHED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Ended:
    """One publish as its row tells it."""

    pk: int
    gun: str
    tag: str
    state: str
    result: dict[str, Any]
    error: str


@dataclass
class Truth:
    """Compares rows with the world. A trust folder of its own: it believes nothing the product remembers."""

    cluster: Cluster
    folder: Path
    first_versions: dict[str, int] = field(default_factory=dict)

    def remember_versions(self, guns: list[str]) -> None:
        """Note how often the signer had signed before."""
        self.first_versions = {gun: self._version(gun) for gun in guns}

    def operations(self) -> list[Ended]:
        """Read every publish there is."""
        rows = self.cluster.rows(
            "select o.id, r.gun, o.parameters->>'tag', o.state, o.result, o.error from signing_operation o"
            " join signing_repository r on r.id = o.repository_id where o.kind = 'publish' order by o.id"
        )
        return [Ended(*row) for row in rows]

    def problems_of(self, ended: Ended) -> list[str]:
        """Say in which way its row does not tell the truth; nothing where it does."""
        digest = str(ended.result.get("digest", "")).removeprefix("sha256:")
        signed = self._signed(ended.gun).get(ended.tag)
        moved = (self._in_registry(ended.gun, ended.tag) or "").removeprefix("sha256:")
        says_signed = bool(ended.result.get("signature_stored"))
        events = self.cluster.rows(
            "select count(*) from signing_auditevent where action = 'publish_image' and detail->>'operation' = %s",
            str(ended.pk),
        )[0][0]
        claims = {
            f"it is {ended.state}": ended.state not in FINISHED,
            "done, and not signed": ended.state == "done" and signed != digest,
            "done, and the tag was not moved": ended.state == "done" and moved != digest,
            "the tag moved without a signature": bool(moved) and signed != moved,
            f"{ended.state}, and published": ended.state in ("failed", "cancelled") and bool(moved),
            f"{ended.state}, and signed without saying so": ended.state != "done" and bool(signed) and not says_signed,
            f"{events} audit events": events != 1,
        }
        return [f"operation {ended.pk}, {ended.tag}: {claim}" for claim, is_so in claims.items() if is_so]

    def doubled(self, guns: list[str]) -> list[str]:
        """Name repositories where the signer's file has another number of new versions than there are new tags."""
        wrong = []
        for gun in guns:
            versions, tags = self._version(gun) - self.first_versions[gun], len(self._signed(gun))
            if versions != tags:
                wrong.append(f"{gun}: {tags} tags, {versions} versions")
        return wrong

    def _signed(self, gun: str) -> dict[str, str]:
        return {found.tag: found.digest_hex for found in self._client().refresh(gun).released()}

    def _version(self, gun: str) -> int:
        file = self._client().refresh(gun).delegations.get("targets/alice")
        return file.version if file else 0  # nothing signed yet, no file

    def _client(self) -> OurClient:
        return OurClient(self.folder, self.cluster.trust_url, self.cluster.ca_pem)

    def _in_registry(self, gun: str, tag: str) -> str | None:
        with RegistryClient(self.cluster.registry.host) as registry:
            return registry.tag_digest(gun.partition("/")[2], tag)
