"""A small OpenID Connect provider with a real key, which a test tells whom to let in and what to get wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Annotated, Any
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

CLIENT, SECRET = "console", "a secret of the console"


class Provider:
    """`claims` are of the next person; `wrong` changes claims of the token, `foreign_key` signs it with another key."""

    def __init__(self) -> None:
        self.issuer = ""
        self.claims: dict[str, Any] = {"sub": "u-1", "preferred_username": "Marie", "groups": ["desk"]}
        self.wrong: dict[str, Any] = {}
        self.foreign_key = False
        self.unsigned = False
        self.asked: dict[str, dict[str, str]] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._other = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        basics = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {**basics, **self.claims, **self.wrong}
        if self.unsigned:
            return jwt.encode(claims, "", algorithm="none")
        return jwt.encode(claims, self._other if self.foreign_key else self._key, "RS256", headers={"kid": "k1"})

    @property
    def keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        return {"keys": [{**public, "kid": "k1", "use": "sig", "alg": "RS256"}]}


def build_provider(provider: Provider) -> FastAPI:
    app = FastAPI()

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, str]:
        own = provider.issuer
        return {
            "issuer": own,
            "authorization_endpoint": f"{own}/authorize",
            "token_endpoint": f"{own}/token",
            "jwks_uri": f"{own}/keys",
        }

    @app.get("/keys")
    def keys() -> dict[str, Any]:
        return provider.keys

    @app.get("/authorize")
    def authorize(request: Request) -> Response:
        """The person signs in here at once."""
        asked = dict(request.query_params)
        code = f"code-{len(provider.asked)}"
        provider.asked[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 303)

    @app.post("/token")
    def token(
        request: Request,
        code: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
    ) -> Response:
        asked = provider.asked.pop(code, None)
        digest = hashlib.sha256(code_verifier.encode()).digest()
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        fits = (
            asked is not None
            and asked["redirect_uri"] == redirect_uri
            and asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
            and request.headers.get("authorization") == basic
        )
        if not fits or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"id_token": provider.id_token(asked["nonce"]), "token_type": "Bearer"})

    return app
