"""`plait validate`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unit.cli.commands.conftest import SPEC, Call


def test_a_good_spec_is_counted_and_needs_no_environment(plait: Call, project: Path) -> None:
    ended = plait("validate", project / "orders.yaml")
    assert (ended.exit_code, ended.stdout) == (0, "1 spec, no problems\n")


def test_the_specs_of_the_project_are_found(
    plait: Call, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project / "pipelines"
    folder.mkdir()
    (folder / "a.yaml").write_text(SPEC)
    (folder / "b.yaml").write_text(SPEC.replace("name: orders", "name: others"))
    (folder / "a.test.yaml").write_text("no spec")
    monkeypatch.chdir(project)
    ended = plait("validate")
    assert (ended.exit_code, ended.stdout) == (0, "2 specs, no problems\n")


def test_a_folder_without_specs_cannot_be_validated(
    plait: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = plait("validate")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "error[no-specs]" in ended.stderr


def test_a_missing_file_is_no_problem_of_a_spec(plait: Call) -> None:
    ended = plait("validate", "none.yaml")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr == "error[unreadable-file]: `none.yaml` cannot be read: no such file or directory\n"


def test_every_problem_of_every_spec_has_its_place(plait: Call, project: Path) -> None:
    for name in ("a", "b"):
        (project / f"{name}.yaml").write_text(
            SPEC.replace("connector: csv", "connector: csw").replace("orders", name)
        )
    ended = plait("validate", project / "a.yaml", project / "b.yaml")
    assert ended.exit_code == 1
    for name in ("a", "b"):
        assert f"{name}.yaml:15:16" in ended.stdout
    assert "did you mean `csv`?" in ended.stdout
    assert ended.stdout.endswith("2 specs, 2 problems\n")


def test_two_specs_of_a_folder_must_not_share_a_name(plait: Call, project: Path) -> None:
    (project / "zz.yaml").write_text(SPEC)
    ended = plait("validate", project / "orders.yaml", project / "zz.yaml", "-o", "json")
    (problem,) = json.loads(ended.stdout)["problems"]
    assert ended.exit_code == 1
    assert (problem["code"], problem["file"], problem["line"]) == (
        "duplicate-name",
        str(project / "zz.yaml"),
        2,
    )
    assert "orders.yaml" in problem["note"]


def test_a_file_named_twice_is_validated_once(plait: Call, project: Path) -> None:
    ended = plait("validate", project / "orders.yaml", project / "." / "orders.yaml")
    assert (ended.exit_code, ended.stdout) == (0, "1 spec, no problems\n")


def test_more_than_twenty_problems_are_shown_with_all(plait: Call, project: Path) -> None:
    keys = "".join(f"unknown{n}: 1\n" for n in range(25))
    (project / "orders.yaml").write_text(SPEC + keys)
    short = plait("validate", project / "orders.yaml").stdout
    assert short.count("error[") == 20
    assert "`--all`" in short
    assert plait("validate", project / "orders.yaml", "--all").stdout.count("error[") == 25


def test_json_is_one_document_with_a_version(plait: Call, project: Path) -> None:
    answer = json.loads(plait("validate", project / "orders.yaml", "-o", "json").stdout)
    assert answer == {"format_version": 1, "specs": [str(project / "orders.yaml")], "problems": []}


def test_github_gets_workflow_commands_and_nothing_else(plait: Call, project: Path) -> None:
    assert plait("validate", project / "orders.yaml", "-o", "github").stdout == ""
    (project / "orders.yaml").write_text(SPEC + "unknown: 1\n")
    ended = plait("validate", project / "orders.yaml", "-o", "github")
    assert ended.exit_code == 1
    assert ended.stdout.startswith("::error file=")


def test_what_github_would_not_mark_goes_to_the_summary_of_the_job(
    plait: Call, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten errors of a step are marked; the others stand in the file that GitHub names, else in the log."""
    keys = "".join(f"unknown{n:02}: 1\n" for n in range(12))
    (project / "orders.yaml").write_text(SPEC + keys)
    logged = plait("validate", project / "orders.yaml", "-o", "github").stdout
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    ended = plait("validate", project / "orders.yaml", "-o", "github")
    table = (project / "summary.md").read_text(encoding="utf-8")
    assert (ended.exit_code, ended.stdout.count("::error "), len(ended.stdout.splitlines())) == (1, 10, 10)
    assert table.count("| error | `unknown-key` |") == 2
    assert logged == ended.stdout + table


def test_warnings_fail_where_that_is_asked_for(plait: Call, project: Path) -> None:
    (project / "orders.yaml").write_text(SPEC.replace("root: {env", "unused: {default: x}\n  root: {env"))
    assert plait("validate", project / "orders.yaml").exit_code == 0
    ended = plait("validate", project / "orders.yaml", "--fail-level", "warning")
    assert (ended.exit_code, ended.stdout[:25]) == (1, "warning[unused-parameter]")


def test_a_huge_file_is_refused_without_reading_it_whole(plait: Call, tmp_path: Path) -> None:
    with (tmp_path / "huge.yaml").open("wb") as file:
        file.truncate(1 << 40)
    ended = plait("validate", tmp_path / "huge.yaml")
    assert (ended.exit_code, "error[too-large]" in ended.stdout) == (1, True)
