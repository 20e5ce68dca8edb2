"""`pipelines/PLAN.md` says what `plait plan` prints: its examples, every key of its JSON, every change."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from kit.console import Call
from kit.paths import ROOT
from plait.plan.diff import changes
from unit.plan import test_diff

PAGE = (ROOT / "pipelines" / "PLAN.md").read_text(encoding="utf-8")
SPEC = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0]
CONSOLE = re.findall(r"^```console\n\$ plait (.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
PLANS = sorted((ROOT / "tests/data/golden").glob("*.plan.json"))
OLDER = {
    "quantity: int": "quantity: bigint",
    "date: date(ordered_at)": "date: month(ordered_at)",
    SPEC[SPEC.index("  regions:\n") : SPEC.index("partition_by:")]: "",
}


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the first table below a heading, by their first cell."""
    below = PAGE.partition(f"\n{heading}\n")[2]
    match = re.search(r"^\|.*?(?=\n\n|\Z)", below, re.DOTALL | re.MULTILINE)
    assert match, heading
    rows = (line.strip("| ").split(" | ") for line in match[0].splitlines()[2:])
    return {first.strip("`"): cells for first, *cells in rows}


def paths(value: Any, at: str = "") -> Iterator[tuple[str, bool]]:
    """Where each value of a document stands, and whether it holds no others; a default is one, whatever it is."""
    value = None if at.endswith(".default") else value
    if at:
        yield re.sub(r"^columns\[\](\.fields\[\])+\.", "columns[].", at), not isinstance(value, (dict, list))
    if isinstance(value, dict):
        for key, part in value.items():
            yield from paths(part, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for part in value:
            yield from paths(part, f"{at}[]")


def check_keys(documents: list[Any], heading: str) -> None:
    present = {path for document in documents for path in paths(document)}
    documented = set(table(heading))
    assert {path for path, leaf in present if leaf} <= documented <= {path for path, _ in present}


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the spec of the page, and beside it what it was, as `main`."""
    monkeypatch.chdir(tmp_path)
    older = SPEC
    for now, before in OLDER.items():
        assert older.count(now) == 1
        older = older.replace(now, before)
    Path("orders.yaml").write_text(SPEC)
    Path("main").write_text(older)
    return tmp_path


@pytest.mark.parametrize(("arguments", "shown"), CONSOLE, ids=["plan", "against"])
def test_the_examples_print_what_stands_below_them(
    plait: Call, page: Path, arguments: str, shown: str
) -> None:
    assert plait(*arguments.split()).stdout == shown


def test_every_key_of_a_plan_is_documented_and_no_other() -> None:
    """The plans of the golden specs have every key that there is."""
    plans = [json.loads(file.read_text()) for file in PLANS]
    for plan in plans:
        plan.pop("forecast")  # `COSTS.md` has its keys, and `test_forecast.py` compares them
    check_keys(plans, "## As JSON")


def test_every_key_of_a_comparison_is_documented_and_no_other(plait: Call, page: Path) -> None:
    check_keys(
        [json.loads(plait("plan", "orders.yaml", "--against", "main", "-o", "json").stdout)], "As JSON:"
    )


def test_every_change_is_documented_with_its_class() -> None:
    """Where both classes are possible, the reason names the other one too."""
    seen = defaultdict(set)
    plans = [*map(test_diff.plans, test_diff.EDITS), test_diff.with_another_sink()]
    for pair in plans:
        for old, new in permutations(pair):
            for change in changes(old, new):
                seen[change.kind].add("breaking" if change.breaking else "compatible")
    documented = table("## What changes: `--against`")
    words = {
        kind: {*re.findall("breaking|compatible", " ".join(cells))} for kind, cells in documented.items()
    }
    assert words == seen
