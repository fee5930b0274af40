"""Small charts as SVG, drawn by the server: no script, no inline style, readable without colour (docs/console.md)."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, ROW, GAP = 640, 26, 6
LABEL, VALUE = 220, 130
"""Columns of a bar chart in its own units, left for names and right for values."""


def bars(title: str, rows: Sequence[tuple[str, float, str]]) -> Markup:
    """Horizontal bars: (name, length, value as shown). Negative lengths are drawn in the colour of a loss.

    The numbers stand beside the bars, so that the chart says nothing by length alone.
    """
    room = WIDTH - LABEL - VALUE
    longest = max((abs(length) for _, length, _ in rows), default=0) or 1
    height = len(rows) * (ROW + GAP) + GAP
    drawn = [Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(WIDTH, height, title)]
    for number, (name, length, shown) in enumerate(rows):
        top = GAP + number * (ROW + GAP)
        wide = round(abs(length) / longest * room, 1)
        kind = "bar loss" if length < 0 else "bar"
        drawn.append(
            Markup(
                '<text class="name" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="3"></rect>'
                '<text class="value" x="{}" y="{}" text-anchor="end">{}</text>'
            ).format(
                LABEL - 10,
                top + ROW * 0.7,
                _short(name),
                kind,
                LABEL,
                top,
                max(wide, 1),
                ROW,
                WIDTH - 4,
                top + ROW * 0.7,
                shown,
            )
        )
    drawn.append(Markup("</svg>"))
    return Markup("").join(drawn)


def ring(title: str, share: float) -> Markup:
    """A ring filled to `share` of 1."""
    share = min(max(share, 0.0), 1.0)
    around = 100
    return Markup(
        '<svg class="ring" viewBox="0 0 36 36" role="img" aria-label="{}">'
        '<circle class="track" cx="18" cy="18" r="15.9155"></circle>'
        '<circle class="filled" cx="18" cy="18" r="15.9155" stroke-dasharray="{} {}" '
        'transform="rotate(-90 18 18)"></circle></svg>'
    ).format(title, round(share * around, 1), around)


def _short(name: str) -> Markup:
    return escape(name if len(name) <= 25 else f"{name[:24]}…")
