"""OAuth with rotating refresh tokens: one worker renews, seals the new pair, and only then is it used (contracts: kommo 2.1).

Two ways to lose an account remain, and no program can close them: a crash between the answer and our commit, and an answer
that never came although the old token was used up. Both end in `needs_reauth`, where a person consents again.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from activities.bounds import Bounded
from activities.kommo.line import Alarm, nobody
from activities.kommo.settings import KommoSettings
from activities.kommo.wire import SYSTEM
from domain.errors import BackOfficeError, Transient, Unauthorised
from store.crm_tokens import CrmTokens, TokenPair

USED_UP = 0.8
"""The part of its life after which an access token is renewed."""
LONGEST_UNUSED = timedelta(days=7)
"""A refresh token dies when it is not used for three months; no account comes near that."""
MARGIN = timedelta(seconds=60)
"""Before its end a token is not used any more: the call has to arrive."""
JUST_NOW = timedelta(seconds=60)
LEASE = timedelta(seconds=60)
"""Longer than connecting, sending and committing can take."""
COME_BACK = 1.0
REASON = "kommo_needs_reauth"
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class OAuth:
    """The account's token address: a code or a refresh token in, a pair out."""

    def __init__(self, settings: KommoSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        if settings.client_id is None or settings.client_secret is None or settings.redirect_uri is None:
            raise ValueError("OAuth needs client_id, client_secret and redirect_uri")
        self._known = {
            "client_id": settings.client_id,
            "client_secret": settings.client_secret.get_secret_value(),
            "redirect_uri": settings.redirect_uri,
        }
        self._http = httpx.Client(
            base_url=settings.url,
            timeout=httpx.Timeout(settings.token_seconds, connect=settings.connect_seconds),
            follow_redirects=False,
            transport=Bounded.to(settings.url, transport),
        )

    def close(self) -> None:
        self._http.close()

    def by_code(self, code: str) -> tuple[str, str, timedelta]:
        """Access token, refresh token, life. Raises `Unauthorised` for a code that is used up, too old or unknown."""
        return self._exchange({"grant_type": "authorization_code", "code": code})

    def by_refresh(self, refresh: str) -> tuple[str, str, timedelta]:
        """The same. `Unauthorised` is final, `Transient` is not."""
        return self._exchange({"grant_type": "refresh_token", "refresh_token": refresh})

    def _exchange(self, grant: Mapping[str, str]) -> tuple[str, str, timedelta]:
        try:
            answer = self._http.post("/oauth2/access_token", json={**self._known, **grant})
        except _NOTHING_SENT as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise Unauthorised("the certificate was not accepted", system=SYSTEM, operation="token") from None
            raise Transient(f"not connected: {type(error).__name__}", system=SYSTEM, operation="token") from None
        except httpx.HTTPError as error:
            raise Transient(f"no answer: {type(error).__name__}", system=SYSTEM, operation="token") from None
        return _pair(answer)


class RotatingTokens:
    """One account's bearer token in one process; thread-safe, and safe beside other processes on the same store."""

    def __init__(
        self,
        agency: str,
        oauth: OAuth,
        kept: CrmTokens,
        *,
        alarm: Alarm = nobody,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._agency = agency
        self._oauth = oauth
        self._kept = kept
        self._alarm = alarm
        self._now = now
        self._holder = f"worker-{secrets.token_hex(8)}"
        self._known: TokenPair | None = None
        # Threads of one process queue here, so that the lease is a matter between processes.
        self._renewing = threading.Lock()

    def current(self) -> str:
        """The access token; renewed before that when most of its life is over. Raises `Unauthorised`, `Transient`."""
        pair = self._known
        if pair is None or self._is_due(pair):
            pair = self._renewed(lambda newest: self._is_due(newest))
        return pair.access

    def after_refusal(self, refused: str) -> str | None:
        """What another worker got meanwhile, or a renewal; None for a pair that is new and refused all the same."""

        def still_needed(newest: TokenPair) -> bool:
            return newest.access == refused and self._now() - newest.obtained_at > JUST_NOW

        pair = self._renewed(still_needed)
        return None if pair.access == refused else pair.access

    def keep_alive(self) -> bool:
        """Renew what is due; whether the pair is a new one. For a schedule: an account that nobody uses stays ours."""
        before = self._kept.standing(self._agency, SYSTEM)
        self.current()
        after = self._kept.standing(self._agency, SYSTEM)
        return before is not None and after is not None and after.generation > before.generation

    def _is_due(self, pair: TokenPair) -> bool:
        life = pair.expires_at - pair.obtained_at
        return self._now() >= min(pair.obtained_at + life * USED_UP, pair.obtained_at + LONGEST_UNUSED)

    def _renewed(self, is_needed: Callable[[TokenPair], bool]) -> TokenPair:
        """The newest pair, renewed first where `is_needed` says so of what is kept at that moment."""
        with self._renewing:
            newest = self._live_pair()
            if is_needed(newest):
                newest = self._under_lease(newest, is_needed)
            self._known = newest
            return newest

    def _under_lease(self, newest: TokenPair, is_needed: Callable[[TokenPair], bool]) -> TokenPair:
        if not self._kept.lease(self._agency, SYSTEM, self._holder, LEASE):
            if self._now() < newest.expires_at - MARGIN:
                return newest
            raise Transient("another worker renews the token", system=SYSTEM, operation="token", retry_after=COME_BACK)
        try:
            # Who held the lease before may have renewed what we looked at.
            newest = self._live_pair()
            return self._exchange(newest) if is_needed(newest) else newest
        finally:
            self._kept.release(self._agency, SYSTEM, self._holder)

    def _exchange(self, before: TokenPair) -> TokenPair:
        try:
            access, refresh, lasts = self._oauth.by_refresh(before.refresh)
        except Unauthorised as refusal:
            if self._kept.refused(self._agency, SYSTEM, before, refusal.message):
                self._alarm(REASON, self._what_to_do(refusal.message))
                raise self._needs_reauth(refusal.message) from None
            return self._live_pair()
        except Transient:
            if self._now() < before.expires_at - MARGIN:
                return before
            raise
        return self._kept.renewed(self._agency, SYSTEM, before, access=access, refresh=refresh, lasts=lasts)

    def _live_pair(self) -> TokenPair:
        """What is kept now. Raises `Unauthorised` when a person has to consent (again); nothing is called."""
        standing = self._kept.standing(self._agency, SYSTEM)
        if standing is None:
            raise self._needs_reauth("nobody has consented yet")
        if standing.state == "needs_reauth":
            raise self._needs_reauth(standing.reason)
        return self._kept.pair(self._agency, SYSTEM)

    def _needs_reauth(self, why: str) -> BackOfficeError:
        return Unauthorised(self._what_to_do(why), system=SYSTEM, operation="token", code="needs_reauth")

    def _what_to_do(self, why: str) -> str:
        return f"{why}; an administrator of Kommo consents again: bookings integration consent {self._agency}"


def _pair(answer: httpx.Response) -> tuple[str, str, timedelta]:
    try:
        told: Any = answer.json()
    except ValueError:
        told = None
    body: Mapping[str, Any] = told if isinstance(told, dict) else {}
    if 400 <= answer.status_code <= 499 and answer.status_code != 429:
        words = str(body.get("hint") or body.get("detail") or f"HTTP {answer.status_code}")[:200]
        raise Unauthorised(words, system=SYSTEM, operation="token", code=str(answer.status_code))
    access, refresh, lasts = body.get("access_token"), body.get("refresh_token"), body.get("expires_in")
    if answer.status_code != 200 or not access or not refresh or not isinstance(lasts, int) or lasts <= 0:
        raise Transient(f"HTTP {answer.status_code} without a pair of tokens", system=SYSTEM, operation="token")
    return str(access), str(refresh), timedelta(seconds=lasts)
