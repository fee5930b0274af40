"""A plain page for a person: deals with their fields and notes, tasks, webhooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from sandbox.kommo.crm import LOST, OTHER_STAGES, STAGES, WON
from sandbox.shelf import Record

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2rem}table{border-collapse:collapse;margin-bottom:2rem}"
    "th,td{border:1px solid #ccc;padding:.25rem .6rem;text-align:left;vertical-align:top}th{background:#eee}"
)
_NAMES = {**STAGES, **OTHER_STAGES, WON: "Ganado", LOST: "Perdido"}
_NEWEST = 200


def page(
    leads: Iterable[Record],
    notes: Callable[[int], list[Record]],
    tasks: Iterable[Record],
    hooks: Iterable[Record],
    sent: Iterable[Mapping[str, Any]],
) -> str:
    """The newest deals and deliveries."""
    newest = list(leads)[::-1][:_NEWEST]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Kommo</title>'
        f"<style>{_STYLE}</style></head><body><h1>Kommo</h1>"
        + _table("Deals", ("deal", "name", "price", "stage", "fields", "notes"), (_deal(one, notes) for one in newest))
        + _table("Tasks", ("task", "deal", "text"), ((one["id"], one["entity_id"], one["text"]) for one in tasks))
        + _table(
            "Webhooks",
            ("to", "events", "disabled"),
            ((one["destination"], ", ".join(one["settings"]), one["disabled"]) for one in hooks),
        )
        + _table(
            "Deliveries", ("to", "try", "answer"), ((o["to"], o["attempt"], o["status"]) for o in list(sent)[::-1][:50])
        )
        + "</body></html>"
    )


def _deal(lead: Record, notes: Callable[[int], list[Record]]) -> tuple[Any, ...]:
    values = "\n".join(
        f"{field['field_name']}: {', '.join(str(one['value']) for one in field['values'])}"
        for field in lead["custom_fields_values"] or ()
    )
    texts = "\n".join(str(note["params"].get("text", "")) for note in notes(lead["id"]))
    stage = _NAMES.get(lead["status_id"], lead["status_id"])
    return lead["id"], lead["name"], lead["price"], "deleted" if lead["is_deleted"] else stage, values, texts


def _table(title: str, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _cells(row: Iterable[Any]) -> str:
    return "".join(f"<td>{escape('' if value is None else str(value)).replace(chr(10), '<br>')}</td>" for value in row)
