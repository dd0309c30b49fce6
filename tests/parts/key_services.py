"""A key service on this machine: AWS KMS and Vault's transit engine as far as they are used, with real keys."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AnyKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_PREHASHED = Prehashed(hashes.SHA256())
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/kms/aws4_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=(\w+)"
)


@dataclass
class KeyServices:
    """What the server knows, and how it misbehaves: `answer` takes the place of every answer."""

    url: str = ""
    key_id: str = "AKIDEXAMPLE"
    secret: str = "a secret of the cloud"
    token: str = "hvs.a-token-of-vault"
    keys: dict[str, AnyKey] = field(default_factory=dict)
    exportable: bool = False
    answer: tuple[int, bytes] | None = None
    asked: list[str] = field(default_factory=list)
    slow: threading.Event | None = None

    def kms(self, headers: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        if not self._is_signed(headers, body):
            return 400, {"__type": "InvalidSignatureException", "message": f"wrong, not {self.secret}"}
        wanted, action = json.loads(body), headers["X-Amz-Target"]
        key = self.keys.get(wanted["KeyId"])
        if key is None:
            return 400, {"__type": "NotFoundException", "message": "no such key"}
        if action == "TrentService.GetPublicKey":
            der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return 200, {"KeyUsage": "SIGN_VERIFY", "PublicKey": base64.b64encode(der).decode()}
        digest = base64.b64decode(wanted["Message"])
        return 200, {"Signature": base64.b64encode(_sign(key, digest, wanted["SigningAlgorithm"])).decode()}

    def vault(self, path: str, headers: Any, body: bytes) -> tuple[int, dict[str, Any]]:
        if headers.get("X-Vault-Token") != self.token:
            return 403, {"errors": ["permission denied"]}
        part, name = path.split("/")[3:5]
        key = self.keys.get(name)
        if key is None:
            return 404, {"errors": []}
        if part == "keys":
            pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            return 200, {"data": {"exportable": self.exportable, "keys": {"1": {"public_key": pem}}}}
        wanted = json.loads(body)
        how = {"pss": "RSASSA_PSS", "pkcs1v15": "RSASSA_PKCS1"}.get(wanted.get("signature_algorithm", ""), "ECDSA")
        signature = _sign(key, base64.b64decode(wanted["input"]), how)
        return 200, {"data": {"signature": f"vault:v1:{base64.b64encode(signature).decode()}"}}

    def _is_signed(self, headers: Any, body: bytes) -> bool:
        """Compute the signature anew, as AWS does."""
        found = _AUTHORIZATION.fullmatch(headers.get("Authorization", ""))
        if found is None or found[1] != self.key_id:
            return False
        lines = "".join(f"{name}:{headers[name]}\n" for name in found[4].split(";"))
        request = "\n".join(("POST", "/", "", lines, found[4], hashlib.sha256(body).hexdigest()))
        scope = f"{found[2]}/{found[3]}/kms/aws4_request"
        text = "\n".join(
            ("AWS4-HMAC-SHA256", headers["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest())
        )
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), found[5])


def _sign(key: AnyKey, digest: bytes, how: str) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(digest, ec.ECDSA(_PREHASHED))
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return key.sign(digest, pss if "PSS" in how else padding.PKCS1v15(), _PREHASHED)


@contextlib.contextmanager
def key_services() -> Iterator[KeyServices]:
    """Run the server on a free port."""
    made = KeyServices()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made.asked.append(self.path)
            if made.slow:
                made.slow.wait(10)
            if made.answer:
                status, sent = made.answer
            else:
                is_vault = self.path.startswith("/v1/")
                status, told = made.vault(self.path, self.headers, body) if is_vault else made.kms(self.headers, body)
                sent = json.dumps(told).encode()
            with contextlib.suppress(ConnectionError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
