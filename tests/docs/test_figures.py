"""The README shows the figures of the benchmarks that were kept, in words and in plots."""

import json
import os

from benchmarks.page import FOLDER, drawn, renewed
from benchmarks.record import read
from kit.paths import ROOT

BENCHMARKS = ROOT / "tests" / "benchmarks"
README = ROOT / "README.md"


def test_the_readme_and_its_plots_show_the_figures_that_were_kept() -> None:
    """`make figures` keeps what `make bench` measured last, if that was all, and PLAIT_UPDATE=1 rewrites them."""
    file = FOLDER / "bench.json"
    figures, machine = read(file), json.loads(file.read_text(encoding="utf-8"))
    measured = {f"make bench ONLY={path.stem.removeprefix('test_')}" for path in BENCHMARKS.glob("test_*.py")}
    assert {figure.command for figure in figures} == measured, "run all of `make bench` first"
    page = renewed(README.read_text(encoding="utf-8"), figures, machine["cores"], machine["python"])
    texts = {README: page, **{FOLDER / name: text for name, text in drawn(figures).items()}}
    if os.environ.get("PLAIT_UPDATE"):
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
    stale = [path.name for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make figures`"
