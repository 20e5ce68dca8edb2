"""Figures of the benchmarks: what was measured, what it may be at most or is at least, and the command that measures it."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a group; one without a value could not be measured, one without a limit is only shown."""

    group: str
    label: str
    value: float | None
    unit: str
    command: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limits; one that was not measured is not judged."""
        above = self.at_least is None or self.value is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value is None or self.value <= self.at_most)

    @property
    def limit(self) -> str:
        """The limit in words, empty where there is none."""
        if self.at_most is not None:
            return f"at most {shown(self.at_most)}"
        return f"at least {shown(self.at_least)}" if self.at_least is not None else ""

    @property
    def text(self) -> str:
        """The value with its unit."""
        return f"{shown(self.value)} {self.unit}".strip() if self.value is not None else "not measured"


def shown(value: float) -> str:
    """A number with three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


@dataclass(slots=True)
class Figures:
    """The figures of one benchmark."""

    command: str
    say: Callable[[str], object] = print
    all: list[Figure] = field(default_factory=list)

    def add(self, group: str, label: str, value: float | None, unit: str = "", **limit: float) -> None:
        """Note and tell a figure, with `at_most` or `at_least` as its limit."""
        rounded = value if value is None else float(f"{value:.4g}")
        figure = Figure(group, label, rounded, unit, self.command, **limit)
        self.all.append(figure)
        self.say(f"  {figure.group}: {figure.label}: {figure.text}{figure.limit and f' ({figure.limit})'}")

    def missed(self) -> list[str]:
        """The figures that are not within their limits."""
        return [f"{figure.label}: {figure.text}, {figure.limit}" for figure in self.all if not figure.holds]


def write(figures: list[Figure], file: Path) -> None:
    """Write figures to a file, beside those of other commands that it has."""
    commands = {figure.command for figure in figures}
    kept = [figure for figure in read(file) if figure.command not in commands] if file.is_file() else []
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "figures": [asdict(figure) for figure in sorted(kept + figures, key=lambda figure: figure.command)],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(file: Path) -> list[Figure]:
    """The figures of a file."""
    return [Figure(**fields) for fields in json.loads(file.read_text(encoding="utf-8"))["figures"]]
