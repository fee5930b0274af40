"""`bookings`: the command line (DESIGN section 7)."""

from __future__ import annotations

import typer

from starter import entrypoint
from starter.answers import CommandError, complain
from starter.commands import (
    api,
    cards,
    codec,
    consenting,
    console,
    deals,
    demo,
    deploy,
    doctor,
    events,
    giav,
    imports,
    journal,
    midoffice,
    park,
    payments,
    people,
    plans,
    privacy,
    processes,
    reports,
    stores,
    suppliers,
    tamara,
    temporal_setup,
    tokens,
)
from store.installation import SettingsError

USER_ERROR = 2
"""The exit code of an error that the user can mend."""

app = typer.Typer(
    name="bookings",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A durable back office for travel agencies.",
    epilog="Exit codes: 0 done, 1 the answer is no, 2 something to mend first.",
)
for name in ("up", "worker", "gateway", "probe"):
    app.command(name)(getattr(processes, name))
app.command("console")(console.console)
app.command("demo")(demo.demo)
app.command("import")(imports.import_file)
app.command("doctor")(doctor.doctor)
app.add_typer(reports.app, name="report")
app.add_typer(events.app, name="event")
app.add_typer(park.app, name="park")
app.add_typer(payments.app, name="payment")
app.add_typer(plans.app, name="plan")
people.app.add_typer(tokens.app, name="token")
app.add_typer(people.app, name="user")
app.add_typer(api.app, name="api")
app.add_typer(stores.app, name="store")
app.add_typer(codec.app, name="codec")
app.add_typer(privacy.app, name="privacy")
app.add_typer(consenting.app, name="integration")
app.add_typer(deploy.app, name="deploy")
app.add_typer(temporal_setup.app, name="temporal")
app.add_typer(suppliers.app, name="supplier")
app.add_typer(deals.app, name="deal")
app.add_typer(cards.app, name="card")
app.add_typer(tamara.app, name="tamara")
app.add_typer(giav.app, name="giav")
app.add_typer(midoffice.app, name="midoffice")
app.add_typer(journal.app, name="journal")


def run() -> int:
    """One command; its exit code."""
    try:
        app()
    except (CommandError, SettingsError) as error:
        complain(str(error))
        return USER_ERROR
    return 0


def main() -> None:
    """The console script."""
    entrypoint.run(run)
