"""The page of benchmarks/engine.py: tables, bars met or missed, what ran on which machine."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What issue 3 asks for, and what was measured."""

    what: str
    measured: float
    bar: float
    unit: str = ""
    at_least: bool = True

    def line(self) -> str:
        """Met or missed, with the number."""
        met = self.measured >= self.bar if self.at_least else self.measured <= self.bar
        word = "at least" if self.at_least else "at most"
        measured, bar = f"{self.measured:.2f}{self.unit}", f"{word} {self.bar:g}{self.unit}"
        return f"| {'met' if met else '**missed**'} | {self.what} | {measured} | {bar} |"


@dataclass(kw_only=True)
class Found:
    """What one section gives: lines of the page, and bars."""

    lines: list[str]
    bars: list[Bar] = field(default_factory=list)


def at_most(what: str, measured: float, bar: float, unit: str = "") -> Bar:
    """A bar to stay under."""
    return Bar(what=what, measured=measured, bar=bar, unit=unit, at_least=False)


def page(found: Mapping[str, Found], versions: Sequence[str], *, quick: bool) -> str:
    """The whole page, from what each section gave under its title."""
    bars = [bar.line() for section in found.values() for bar in section.bars]
    lines = [
        "# The engine, against others",
        "",
        f"Written by `{_command()}`.",
        "",
        f"{_processor()}, {os.cpu_count()} cores; {', '.join(versions)}, each in an environment of its own.",
        "Original, eight coif1 wavelet bands and LoG 1 to 5 mm at 1 x 1 x 1 mm by B-spline, bin width 25; glottis and",
        "PyRadiomics get the same parameters, and both add their diagnostics.",
        *(["", "**A quick run, few cases, to see that the script works: no numbers to quote.**"] if quick else []),
    ]
    if bars:
        lines += ["", "## Bars", "", "| | what | measured | bar |", "|---|---|---|---|", *bars]
    for title, section in found.items():
        lines += ["", f"## {title}", "", *section.lines]
    return "\n".join(lines) + "\n"


def _command() -> str:
    """The command with the interpreters' and folders' places left out, since those are the machine's own."""
    words = ["PYTHON" if Path(word).name.startswith("python") else word for word in sys.argv[1:]]
    hidden = {"--data": "DIR", "--out": "FILE"}
    words = [hidden.get(before, word) for before, word in zip(["", *words], words, strict=False)]
    return " ".join(["python benchmarks/engine.py", *words])


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor() or platform.machine()
