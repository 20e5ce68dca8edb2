"""Every fault of the table has a test that is marked with it, or a reason why not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from integration.faults.marks import ROOT, marked
from integration.values.page import renewed, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = ROOT / "framework" / "FAULTS.md"
GROUPS: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(
    Path(__file__).with_name("faults.yaml").read_text(encoding="utf-8")
)
LAWS = GROUPS["laws"]
FAULTS = {id: entry for group in GROUPS.values() for id, entry in group.items() if group is not LAWS}
COUNTS = {"E": 16, "J": 13, "C": 5, "L": 6, "M": 11, "D": 7, "A": 7, "W": 8, "P": 16, "S": 16}
REASONS = ("exempt", "waiting")


@pytest.fixture(scope="module")
def files() -> dict[str, list[str]]:
    """The files with tests of each id."""
    return marked()


def untested(reason: str) -> set[str]:
    """The ids that have this reason for having no tests."""
    return {id for id, entry in FAULTS.items() if reason in entry}


def test_the_table_has_each_of_the_105_ids_once() -> None:
    assert list(FAULTS) == [f"{letter}{n}" for letter, count in COUNTS.items() for n in range(1, count + 1)]
    assert len(FAULTS) == sum(len(group) for group in GROUPS.values()) - len(LAWS) == 105


def test_every_id_has_a_test_or_one_reason_why_not(files: dict[str, list[str]]) -> None:
    """An id that is exempt or waits has no test; what only part of an id waits for stands in `partly`."""
    assert {id for id in FAULTS if id not in files} == untested("exempt") | untested("waiting")
    assert untested("exempt") & untested("waiting") == set()
    assert untested("partly") <= files.keys()
    assert len(untested("exempt")) <= 8


def test_every_mark_names_an_id_of_the_table_and_every_law_has_a_test(files: dict[str, list[str]]) -> None:
    assert files.keys() - FAULTS.keys() == LAWS.keys()


def test_an_id_has_no_words_but_those_of_the_table() -> None:
    words = {"fault", "gets", "partly", *REASONS}
    assert [id for id, entry in FAULTS.items() if not {"fault", "gets"} <= entry.keys() <= words] == []


def test_the_page_of_faults_is_what_is_tested(files: dict[str, list[str]]) -> None:
    """`PLAIT_UPDATE=1` rewrites it."""
    tables = {"counts": counts(), "faults": "\n".join(group(name, files) for name in GROUPS)}
    page = PAGE.read_text(encoding="utf-8")
    if os.environ.get("PLAIT_UPDATE"):
        page = renewed(page, tables)
        PAGE.write_text(page, encoding="utf-8")
    assert renewed(page, tables) == page, "run the test with PLAIT_UPDATE=1"


def counts() -> str:
    """How many ids have tests, and how many have none."""
    exempt, waiting = len(untested("exempt")), len(untested("waiting"))
    tested = len(FAULTS) - exempt - waiting
    rows = [
        [str(len(FAULTS)), str(tested), str(waiting), str(exempt)],
    ]
    return table(
        ["faults", "with tests", "waiting for a part that is to come", "without a test for good"], rows
    )


def group(name: str, files: Mapping[str, Sequence[str]]) -> str:
    """The table of one group, below its heading."""
    rows = [
        [id, entry["fault"], entry["gets"], evidence(entry, files.get(id, ()))]
        for id, entry in GROUPS[name].items()
    ]
    title = f"{name[0].upper()}{name[1:]}"
    return f"## {title}\n\n{table(['', 'fault', 'what a user gets', 'tests'], rows)}"


def evidence(entry: Mapping[str, str], files: Sequence[str]) -> str:
    """The files with tests, or why there are none."""
    links = [f"[`{file.removeprefix('tests/')}`](../{file})" for file in files]
    reasons = [f"{word}: {entry[word]}" for word in ("partly", *REASONS) if word in entry]
    return "<br>".join([*links, *reasons])
