"""A plain page for a person: what arrived at a mid-office's stand-in, as tables, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from starlette.responses import HTMLResponse

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2rem}table{border-collapse:collapse;margin-bottom:2rem}"
    "th,td{border:1px solid #ccc;padding:.25rem .6rem;text-align:left}th{background:#eee}"
)
_NEWEST = 200
"""Rows shown per table."""
Row = Mapping[str, object]


def arrivals(title: str, tables: Mapping[str, Sequence[Row]]) -> HTMLResponse:
    """One table per name; the columns are those of its first row."""
    body = "".join(_table(name, rows) for name, rows in tables.items())
    return HTMLResponse(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )


def _table(name: str, rows: Sequence[Row]) -> str:
    if not rows:
        return f"<h2>{escape(name)} (0)</h2><p>Nothing arrived yet.</p>"
    columns = list(rows[0])
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    shown = list(reversed(rows[-_NEWEST:]))
    body = "".join(f"<tr>{_cells(row, columns)}</tr>" for row in shown)
    return f"<h2>{escape(name)} ({len(rows)})</h2><table><tr>{head}</tr>{body}</table>"


def _cells(row: Row, columns: Sequence[str]) -> str:
    return "".join(f"<td>{escape(str(row.get(column, '')))}</td>" for column in columns)
