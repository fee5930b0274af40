"""`supplier feed`, `supplier poll`, `supplier orders`: how far a supplier was read, and what became of every order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import typer
from temporalio.service import RPCError, RPCStatusCode

from domain import naming
from domain.people import Role
from domain.supplier import RATEHAWK
from starter.answers import CommandError, as_json, as_table, say
from starter.commands.acting import By, doing
from starter.opening import AsJson, SettingsFile, agency_of, connected, opened_store, read_settings
from store import Store
from store.installation import Installation
from store.supplier_orders import KnownOrder, OrderFate

app = typer.Typer(no_args_is_help=True, help="Suppliers whose orders are read: RateHawk.")
AGENCY = typer.Argument(help="The agency, as the settings name it.", show_default=False)


@app.command()
def feed(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    json_out: AsJson = False,
) -> None:
    """How far each agency's orders were read, and what waits."""
    installation = read_settings(settings)
    names = [agency] if agency else list(installation.agencies)
    with opened_store(installation) as store:
        rows = [_feed(store, name) for name in names if agency_of(installation, name).ratehawk is not None]
    if agency and not rows:
        raise CommandError(_without(agency))
    if json_out:
        as_json(rows)
        return
    columns = ("agency", "supplier", "swept", "newest change", "sweeps", "pages", "orders", "pending", "nudges open")
    as_table(
        "Feeds",
        columns,
        (
            (
                row["agency"],
                row["supplier"],
                row["swept_at"] or "never",
                row["watermark"],
                row["sweeps"],
                row["pages"],
                sum(row["orders"].values()) - row["orders"]["pending"],
                row["orders"]["pending"],
                row["nudges"]["open"],
            )
            for row in rows
        ),
        right=("sweeps", "pages", "orders", "pending", "nudges open"),
    )


@app.command()
def poll(agency: Annotated[str, AGENCY], settings: SettingsFile, by: By = "") -> None:
    """Read what changed now, without waiting for the clock."""
    installation = read_settings(settings)
    if agency_of(installation, agency).ratehawk is None:
        raise CommandError(_without(agency))
    with (
        opened_store(installation) as store,
        doing(store, by, "supplier.poll", RATEHAWK, agency=agency, needs=Role.OPERATOR),
    ):
        asyncio.run(sweep_now(installation, agency))
    say(f"{RATEHAWK} of {agency} is being read; see 'bookings supplier feed'")


@app.command()
def orders(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    state: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(get_args(OrderFate))}.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
    json_out: AsJson = False,
) -> None:
    """Orders with what became of them, the newest change first.

    new: seen, and a booking may still claim it; booking: a booking's; own: being transferred on its own; transferred: in the
    mid-office without a booking; listed: nowhere but here, with the reason.
    """
    installation = read_settings(settings)
    if agency:
        agency_of(installation, agency)
    if state is not None and state not in get_args(OrderFate):
        raise CommandError(f"there is no state '{state}'; known: {', '.join(get_args(OrderFate))}")
    with opened_store(installation) as store:
        found = store.supplier_orders.list(agency, RATEHAWK, state=state, limit=limit)  # type: ignore[arg-type]
    rows = list(_plain(found))
    if json_out:
        as_json(rows)
        return
    columns = ("agency", "order", "our id", "status", "state", "booking", "payable", "confirmed", "check-in", "reason")
    as_table(
        "Orders",
        columns,
        (
            (
                row["agency"],
                row["order_id"],
                row["partner_order_id"],
                row["status"],
                row["state"] + (" (pending)" if row["pending"] else ""),
                row["booking_id"],
                row["payable"],
                row["confirmed"],
                row["checkin"],
                row["reason"],
            )
            for row in rows
        ),
        right=("payable", "confirmed"),
    )


def _feed(store: Store, agency: str) -> dict[str, Any]:
    known = store.supplier_feeds.get(agency, RATEHAWK)
    moments = {
        name: f"{moment:%Y-%m-%d %H:%M}" if known and (moment := getattr(known, name)) else None
        for name in ("swept_at", "watermark")
    }
    return {
        "agency": agency,
        "supplier": RATEHAWK,
        **moments,
        "sweeps": known.sweeps if known else 0,
        "pages": known.pages if known else 0,
        "orders": store.supplier_orders.counts(agency, RATEHAWK),
        "nudges": store.supplier_feeds.counts(agency, RATEHAWK),
    }


def _plain(orders: list[KnownOrder]) -> Iterator[dict[str, Any]]:
    """Keys and money: who stays where is the supplier's to show."""
    for known in orders:
        yield {
            "agency": known.agency,
            "order_id": known.order.order_id,
            "partner_order_id": known.order.partner_order_id,
            "status": known.order.status,
            "state": known.state,
            "pending": known.revision > known.handled_revision,
            "booking_id": known.booking_id,
            "payable": str(known.order.payable),
            "confirmed": str(known.confirmed) if known.confirmed else None,
            "checkin": known.order.checkin.isoformat(),
            "reason": known.reason,
        }


async def sweep_now(installation: Installation, agency: str) -> None:
    """Ask the feed for a sweep. Raises `CommandError` when it does not run."""
    client = await connected(installation)
    try:
        await client.get_workflow_handle(naming.supplier_feed(agency, RATEHAWK)).signal("sweep")
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise CommandError(
                f"the feed of {agency} does not run; it starts with 'bookings up' or 'bookings worker'"
            ) from None
        raise CommandError(f"Temporal answers {error.status.name}: {error.message}") from None


def _without(agency: str) -> str:
    return f"agency '{agency}' has no RateHawk; add [agencies.{agency}.ratehawk] to the settings (docs/integrations/ratehawk.md)"
