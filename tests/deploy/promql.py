"""As much of Prometheus' query language as the alerts use, evaluated over series that a test gives (after promtool's unit tests).

Left out on purpose: matching modifiers, offsets, subqueries, staleness markers; rates are not extrapolated to the window's edges.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Given = TypeVar("Given")
LOOKBACK = 300.0
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w]))|(?P<word>[A-Za-z_][\w:]*)|(?P<text>\"[^\"]*\")"
    r"|(?P<range>\[\d+[smhd]\])|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/(){},=<>]))"
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
}
_ADDED_UP: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}


def seconds(duration: str) -> float:
    return int(duration[:-1]) * _UNITS[duration[-1]]


def spelled(values: str) -> list[float]:
    """`1 0x3 5+2x2` is 1, four times 0, then 5, 7, 9, as promtool writes series."""
    found: list[float] = []
    for each in values.split():
        first, _, times = each.partition("x")
        start, _, step = first.partition("+")
        found += [float(start) + number * float(step or 0) for number in range(int(times or 0) + 1)]
    return found


@dataclass
class Series:
    """Samples a minute, by name and labels, from second 0 on."""

    samples: dict[tuple[str, Labels], list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, written: Mapping[str, str]) -> Series:
        told = cls()
        for name, values in written.items():
            metric, _, rest = name.partition("{")
            labels = frozenset((key, value) for key, value in re.findall(r'(\w+)="([^"]*)"', rest))
            told.samples[metric, labels] = spelled(values)
        return told

    def at(self, metric: str, now: float, window: float) -> Iterator[tuple[Labels, list[float]]]:
        """What of each series of `metric` lies in the window that ends now."""
        for (name, labels), values in self.samples.items():
            inside = [value for minute, value in enumerate(values) if now - window <= minute * 60 <= now]
            if name == metric and inside:
                yield labels, inside


class Query:
    """One expression at one moment."""

    def __init__(self, text: str, series: Series, now: float) -> None:
        self._tokens = [(match.lastgroup or "", match[0].strip()) for match in _TOKEN.finditer(text)]
        assert "".join(word for _, word in self._tokens) == re.sub(r"\s", "", text) or '"' in text, text
        self._at, self._series, self._now = 0, series, now

    def result(self) -> Vector:
        found = self._or()
        assert self._at == len(self._tokens), f"not understood from {self._tokens[self._at :]}"
        assert isinstance(found, dict)
        return found

    # -- reading -------------------------------------------------------------------------------------------------------

    def _next(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, *expected: str) -> str:
        word = self._next()
        assert not expected or word in expected, f"{word} where one of {expected} was expected"
        self._at += 1
        return word

    def _or(self) -> Vector | float:
        left = self._unless()
        while self._next() == "or":
            self._take()
            right = self._unless()
            assert isinstance(left, dict)
            assert isinstance(right, dict)
            left = right | left
        return left

    def _unless(self) -> Vector | float:
        left = self._compared()
        while self._next() in ("unless", "and"):
            kept = self._take() == "and"
            right = self._compared()
            assert isinstance(left, dict)
            assert isinstance(right, dict)
            left = {labels: value for labels, value in left.items() if (labels in right) == kept}
        return left

    def _compared(self) -> Vector | float:
        left = self._sum()
        while self._next() in _COMPARED:
            holds = _COMPARED[self._take()]
            right = self._sum()
            assert isinstance(left, dict)
            assert isinstance(right, float), "alerts compare with a number"
            left = {labels: value for labels, value in left.items() if holds(value, right)}
        return left

    def _sum(self) -> Vector | float:
        return self._calculated(self._product, {"+": lambda a, b: a + b, "-": lambda a, b: a - b})

    def _product(self) -> Vector | float:
        divided = {"*": lambda a, b: a * b, "/": lambda a, b: a / b if b else math.nan}
        return self._calculated(self._primary, divided)

    def _calculated(
        self, inner: Callable[[], Vector | float], signs: Mapping[str, Callable[[float, float], float]]
    ) -> Vector | float:
        left = inner()
        while self._next() in signs:
            sign = signs[self._take()]
            right = inner()
            match left, right:
                case float(), float():
                    left = sign(left, right)
                case dict(), float():
                    left = {labels: sign(value, right) for labels, value in left.items()}
                case dict(), dict():
                    left = {labels: sign(value, right[labels]) for labels, value in left.items() if labels in right}
        return left

    def _primary(self) -> Vector | float:
        kind, word = self._tokens[self._at]
        if kind == "number":
            return float(self._take())
        if word == "(":
            self._take()
            inner = self._or()
            self._take(")")
            return inner
        if word in _ADDED_UP:
            return self._aggregated(_ADDED_UP[self._take()])
        if word == "absent":
            metric = self._called(self._take)
            return {} if any(self._series.at(metric, self._now, LOOKBACK)) else {frozenset(): 1.0}
        if word in ("rate", "increase"):
            return self._called(lambda: self._rates(per_second=word == "rate"))
        if word == "histogram_quantile":
            return self._called(self._quantile)
        return {labels: values[-1] for labels, values in self._selected(LOOKBACK)}

    def _called(self, inside: Callable[[], Given]) -> Given:
        self._take()
        self._take("(")
        given = inside()
        self._take(")")
        return given

    def _aggregated(self, added_up: Callable[[list[float]], float]) -> Vector:
        self._take("by")
        self._take("(")
        kept = set()
        while (word := self._take()) != ")":
            kept |= {word} - {","}
        self._take("(")
        inner = self._or()
        self._take(")")
        assert isinstance(inner, dict)
        groups: dict[Labels, list[float]] = {}
        for labels, value in inner.items():
            groups.setdefault(frozenset(each for each in labels if each[0] in kept), []).append(value)
        return {labels: added_up(values) for labels, values in groups.items()}

    def _selected(self, window: float) -> Iterator[tuple[Labels, list[float]]]:
        metric = self._take()
        wanted: list[Callable[[dict[str, str]], bool]] = []
        if self._next() == "{":
            self._take()
            while self._next() != "}":
                wanted.append(self._matcher())
            self._take("}")
        if self._next().startswith("["):
            window = seconds(self._take().strip("[]"))
        found = list(self._series.at(metric, self._now, window))
        return iter([each for each in found if all(fits(dict(each[0])) for fits in wanted)])

    def _matcher(self) -> Callable[[dict[str, str]], bool]:
        label, sign, value = self._take(), self._take("=", "!=", "=~", "!~"), self._take().strip('"')
        if self._next() == ",":
            self._take()
        pattern = re.compile(value if "~" in sign else re.escape(value))
        return lambda labels: (pattern.fullmatch(labels.get(label, "")) is not None) == sign.startswith("=")

    def _rates(self, *, per_second: bool) -> Vector:
        begun = self._at
        rates = {}
        for labels, values in self._selected(0):
            grown = sum(max(after - before, 0) for before, after in itertools.pairwise(values))
            rates[labels] = grown
        window = next(seconds(word.strip("[]")) for kind, word in self._tokens[begun : self._at] if kind == "range")
        return {labels: grown / window if per_second else grown for labels, grown in rates.items()}

    def _quantile(self) -> Vector:
        wanted = float(self._take())
        self._take(",")
        buckets = self._or()
        assert isinstance(buckets, dict)
        groups: dict[Labels, list[tuple[float, float]]] = {}
        for labels, value in buckets.items():
            bound = float(dict(labels)["le"])
            groups.setdefault(frozenset(each for each in labels if each[0] != "le"), []).append((bound, value))
        return {labels: _within(sorted(each), wanted) for labels, each in groups.items() if max(each)[1]}


def _within(buckets: list[tuple[float, float]], wanted: float) -> float:
    """The bound of the bucket in which so much of everything lies, as Prometheus interpolates it."""
    rank, below, under = wanted * buckets[-1][1], 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            return under if math.isinf(bound) else under + (bound - under) * (rank - below) / (count - below or 1)
        below, under = count, bound
    return under


def firing(expression: str, lasting: str, series: Series, minute: int) -> list[Labels]:
    """For which labels the alert fires at that minute: the expression held for as long as it must, looked at every minute."""
    must = seconds(lasting) if lasting else 0.0
    moments = [moment * 60.0 for moment in range(minute + 1) if minute * 60.0 - moment * 60.0 <= must]
    if minute * 60.0 < must:
        return []
    found = [set(Query(expression, series, moment).result()) for moment in moments]
    return sorted(set.intersection(*found), key=sorted)
