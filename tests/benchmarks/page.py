"""The README's part about speed: a table of the figures that have limits, and plots of those that programs share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from benchmarks.plots import bars
from kit.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.record import Figure

FOLDER = ROOT / "tests" / "benchmarks" / "figures"
PART = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
# The group of a plot, its file, what it is titled and what is said below that.
PLOTS = (
    (
        "orders a second",
        "rate.svg",
        "Orders a second",
        "The main job on one local server of AWS, which answers some 330 requests a second: more is better.",
    ),
    (
        "calls",
        "calls.svg",
        "Calls of AWS for 1,000 orders",
        "Counted at the server; 2,000 are the objects themselves: fewer is better.",
    ),
    (
        "first answer",
        "cold_start.svg",
        "First answer of a function that starts",
        "From the start of Lambda's runtime client to the answer to one event, on the same machine: less is better.",
    ),
    (
        "peak memory",
        "memory.svg",
        "Peak memory of a run",
        "Objects in memory, streamed in batches of 10,000, beside a program that takes all at once: less is better.",
    ),
)


def drawn(figures: Sequence[Figure]) -> dict[str, str]:
    """The plots by the names of their files."""
    groups = {group: [figure for figure in figures if figure.group == group] for group, *_ in PLOTS}
    return {file: bars(title, note, groups[group]) for group, file, title, note in PLOTS if groups[group]}


def renewed(page: str, figures: Sequence[Figure], cores: int, python: str) -> str:
    """The page with its part about figures as it must be."""
    lines = [
        f"Measured on {cores} cores, Python {python}. `make bench` measures all, in a quarter of an hour, and a command beside a figure",
        "that one and others of its kind. `make figures` then writes this part anew.",
        "",
        "| what, a ratio unless a unit stands there | measured | promised | by |",
        "| --- | --- | --- | --- |",
        *(_row(figure) for figure in figures if figure.group not in {group for group, *_ in PLOTS}),
        "",
        *(_picture(figures, *plot) for plot in PLOTS if any(figure.group == plot[0] for figure in figures)),
    ]
    text = "\n".join(lines) + "\n"
    return PART.sub(lambda part: f"{part[1]}{text}{part[2]}", page)


def _row(figure: Figure) -> str:
    missed = "" if figure.holds else ", **missed**"
    label = f"{figure.group}, {figure.label}" if figure.unit else figure.label
    return f"| {label} | {figure.text}{missed} | {figure.limit or '–'} | `{figure.command}` |"


def _picture(figures: Sequence[Figure], group: str, file: str, title: str, _note: str) -> str:
    shown = [figure for figure in figures if figure.group == group]
    texts = ", ".join(f"{figure.label} {figure.text}" for figure in shown)
    return f"![{title}: {texts}](tests/benchmarks/figures/{file})\n\n`{shown[0].command}`\n"
