"""`python -m benchmarks [NAME]`: run all benchmarks, or one; the exit code says whether all kept their promise."""

from __future__ import annotations

import argparse
import importlib
from typing import Protocol

from benchmarks.results import Result
from starter import entrypoint

NAMES = (
    "effects",
    "payments_list",
    "console",
    "journal",
    "replay",
    "supplier",
    "deals",
    "lifecycles",
    "plans",
    "giav",
    "agencies",
    "tamara",
    "transfers",
)
"""From the shortest to the longest."""


class Benchmark(Protocol):
    """A module of this folder."""

    LEAST: float
    """The ratio that is promised."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, chosen: argparse.Namespace) -> Result: ...


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = parser.add_subparsers(dest="name", metavar="NAME")
    modules: dict[str, Benchmark] = {name: importlib.import_module(f"benchmarks.{name}") for name in NAMES}
    for name, module in modules.items():
        module.add_arguments(names.add_parser(name, description=module.__doc__))
    chosen = parser.parse_args()
    kept = True
    for name in [chosen.name] if chosen.name else NAMES:
        given = chosen if chosen.name else parser.parse_args([name])
        result = modules[name].run(given)
        path = result.write()
        promised = modules[name].LEAST
        held = result.ratio.median >= promised
        kept = kept and held
        print(f"{result}; promised {promised}: {'kept' if held else 'NOT KEPT'} ({path})", flush=True)
    return 0 if kept else 1


if __name__ == "__main__":
    entrypoint.run(main)
