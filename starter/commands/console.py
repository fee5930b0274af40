"""`console`: serve the pages that people look at and decide on (docs/console.md)."""

from __future__ import annotations

from starter import temporal
from starter.answers import say
from starter.observing import ProbesAt, observing, probed
from starter.opening import SettingsFile, opened_store, read_settings
from starter.serving import serve


def console(settings: SettingsFile, probes: ProbesAt = "") -> None:
    """Serve the web console. People sign in with what 'bookings user add' gave them."""
    from starter.console.app import build_console

    installation = read_settings(settings)
    with observing(installation, "console"), opened_store(installation) as store, probed(store, probes):
        if not store.people.list() and installation.console.openid is None:
            say("nobody can sign in yet: bookings user add NAME --role administrator --all-agencies")
        application = build_console(installation, store, connect=lambda: temporal.connect(installation))
        say(f"console at {installation.console.url}")
        serve(
            application,
            host=installation.console.host,
            port=installation.console.port,
            trusted_proxies=installation.console.trusted_proxies,
        )
