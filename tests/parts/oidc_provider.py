"""A small OpenID Connect provider that tests can bend: discovery, authorize, token, userinfo and keys over HTTP.

It signs real id_tokens (RS256 or ES256), checks PKCE, the client's secret and the redirect address, and gives refresh
tokens that end when somebody is disabled. Whoever comes to `authorize` is the person in `signs_in`, without a form.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

CLIENT_ID, CLIENT_SECRET = "trustui", "a secret of a test"


@dataclass(slots=True)
class Subject:
    """Somebody the provider knows."""

    sub: str
    email: str = ""
    email_verified: bool = True
    name: str = ""
    preferred_username: str = ""
    groups: list[str] = field(default_factory=list)
    is_disabled: bool = False

    def claims(self) -> dict[str, Any]:
        names = ("sub", "email", "email_verified", "name", "preferred_username", "groups")
        return {name: value for name in names if (value := getattr(self, name)) not in ("", [])}


class OidcProvider:
    """The provider; `lies` changes the claims of the next id_tokens."""

    def __init__(self, algorithm: str = "RS256") -> None:
        self.algorithm = algorithm
        self.key: Any = _new_key(algorithm)
        self.signs_with = self.key
        self.people: dict[str, Subject] = {}
        self.signs_in = ""
        self.lies: dict[str, Any] = {}
        self.userinfo_sub = ""
        self.gives_id_token = True
        self.is_broken = False
        self.codes: dict[str, dict[str, str]] = {}
        self.access: dict[str, str] = {}
        self.refresh: dict[str, str] = {}
        provider = self

        class Handler(_Handler):
            part = provider

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def start(self) -> OidcProvider:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(self, sub: str, **facts: Any) -> Subject:
        self.people[sub] = Subject(sub, **facts)
        self.signs_in = sub
        return self.people[sub]

    # What it answers: status and body

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        }

    def keys(self) -> dict[str, Any]:
        form = RSAAlgorithm if self.algorithm == "RS256" else ECAlgorithm
        public = json.loads(form.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": "1", "use": "sig", "alg": self.algorithm}]}

    def authorize(self, query: dict[str, str]) -> str:
        """Give where the browser goes next."""
        assert query["client_id"] == CLIENT_ID
        assert query["response_type"] == "code"
        code = secrets.token_urlsafe()
        self.codes[code] = {**query, "sub": self.signs_in}
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token":
            sub = self.refresh.pop(form["refresh_token"], "")
        else:
            begun = self.codes.pop(form["code"], None)
            if not begun or begun["redirect_uri"] != form["redirect_uri"] or not _fits(begun, form):
                return 400, {"error": "invalid_grant"}
            sub = begun["sub"]
        if sub not in self.people or self.people[sub].is_disabled:
            return 400, {"error": "invalid_grant", "error_description": "the account is disabled"}
        access, refresh = secrets.token_urlsafe(), secrets.token_urlsafe()
        self.access[access], self.refresh[refresh] = sub, sub
        tokens = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 300}
        return 200, {**tokens, "id_token": self.id_token(sub)} if self.gives_id_token else tokens

    def id_token(self, sub: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60, **self.people[sub].claims()}
        return jwt.encode({**claims, **self.lies}, self.signs_with, self.algorithm, headers={"kid": "1"})

    def userinfo(self, authorization: str) -> tuple[int, dict[str, Any]]:
        sub = self.access.get(authorization.removeprefix("Bearer "))
        if sub is None or self.people[sub].is_disabled:
            return 401, {"error": "invalid_token"}
        return 200, {**self.people[sub].claims(), **({"sub": self.userinfo_sub} if self.userinfo_sub else {})}


class _Handler(BaseHTTPRequestHandler):
    part: OidcProvider

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if self.part.is_broken:
            self._say(503, {"error": "broken"})
        elif place.path == "/.well-known/openid-configuration":
            self._say(200, self.part.configuration())
        elif place.path == "/keys":
            self._say(200, self.part.keys())
        elif place.path == "/userinfo":
            self._say(*self.part.userinfo(self.headers.get("Authorization", "")))
        elif place.path == "/authorize":
            self.send_response(302)
            self.send_header("Location", self.part.authorize(_first(place.query)))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._say(404, {})

    def do_POST(self) -> None:
        form = _first(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.part.is_broken:
            self._say(503, {"error": "broken"})
        else:
            self._say(*self.part.token(form, self.headers.get("Authorization", "")))

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def _say(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _new_key(algorithm: str) -> Any:
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _fits(begun: dict[str, str], form: dict[str, str]) -> bool:
    """Check the proof key: RFC 7636."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return begun.get("code_challenge_method") == "S256" and begun.get("code_challenge") == challenge


def _first(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
