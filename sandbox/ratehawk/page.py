"""A plain page for a person: the orders and the webhooks that told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:2rem}table{border-collapse:collapse;margin-bottom:2rem}"
    "th,td{border:1px solid #ccc;padding:.25rem .6rem;text-align:left}th{background:#eee}"
)
_NEWEST = 200


def page(orders: Iterable[Mapping[str, Any]], sent: Iterable[Mapping[str, Any]]) -> str:
    """The newest orders and deliveries."""
    rows = sorted(orders, key=lambda one: -int(one["order_id"]))[:_NEWEST]
    told = list(sent)[-_NEWEST:][::-1]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>RateHawk</title>'
        f"<style>{_STYLE}</style></head><body><h1>RateHawk</h1>"
        + _table(
            "Orders",
            ("order", "our id", "status", "check-in", "check-out", "payable", "free until", "modified"),
            (
                (
                    one["order_id"],
                    one["partner_data"]["order_id"],
                    one["status"],
                    one["checkin_at"],
                    one["checkout_at"],
                    f"{one['amount_payable']['amount']} {one['amount_payable']['currency_code']}",
                    one["cancellation_info"]["free_cancellation_before"],
                    one["modified_at"],
                )
                for one in rows
            ),
        )
        + _table(
            "Webhooks",
            ("type", "our id", "answer"),
            ((one["body"]["type"], one["body"]["partner_order_id"], one["status"]) for one in told),
        )
        + "</body></html>"
    )


def _table(title: str, heads: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><tr>{head}</tr>{body}</table>"


def _cells(row: Iterable[Any]) -> str:
    return "".join(f"<td>{escape('' if value is None else str(value))}</td>" for value in row)
