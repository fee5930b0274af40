"""Signing in with an OpenID Connect provider: authorisation code with PKCE, state and nonce (OpenID Connect Core 3.1, RFC 7636).

What the provider says counts anew at every sign-in: who has lost the last mapped group stays out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import jwt

from domain.people import Role
from store.console_settings import OpenIdSettings

BACK = "/sign-in/openid/back"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA")
"""Signatures with a public key; never `none`, never one made with a shared secret."""
SECONDS = 10.0
KEPT_SECONDS = 3_600.0
"""How long the provider's addresses are believed; its keys are read again when an unknown one signs."""
LEEWAY = 60


class NotLetIn(Exception):
    """The text says why, for the log; the person is told only that it did not work."""


@dataclass(frozen=True, slots=True)
class Journey:
    """What has to be the same when the browser comes back; it waits in a cookie of that browser."""

    state: str
    nonce: str
    verifier: str
    next: str

    @classmethod
    def begin(cls, to: str) -> Journey:
        return cls(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), to)

    @property
    def challenge(self) -> str:
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).decode().rstrip("=")

    def kept(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def read(cls, kept: str | None, state: str | None) -> Journey:
        """The journey that this answer belongs to. Raises `NotLetIn`."""
        try:
            found = cls(**json.loads(base64.urlsafe_b64decode((kept or "")[:4_000])))
            fits = hmac.compare_digest(found.state.encode(), (state or "").encode())
        except (ValueError, TypeError, AttributeError):
            raise NotLetIn("the answer belongs to no journey of this browser") from None
        if not fits:
            raise NotLetIn("the state is another one")
        return found


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whom the provider let in, in our words. `agencies` is None for all."""

    subject: str
    name: str
    role: Role
    agencies: tuple[str, ...] | None


class OpenIdProvider:
    """Safe for threads. Every trouble with the provider is `NotLetIn`."""

    def __init__(self, settings: OpenIdSettings, public_url: str) -> None:
        self._settings = settings
        self._back = public_url + BACK
        self._reading = threading.Lock()
        self._addresses: tuple[float, dict[str, Any]] | None = None
        self._keys: jwt.PyJWKSet | None = None

    def door(self, journey: Journey) -> str:
        """Where the browser goes to sign in."""
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._back,
            "scope": self._settings.scopes,
            "state": journey.state,
            "nonce": journey.nonce,
            "code_challenge": journey.challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._address('authorization_endpoint')}?{urlencode(query)}"

    def arrival(self, journey: Journey, code: str) -> Arrival:
        """Exchange the code, check the token, map its claims."""
        claims = self._checked(self._id_token(journey, code), journey.nonce)
        role = self._role(claims)
        if role is None:
            raise NotLetIn(f"no value of the claim '{self._settings.role_claim}' has a role in console.openid.roles")
        agency_claim = self._settings.agency_claim
        return Arrival(
            subject=f"{self._settings.issuer}|{claims['sub']}"[:500],
            name=str(claims.get(self._settings.name_claim) or claims["sub"]).lower(),
            role=role,
            agencies=None if agency_claim is None else tuple(_texts(claims.get(agency_claim))),
        )

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        """The highest that any value of the claim maps to."""
        found = [
            self._settings.roles[each]
            for each in _texts(claims.get(self._settings.role_claim))
            if each in self._settings.roles
        ]
        return max(found, key=list(Role).index, default=None)

    def _id_token(self, journey: Journey, code: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": journey.verifier,
            "client_id": self._settings.client_id,
        }
        secret = self._settings.client_secret
        # A client with a secret shows it in the header, which every provider has to accept (RFC 6749 2.3.1).
        auth = (self._settings.client_id, secret.get_secret_value()) if secret else None
        answer = self._asked("POST", self._address("token_endpoint"), data=form, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise NotLetIn("the provider gave no ID token")
        return token

    def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of a token that the provider signed for us, for this journey, not long ago."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(token),
                algorithms=list(ALGORITHMS),
                audience=self._settings.client_id,
                issuer=self._settings.issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise NotLetIn(f"the ID token is not acceptable: {type(error).__name__}") from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise NotLetIn("the ID token is of another journey")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != self._settings.client_id:
            raise NotLetIn("the ID token was made for somebody else")
        return claims

    def _key(self, token: str) -> Any:
        kid = jwt.get_unverified_header(token).get("kid")
        for again in (False, True):
            keys = self._key_set(again=again)
            fitting = [key for key in keys.keys if kid is None or key.key_id == kid]
            if fitting and (kid is not None or len(fitting) == 1):
                return fitting[0]
        raise NotLetIn("nobody knows the key of the ID token")

    def _key_set(self, *, again: bool) -> jwt.PyJWKSet:
        with self._reading:
            if self._keys is None or again:
                try:
                    self._keys = jwt.PyJWKSet.from_dict(self._asked("GET", self._address("jwks_uri", locked=True)))
                except jwt.PyJWTError:
                    raise NotLetIn("the provider's keys cannot be used") from None
            return self._keys

    def _address(self, name: str, *, locked: bool = False) -> str:
        if locked:
            return self._known(name)
        with self._reading:
            return self._known(name)

    def _known(self, name: str) -> str:
        if self._addresses is None or time.monotonic() - self._addresses[0] > KEPT_SECONDS:
            issuer = self._settings.issuer.rstrip("/")
            found = self._asked("GET", f"{issuer}/.well-known/openid-configuration")
            if found.get("issuer") != self._settings.issuer:
                raise NotLetIn("the provider calls itself by another name than console.openid.issuer")
            self._addresses = (time.monotonic(), found)
        address = self._addresses[1].get(name)
        if not isinstance(address, str) or not _safe(address):
            raise NotLetIn(f"the provider names no safe {name}")
        return address

    def _asked(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        if not _safe(url):
            raise NotLetIn("console.openid.issuer has to be an https address")
        try:
            answer = httpx.request(method, url, timeout=SECONDS, follow_redirects=False, **more)
            answer.raise_for_status()
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise NotLetIn(f"{urlsplit(url).netloc} did not answer as it should: {type(error).__name__}") from None
        if not isinstance(found, dict):
            raise NotLetIn(f"{urlsplit(url).netloc} did not answer with an object")
        return found


def _safe(url: str) -> bool:
    """Codes and tokens travel over TLS, or stay on this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))


def _texts(value: Any) -> list[str]:
    """A claim may be one text or a list of them."""
    if isinstance(value, str):
        return [value]
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
