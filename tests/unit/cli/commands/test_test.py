"""`plait test`."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from kit.paths import ROOT
from unit.cli.commands.conftest import Call

SHIPPED = ROOT / "pipelines"
CASES = """\
given:
  items: {files: {o1.csv: "sku,price\\na,1.10\\n"}}
cases:
  one order:
    given: {orders: {json: {id: o1, total: 12.50}}}
    expect: [{id: o1, total: 12.50, name: Ana}]

  a bad order:
    given: {orders: {json: {total: 1}}}
    expect: {quarantine: [required-null]}
"""


@pytest.fixture
def cases(project: Path) -> Path:
    """Write two cases that hold beside `orders.yaml`."""
    file = project / "orders.test.yaml"
    file.write_text(CASES)
    return file


def test_cases_that_hold_are_counted_and_need_no_environment(plait: Call, cases: Path, project: Path) -> None:
    ended = plait("test", project / "orders.yaml")
    assert (ended.exit_code, ended.stdout) == (0, "1 spec, 2 cases, all hold\n")


def test_a_file_of_cases_may_be_named_instead_of_its_spec(plait: Call, cases: Path) -> None:
    assert plait("test", cases, cases.parent / "orders.yaml").stdout == "1 spec, 2 cases, all hold\n"


def test_the_cases_of_the_project_are_found(plait: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(SHIPPED.parent)
    ended = plait("test")
    assert ended.exit_code == 0, ended.stdout
    assert "all hold" in ended.stdout


def test_the_shipped_cases_open_no_socket(plait: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    assert plait("test", SHIPPED / "transactions.yaml").exit_code == 0


def test_a_broken_case_names_the_cell_that_differs(plait: Call, cases: Path) -> None:
    cases.write_text(CASES.replace("total: 12.50, name", "total: 12.75, name"))
    ended = plait("test", cases)
    assert ended.exit_code == 1
    assert (
        ended.stdout
        == f"""\
error[different-cell]: case `one order`: row 1, column `total`: expected 12.75, got 12.50
 --> {cases}:6:30
  |
6 |     expect: [{{id: o1, total: 12.75, name: Ana}}]
  |                              ^^^^^

1 spec, 2 cases, 1 failed
"""
    )


def test_github_marks_the_cell_that_differs(plait: Call, cases: Path) -> None:
    cases.write_text(CASES.replace("name: Ana", "name: Eva"))
    ended = plait("test", cases, "-o", "github")
    place = f"file={cases},line=6,col=43,endLine=6,endColumn=46"
    message = 'case `one order`: row 1, column `name`: expected "Eva", got "Ana"'
    assert (ended.exit_code, ended.stdout) == (1, f"::error {place},title=different-cell::{message}\n")


def test_json_names_each_case_and_whether_it_holds(plait: Call, cases: Path) -> None:
    cases.write_text(CASES.replace("name: Ana", "name: Eva"))
    ended = plait("test", cases, "-o", "json")
    answer = json.loads(ended.stdout)
    assert answer["format_version"] == 1
    assert answer["specs"][0]["cases"] == [
        {"name": "one order", "holds": False},
        {"name": "a bad order", "holds": True},
    ]
    assert [(problem["code"], problem["line"]) for problem in answer["problems"]] == [("different-cell", 6)]


def test_a_text_chooses_the_cases_with_it_in_their_name(plait: Call, cases: Path) -> None:
    assert plait("test", cases, "-k", "BAD").stdout == "1 spec, 1 case, all hold\n"


def test_a_text_that_no_name_has_is_told(plait: Call, cases: Path) -> None:
    ended = plait("test", cases, "-k", "bda")
    assert ended.exit_code == 2
    assert "no case has `bda` in its name" in ended.stderr


def test_a_spec_without_cases_says_where_they_belong(plait: Call, project: Path) -> None:
    ended = plait("test", project / "orders.yaml")
    assert ended.exit_code == 2
    assert f"help: write them into `{project / 'orders.test.yaml'}`" in ended.stderr


def test_a_project_without_any_cases_is_told(
    plait: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = plait("test")
    assert ended.exit_code == 2
    assert "no cases are called pipelines/*.test.yaml here" in ended.stderr


def test_cases_without_their_spec_are_told(plait: Call, cases: Path, project: Path) -> None:
    (project / "orders.yaml").unlink()
    ended = plait("test", cases)
    assert ended.exit_code == 2
    assert f"`{project / 'orders.yaml'}` cannot be read" in ended.stderr


def test_a_spec_that_is_not_valid_shows_its_problems(plait: Call, cases: Path, project: Path) -> None:
    spec = project / "orders.yaml"
    spec.write_text(spec.read_text().replace("connector: csv", "connector: cvs"))
    ended = plait("test", cases)
    assert ended.exit_code == 1
    assert f"error[unknown-connector]: no connector is called `cvs`\n  --> {spec}:15:16" in ended.stdout


def test_update_changes_the_differing_cells_and_nothing_else(plait: Call, cases: Path) -> None:
    broken = CASES.replace(
        "expect: [{id: o1, total: 12.50, name: Ana}]", "expect: [{id: o1, total: 1, name: X}]  # why"
    )
    cases.write_text(broken)
    ended = plait("test", cases, "--update")
    assert (ended.exit_code, ended.stdout) == (
        0,
        f"updated `one order` in {cases}\n1 spec, 2 cases, all hold\n",
    )
    assert cases.read_text() == broken.replace("total: 1, name: X", "total: 12.50, name: Ana")


def test_validate_reads_a_file_of_cases_for_what_it_is(plait: Call, cases: Path) -> None:
    cases.write_text(CASES.replace("expect: {quarantine", "expect: {quarantin"))
    ended = plait("validate", cases)
    assert ended.exit_code == 1
    assert "unknown key `quarantin`" in ended.stdout
    assert "help: did you mean `quarantine`?" in ended.stdout


def test_validate_counts_specs_and_files_of_cases(plait: Call, cases: Path, project: Path) -> None:
    assert plait("validate", cases).stdout == "1 file of cases, no problems\n"
    assert (
        plait("validate", cases, project / "orders.yaml").stdout == "1 spec, 1 file of cases, no problems\n"
    )


def test_validate_says_that_the_spec_of_cases_has_problems(plait: Call, cases: Path, project: Path) -> None:
    (project / "orders.yaml").write_text("plait: 1\n")
    ended = plait("validate", cases)
    assert ended.exit_code == 1
    assert "error[invalid-spec]" in ended.stdout
    assert f"help: run `plait validate {project / 'orders.yaml'}`" in ended.stdout
