"""`report`: every booking with its money, from the read model."""

from __future__ import annotations

from typing import Annotated

import typer

from domain.money import Money
from starter.answers import as_json, as_table
from starter.opening import AsJson, SettingsFile, agency_of, opened_store, read_settings
from starter.reports import bookings_with_money, sums

COLUMNS = ("sale", "cost", "margin", "collected", "invoiced", "refunded", "due")


def report(
    settings: SettingsFile,
    agency: Annotated[str | None, typer.Option(help="Only this agency.")] = None,
    json_out: AsJson = False,
) -> None:
    """Sale, cost, margin and money of every booking."""
    installation = read_settings(settings)
    if agency:
        agency_of(installation, agency)
    with opened_store(installation) as store:
        names = [agency] if agency else list(installation.agencies)
        rows = [row for name in names for row in bookings_with_money(store, name)]
    if json_out:
        as_json(
            [
                {
                    "agency": row.agency,
                    "booking": row.booking.id,
                    "experience": row.booking.experience_id,
                    "status": row.booking.status,
                    **{name: amount.model_dump() for name, amount in row.amounts().items()},
                }
                for row in rows
            ]
        )
        return
    body = [
        (row.agency, row.booking.id, row.booking.status, row.booking.currency, *_decimals(row.amounts()))
        for row in rows
    ]
    body += [("total", "", "", currency, *_decimals(columns)) for currency, columns in sums(rows).items()]
    as_table("Bookings", ("agency", "booking", "status", "currency", *COLUMNS), body, right=COLUMNS)


def _decimals(amounts: dict[str, Money]) -> list[str]:
    """Amounts in major units, in the order of `COLUMNS`."""
    return [str(amounts[name].decimal) for name in COLUMNS]
