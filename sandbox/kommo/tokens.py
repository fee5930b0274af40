"""Tokens that Kommo gives and sends: OAuth pairs, long-lived ones, one-time ones of widget and bot (contracts: kommo 2)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.kommo.problems import KommoError, oauth_refused
from sandbox.shelf import Shelf

CODE_SECONDS = 20 * 60
DISPOSABLE_SECONDS = 30 * 60
DIGESTS = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def minted(claims: Mapping[str, Any], secret: str, algorithm: str) -> str:
    """A JWT; `none` leaves the signature out, as an attacker would."""
    head = _text(json.dumps({"typ": "JWT", "alg": algorithm}).encode())
    body = _text(json.dumps(dict(claims)).encode())
    if algorithm == "none":
        return f"{head}.{body}."
    signature = hmac.new(secret.encode(), f"{head}.{body}".encode(), DIGESTS[algorithm]).digest()
    return f"{head}.{body}.{_text(signature)}"


class Tokens:
    """Codes and refresh tokens work once; `life` is how long an access token lasts, in seconds."""

    def __init__(
        self, shelf: Shelf, clock: Callable[[], datetime], *, client_id: str, secret: str, redirect_uri: str
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self.client_id = client_id
        self.secret = secret
        self.redirect_uri = redirect_uri
        self.life = 86_400

    def consent(self) -> str:
        """An administrator agreed: a code for twenty minutes."""
        code = f"def502{uuid.uuid4().hex}"
        self._shelf.put("code", code, {"until": self._now() + CODE_SECONDS, "used": False})
        return code

    def exchange(self, body: Any) -> dict[str, Any]:
        """`POST /oauth2/access_token`. Raises KommoError."""
        if not isinstance(body, dict):
            raise KommoError(400, "the body is no JSON object")
        if body.get("client_id") != self.client_id or body.get("client_secret") != self.secret:
            raise oauth_refused("Check the `client_id` parameter", 400)
        if body.get("redirect_uri") != self.redirect_uri:
            raise oauth_refused("Check the `redirect_uri` parameter", 400)
        match body.get("grant_type"):
            case "authorization_code":
                self._use_code(str(body.get("code")))
            case "refresh_token":
                self._use_refresh(str(body.get("refresh_token")))
            case _:
                raise oauth_refused("Check the `grant_type` parameter", 400)
        return self._pair()

    def check(self, token: str) -> None:
        """Raises KommoError 401 for a token that was never given, ran out or was revoked."""
        held = self._shelf.get("access", token)
        if held is None or held["revoked"] or held["until"] <= self._now():
            raise KommoError(401, "Unauthorized", hint="Token has been revoked")

    def long_lived(self, token: str, seconds: int = 5 * 365 * 86_400) -> None:
        """A token that an administrator made."""
        self._shelf.put("access", token, {"until": self._now() + seconds, "revoked": False})

    def revoke(self, *, access: bool = True, refresh: bool = True) -> None:
        """Take back every token of the given kinds."""
        for kind, wanted in (("access", access), ("refresh", refresh)):
            for token, held in self._shelf.all(kind).items():
                if wanted:
                    self._shelf.put(kind, token, held | {"revoked": True})

    def disposable(self, wish: Mapping[str, Any], account: Mapping[str, Any]) -> str:
        """A one-time token for the widget or the bot: `for`, `alg`, `lead_id`, `aud`, `expired`, `secret`, `jti`."""
        now = self._now()
        bot = wish.get("for") == "bot"
        claims: dict[str, Any] = {
            "iss": account["url"],
            "exp": now - 60 if wish.get("expired") else now + DISPOSABLE_SECONDS,
            "account_id": account["id"],
            "subdomain": account["subdomain"],
            "client_uuid": self.client_id,
        }
        if bot:
            claims |= {"entity_id": wish.get("lead_id"), "entity_type": 2, "bot_type": "salesbot"}
        else:
            origin = "/".join(self.redirect_uri.split("/")[:3])
            claims |= {"jti": wish.get("jti") or str(uuid.uuid4()), "iat": now, "nbf": now, "user_id": 7001}
            claims |= {"aud": wish.get("aud", origin), "is_admin": True}
        return minted(claims, str(wish.get("secret", self.secret)), str(wish.get("alg", "HS512" if bot else "HS256")))

    def _use_code(self, code: str) -> None:
        held = self._shelf.get("code", code)
        if held is None:
            raise oauth_refused("Cannot decrypt the authorization code", 400)
        if held["used"]:
            raise oauth_refused("Authorization code has been revoked", 400)
        if held["until"] <= self._now():
            raise oauth_refused("Authorization code has expired", 400)
        self._shelf.put("code", code, held | {"used": True})

    def _use_refresh(self, token: str) -> None:
        held = self._shelf.get("refresh", token)
        if held is None:
            raise oauth_refused("Invalid refresh token")
        if held["revoked"]:
            raise oauth_refused("Token has been revoked")
        self._shelf.put("refresh", token, held | {"revoked": True})
        self._shelf.next_number("renewals", 1)

    def _pair(self) -> dict[str, Any]:
        access, refresh = f"at.{uuid.uuid4().hex}", f"rt.{uuid.uuid4().hex}"
        self._shelf.put("access", access, {"until": self._now() + self.life, "revoked": False})
        self._shelf.put("refresh", refresh, {"revoked": False})
        return {
            "token_type": "Bearer",
            "expires_in": self.life,
            "server_time": self._now(),
            "access_token": access,
            "refresh_token": refresh,
        }

    def _now(self) -> int:
        return int(self._clock().timestamp())
