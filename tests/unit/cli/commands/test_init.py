"""`plait init`: a project that works at once, and never a file of somebody else's."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from kit.console import Call
from plait.cli.commands.init import NEXT_COMMANDS, SPEC, project_texts
from unit.cli.test_requirement import run


@pytest.fixture
def new_project(plait: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert plait("init", "shop").exit_code == 0
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.mark.parametrize("line", [*NEXT_COMMANDS, f"plait plan {SPEC}", f"plait list {SPEC}"])
def test_every_command_works_in_a_new_project_without_an_edit(
    plait: Call, new_project: Path, line: str
) -> None:
    ended = plait(*line.split()[1:])
    assert (ended.exit_code, ended.stderr.count("error")) == (0, 0), ended.stderr


def test_the_sample_shows_each_strand_of_a_row(plait: Call, new_project: Path) -> None:
    rows = plait("preview", SPEC, "-o", "json").stdout
    assert all(word in rows for word in ("1001", '"tea"', "Ada", '"items": []'))


def test_what_was_written_and_what_to_do_next_is_printed(plait: Call, tmp_path: Path) -> None:
    answer = plait("init", str(tmp_path / "my shop")).stdout
    assert all(name in answer and (tmp_path / "my shop" / name).exists() for name in project_texts())
    assert f"cd '{tmp_path}/my shop'" in answer
    assert all(line in answer for line in NEXT_COMMANDS)


@pytest.mark.parametrize("name", ["pipelines/orders.yaml", ".gitignore", "sample/items/1002.csv"])
def test_a_folder_that_has_one_of_the_files_is_refused_and_stays_as_it_was(
    plait: Call, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine\n")
    ended = plait("init", str(tmp_path))
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "error[file-exists]" in ended.stderr
    assert f"`{tmp_path / name}`" in ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / name]
    assert (tmp_path / name).read_text() == "mine\n"


def test_a_folder_that_is_a_file_is_told_in_one_line(plait: Call, tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("")
    ended = plait("init", str(tmp_path / "shop"))
    assert ended.exit_code == 2
    assert "cannot be written" in ended.stderr


def test_the_checks_before_a_commit_pass_in_a_new_project_and_stop_a_mistake(new_project: Path) -> None:
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": commands, "PRE_COMMIT_HOME": str(new_project.parent)}
    check = f"git init -q && git add -A && {sys.executable} -m pre_commit run --all-files"
    ended = run(new_project, check, environment)
    assert (ended.returncode, ended.stdout.count("Passed")) == (0, 2), ended.stdout + ended.stderr
    (new_project / SPEC).write_text((new_project / SPEC).read_text().replace("columns:", "colums:", 1))
    ended = run(new_project, check, environment)
    assert ended.returncode == 1
    assert "did you mean `columns`?" in ended.stdout
