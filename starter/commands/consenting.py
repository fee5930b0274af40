"""`integration consent`, `integration rotate-hook`: how Kommo lets us in, and where it finds us (docs/integrations/kommo.md)."""

from __future__ import annotations

import getpass
import hmac
import secrets
import sys
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import typer

from domain.errors import BackOfficeError
from domain.people import Role
from starter.activation import KOMMO, assigned, tell_what_waits
from starter.answers import CommandError, say
from starter.commands.acting import By, doing
from starter.commands.integrations import app as app
from starter.opening import SettingsFile, agency_of, opened_store, read_settings
from store.installation import Installation

HERE = ("127.0.0.1", "localhost")
PATIENCE = 20 * 60
"""Seconds that a consent may take: so long its code would live."""


@app.command()
def consent(
    agency: str,
    settings: SettingsFile,
    paste: Annotated[
        bool, typer.Option(help="Paste the address that the browser ends at, instead of listening.")
    ] = False,
    long_lived: Annotated[
        bool, typer.Option("--long-lived", help="Seal a long-lived token, from the prompt or standard input.")
    ] = False,
    ends: Annotated[
        str, typer.Option(metavar="DAY", help="Last day of the long-lived token; told 30 days before.")
    ] = "",
    by: By = "",
) -> None:
    """Let an administrator of Kommo agree that we use the account; or seal a token that one has made there."""
    from workers import consenting

    installation = read_settings(settings)
    configured = agency_of(installation, agency)
    with (
        opened_store(installation) as store,
        doing(store, by, "integration.consent", f"{agency}/{KOMMO}", agency=agency, needs=Role.ADMINISTRATOR) as name,
    ):
        try:
            if long_lived:
                _seal_long_lived(store, agency, ends, name)
            else:
                account = consenting.settings_of(store, agency, configured)
                if not account.uses_oauth or account.redirect_uri is None:
                    raise CommandError("client_id, client_secret and redirect_uri are needed, and no long-lived token")
                state = secrets.token_urlsafe(24)
                say(f"open this as an administrator of Kommo:\n  {consenting.consent_address(account, state)}")
                code = _code(account.redirect_uri, state, account.host.netloc.decode(), paste=paste)
                consenting.exchange(store, agency, account, code)
        except BackOfficeError as error:
            raise CommandError(error.message) from None
        say(f"kommo of {agency}: we are let in, {consenting.standing(store, agency)}")
        going = tell_what_waits(installation, store, agency, KOMMO)
    if going:
        say(going)


@app.command()
def install(agency: str, settings: SettingsFile, by: By = "") -> None:
    """Make our fields of deals and register the webhook, for a Kommo that stands in the settings file. May be repeated."""
    installation = read_settings(settings)
    if agency_of(installation, agency).kommo is None:
        raise CommandError(
            f"there is no [agencies.{agency}.kommo] in the settings file; bookings integration activate {agency} "
            f"--system {KOMMO} does it for an integration"
        )
    with (
        opened_store(installation) as store,
        doing(store, by, "integration.install", f"{agency}/{KOMMO}", agency=agency, needs=Role.ADMINISTRATOR),
    ):
        made = install_crm(installation, agency)
    say(f"kommo of {agency}: {f'made {made}' if made else 'our fields are there'}; it tells us of deals")


def install_crm(installation: Installation, agency: str) -> str:
    """The fields that were made, in words."""
    from workers import consenting

    with opened_store(installation) as store:
        try:
            return ", ".join(consenting.install(store, agency, agency_of(installation, agency)))
        except BackOfficeError as error:
            raise CommandError(str(error)) from None


@app.command(name="rotate-hook")
def rotate_hook(agency: str, settings: SettingsFile, by: By = "") -> None:
    """Give Kommo's webhook another secret address: the new one is registered first, the old one is still listened to."""
    from workers import consenting

    installation = read_settings(settings)
    configured = agency_of(installation, agency)
    if configured.kommo is not None:
        raise CommandError(
            f"the secret stands in [agencies.{agency}.kommo]: make hook_secret the retiring_hook_secret, write a new one, "
            "restart, and register the new address in Kommo"
        )
    with (
        opened_store(installation) as store,
        doing(store, by, "integration.rotate-hook", f"{agency}/{KOMMO}", agency=agency, needs=Role.ADMINISTRATOR),
    ):
        try:
            consenting.rotate_hook(store, agency)
        except BackOfficeError as error:
            raise CommandError(str(error)) from None
    say(f"kommo of {agency}: it tells us at another address now")


def _seal_long_lived(store: Any, agency: str, ends: str, by: str) -> None:
    from workers import consenting

    known = store.integrations.known(agency, KOMMO)
    try:
        last = date.fromisoformat(ends) if ends else None
    except ValueError:
        raise CommandError(f"--ends is a day like 2027-01-31, not '{ends}'") from None
    token = getpass.getpass("Token (not shown): ") if sys.stdin.isatty() else sys.stdin.readline(20_000)
    token = token.strip()
    if not token or not token.isprintable() or " " in token:
        raise CommandError("that is no token: one line without spaces, from the prompt or standard input")
    if last is not None:
        wanted = assigned(KOMMO, known.settings, [f"token_expires={last}"])
        store.integrations.set(agency, KOMMO, wanted, by=by, detail=f"token_expires={last}")
    consenting.seal_long_lived(store, agency, token, by=by)


def _code(redirect_uri: str, state: str, host: str, *, paste: bool) -> str:
    """The code of the consent: from the browser's call to our redirect, or pasted."""
    place = urlsplit(redirect_uri)
    if not paste and place.scheme == "http" and place.hostname in HERE and place.port:
        say(f"listening on {place.hostname}:{place.port} for the answer; Ctrl-C ends it")
        return code_in(_listen(place.hostname, place.port, place.path), state, host)
    say(f"when the browser has arrived at {redirect_uri}?…, paste that whole address here:")
    return code_in(sys.stdin.readline(10_000).strip(), state, host)


def code_in(address: str, state: str, host: str) -> str:
    """The code of an address that the browser was sent to. Raises `CommandError` for an answer to another question."""
    told = parse_qs(urlsplit(address).query)
    if told.get("error"):
        raise CommandError(f"the administrator did not agree: {told['error'][0][:100]}")
    if not told.get("code"):
        raise CommandError("there is no code in that address")
    if not hmac.compare_digest(told.get("state", [""])[0].encode(), state.encode()):
        raise CommandError("that is the answer to another consent (its state differs); begin again")
    if told.get("referer", [host])[0] != host:
        raise CommandError(f"that is another account than {host}: {told['referer'][0][:100]}")
    return told["code"][0]


def _listen(host: str, port: int, path: str) -> str:
    """The address of the first call to our redirect, within the life of a code."""
    came: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        """Takes one call."""

        def do_GET(self) -> None:
            right = urlsplit(self.path).path == (path or "/")
            if right:
                came.append(self.path)
            self.send_response(200 if right else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"Thank you; go on in the terminal.\n" if right else b"Not Found\n")

        def log_message(self, format: str, *args: Any) -> None:
            """The address holds the code and belongs into no log."""

    class Server(HTTPServer):
        timeout = PATIENCE
        timed_out = False

        def handle_timeout(self) -> None:
            self.timed_out = True

    try:
        server = Server((host, port), Receiver)
    except OSError as error:
        raise CommandError(f"{host}:{port} cannot be listened on ({error.strerror}); use --paste") from None
    with server:
        while not came and not server.timed_out:
            server.handle_request()
    if not came:
        raise CommandError("nobody agreed within 20 minutes; begin again")
    return came[0]
