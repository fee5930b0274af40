"""The report of an enumeration: counts, the matrix of scenario × call × fault, and one line to repeat what went wrong."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from faults.bugs import BUGS
from faults.cases import CODES, Case
from faults.results import Run
from faults.scenarios import SCENARIOS

FAULTS: dict[str, str] = {
    "F1": "refused before the effect, or the line broke",
    "F2": "error before the effect",
    "F3": "effect, then the answer is lost",
    "F4": "effect, then an error",
    "F5": "nothing until the time is up",
    "F6": "slow, or landing late",
    "F7": "garbled, empty, or a page",
    "F8": "another call's answer",
    "F9": "throttled",
    "F10": "an event twice, five times, again afterwards",
    "F11": "events in another order",
    "F12": "worker killed",
    "F14": "faults of a compensation",
    "F15": "a person acts meanwhile",
    "F16": "clocks apart",
    "F17": "faults of files",
}
MARKS = {"same": "✓", "parked": "P", "violation": "✗", "unreached": "–"}


@dataclass(frozen=True)
class Told:
    """Everything that the report says, as data."""

    data: dict[str, Any]

    @property
    def good(self) -> bool:
        return bool(self.data["good"])

    def summary(self) -> str:
        d = self.data
        return (
            f"{d['played']} of {d['cases']} cases played: {d['same']} ended as without the fault, {d['parked']} with the right "
            f"person asked, {d['violations']} wrong; {d['call_sites_with_cases']} of {d['call_sites']} call sites; "
            f"{d['bugs_caught']} of {d['bugs_seeded']} seeded bugs caught"
        )


def told(run: Run, cases: Sequence[Case]) -> Told:
    outcomes = [run.outcomes[case.id] for case in cases if case.id in run.outcomes]
    results = Counter(each["result"] for each in outcomes)
    sites = {(each.scenario, system, operation) for each in run.recordings.values() for system, operation in each.calls}
    with_cases = {(case.scenario, *_site(case)) for case in cases if case.family == "call"}
    played_sites = {
        (case.scenario, *_site(case)) for case in cases if case.family == "call" and case.id in run.outcomes
    }
    sites = {site for site in sites if site[0] in {case.scenario for case in cases}}
    bugs = {name: bool(found["caught"]) for name, found in run.bugs.items() if name in BUGS}
    wrong = [each for each in outcomes if each["result"] == "violation"]
    resolved = _seconds(outcomes, "F3", "F4", "F5")
    recovered = _seconds(outcomes, "F12")
    by_itself = [each for each in outcomes if each["code"] in ("F3", "F4", "F5")]
    data: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": run.folder.name,
        "cases": len(cases),
        "played": len(outcomes),
        "same": results["same"],
        "parked": results["parked"],
        "unreached": results["unreached"],
        "violations": len(wrong),
        "fired": sum(1 for each in outcomes if each["fired"]),
        "call_sites": len(sites),
        "call_sites_with_cases": len(sites & with_cases),
        "call_sites_played": len(sites & played_sites),
        "call_sites_without": sorted(" ".join(site) for site in sites - with_cases),
        "bugs_seeded": len(BUGS),
        "bugs_caught": sum(bugs.values()),
        "bugs": bugs,
        "unknown_outcomes": len(by_itself),
        "unknown_resolved_alone": sum(1 for each in by_itself if each["result"] == "same"),
        "resolved_p50_p99": _halves_and_tails(resolved),
        "recovered_p50_p99": _halves_and_tails(recovered),
        "kill_points": sum(1 for each in outcomes if each["family"] == "death"),
        "by_scenario": _by_scenario(run, cases),
        "wrong": wrong,
        "searched": sum(int(each["places"]) for each in run.searches.values()),
        "leaks": [found for each in run.searches.values() for found in each["found"]],
    }
    data["good"] = (
        not wrong
        and not data["leaks"]
        and not data["call_sites_without"]
        and data["fired"] + data["unreached"] == len(outcomes)
        and all(bugs.values())
    )
    return Told(data)


def _seconds(outcomes: Iterable[dict[str, Any]], *codes: str) -> list[float]:
    """From the strike until everything stood as without it, shortest first."""
    return sorted(each["resolved"] for each in outcomes if each["code"] in codes and each.get("resolved"))


def _halves_and_tails(seconds: Sequence[float]) -> list[float]:
    return [seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)]] if seconds else []


def _words(seconds: Sequence[float]) -> str:
    return " s, ".join(f"{each:.1f}" for each in seconds) + " s" if seconds else "–"


def _site(case: Case) -> tuple[str, str]:
    system, _, rest = case.place.partition(" ")
    return system, rest.rpartition(" #")[0]


def _by_scenario(run: Run, cases: Iterable[Case]) -> dict[str, dict[str, dict[str, int]]]:
    found: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for case in cases:
        outcome = run.outcomes.get(case.id)
        found[case.scenario][case.code][outcome["result"] if outcome else "to play"] += 1
    return {name: {code: dict(counts) for code, counts in codes.items()} for name, codes in found.items()}


def write(what: Told, run: Run, page: Path | None) -> list[Path]:
    """`faults-report.json` beside the caller, the matrix as HTML in the run's folder, and the page of the documentation."""
    written = [Path("faults-report.json"), run.folder / "report.html", run.folder / "report.md"]
    written[0].write_text(json.dumps(what.data, indent=1, ensure_ascii=False) + "\n", "utf-8")
    written[1].write_text(_html(what, run), "utf-8")
    written[2].write_text(_markdown(what), "utf-8")
    if page is not None:
        text = page.read_text("utf-8") if page.exists() else f"{BEGIN}\n{END}\n"
        before, _, rest = text.partition(BEGIN)
        after = rest.partition(END)[2]
        page.write_text(f"{before}{BEGIN}\n\n{_markdown(what)}\n{END}{after}", "utf-8")
        written.append(page)
    return written


BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def _markdown(what: Told) -> str:
    d = what.data
    codes = [code for code in FAULTS if any(code in found for found in d["by_scenario"].values())]
    alone = d["unknown_resolved_alone"]
    share = f"{100 * alone / d['unknown_outcomes']:.1f} %" if d["unknown_outcomes"] else "–"
    lines = [
        "| figure | measured |",
        "|---|---|",
        f"| cases enumerated, played | {d['cases']}, {d['played']} |",
        f"| ended as without the fault | {d['same']} |",
        f"| ended with the right person asked, and then as without the fault | {d['parked']} |",
        f"| violations | {d['violations']} |",
        f"| faults that really struck | {d['fired']} of {d['played'] - d['unreached']} |",
        f"| places that vary and did not come (late looks of deals and suppliers, moves of a payment kept together) | {d['unreached']} |",
        f"| call sites (scenario × operation) with cases | {d['call_sites_with_cases']} of {d['call_sites']} |",
        f"| call sites of which a case was played | {d['call_sites_played']} of {d['call_sites']} |",
        f"| points at which a worker was killed | {d['kill_points']} |",
        f"| unknown outcomes (F3, F4, F5) that ended without a person | {alone} of {d['unknown_outcomes']} ({share}) |",
        "| seconds from such a strike until everything stood as without it, p50, p99 (waits shortened) | "
        f"{_words(d['resolved_p50_p99'])} |",
        "| seconds from a death until everything stood as without it, p50, p99 (silence noticed after 3 s) | "
        f"{_words(d['recovered_p50_p99'])} |",
        f"| histories and columns searched for people and secrets, leaks found | {d['searched']}, {len(d['leaks'])} |",
        f"| seeded bugs caught | {d['bugs_caught']} of {d['bugs_seeded']} |",
        f"| measured at, state of the code | {d['at']}, `{d['code']}` |",
        "",
        "| scenario | " + " | ".join(codes) + " |",
        "|---|" + "---|" * len(codes),
    ]
    for name, found in d["by_scenario"].items():
        lines.append(f"| {name} | " + " | ".join(_cell(found.get(code, {})) for code in codes) + " |")
    lines += ["", "Cells: played; `P` of them asked a person, `✗` were wrong, `…` are still to be played.", ""]
    if d["bugs"]:
        lines += ["| seeded bug | caught |", "|---|---|"]
        lines += [f"| {BUGS[name].words} | {'yes' if caught else 'NO'} |" for name, caught in sorted(d["bugs"].items())]
        lines.append("")
    if d["wrong"]:
        lines += ["| what went wrong | how | again |", "|---|---|---|"]
        for each in d["wrong"][:40]:
            found = "; ".join(each["found"])[:240].replace("|", "/")
            case = each["id"].replace("|", "\\|")
            lines.append(f"| {case} | {found} | `make faults CASE='{case}'` |")
    return "\n".join(lines) + "\n"


def _cell(counts: dict[str, int]) -> str:
    if not counts:
        return ""
    played = sum(count for result, count in counts.items() if result != "to play")
    more = [f"P{counts['parked']}"] if counts.get("parked") else []
    more += [f"✗{counts['violation']}"] if counts.get("violation") else []
    more += [f"…{counts['to play']}"] if counts.get("to play") else []
    return " ".join([str(played), *more])


def _html(what: Told, run: Run) -> str:
    d = what.data
    rows = []
    for name, scenario in SCENARIOS.items():
        places: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        for each in run.outcomes.values():
            if each["scenario"] == name:
                places[each["place"]][each["fault"]] = each
        kinds = [kind.value for kind in CODES if any(kind.value in found for found in places.values())]
        rows.append(f"<h2 id='{name}'>{escape(name)}</h2><p>{escape(scenario.words)}</p><table><tr><th>place</th>")
        rows.append("".join(f"<th>{escape(kind)}</th>" for kind in kinds) + "<th>else</th></tr>")
        for place, found in sorted(places.items()):
            rest = [each for fault, each in found.items() if fault not in kinds]
            cells = "".join(_mark(found.get(kind)) for kind in kinds)
            rows.append(f"<tr><td>{escape(place)}</td>{cells}<td>{' '.join(map(_word, rest))}</td></tr>")
        rows.append("</table>")
    links = " · ".join(f"<a href='#{name}'>{escape(name)}</a>" for name in SCENARIOS)
    style = (
        "body{font:14px system-ui;margin:2em}table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:2px 6px}"
        ".violation{background:#f99}.parked{background:#fe9}.same{background:#dfd}"
    )
    return (
        f"<!DOCTYPE html><meta charset='utf-8'><title>Faults</title><style>{style}</style><h1>Faults</h1>"
        f"<p>{escape(what.summary())}</p><p>{escape(str(d['at']))} · code {escape(str(d['code']))}</p><p>{links}</p>{''.join(rows)}"
    )


def _mark(outcome: dict[str, Any] | None) -> str:
    if outcome is None:
        return "<td></td>"
    title = escape("; ".join([*outcome["parked"], *outcome["found"]]) or f"{outcome['seconds']} s", quote=True)
    return f"<td class='{outcome['result']}' title='{title}'>{MARKS[outcome['result']]}</td>"


def _word(outcome: dict[str, Any]) -> str:
    title = escape("; ".join([*outcome["parked"], *outcome["found"]]), quote=True)
    return f"<span class='{outcome['result']}' title='{title}'>{escape(outcome['fault'])} {MARKS[outcome['result']]}</span>"
