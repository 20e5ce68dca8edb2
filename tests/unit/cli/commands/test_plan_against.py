"""`plait plan --against`: what changes since a git revision, or since another file."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from unit.cli.commands.conftest import SPEC, Call

NO_FILE_NO_REVISION = "error[unknown-revision]: no file and no git revision is called"


@pytest.fixture
def released(project: Path, orders: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Commit the orders as `release` in a git repository of their own, and edit them."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "orders.yaml")
    git(project, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message=first")
    git(project, "tag", "release")
    Path(orders).write_text(SPEC.replace("      total: decimal(12,2)\n", ""))
    return orders


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", "-C", str(folder), *arguments], check=True)


@pytest.mark.fault("P12")
def test_a_removed_column_breaks_readers_and_gives_exit_code_1(plait: Call, released: str) -> None:
    ended = plait("plan", released, "--against", "release")
    assert ended.exit_code == 1
    assert ended.stdout.splitlines() == [
        "orders, against release",
        "",
        "breaking  column removed  total  decimal(12,2)",
        "",
        "1 change, 1 breaking",
    ]


def test_changes_that_break_no_one_give_exit_code_0(plait: Call, released: str) -> None:
    Path(released).write_text(SPEC.replace("columns: {name: string}", "columns: {name: string, age: int}"))
    ended = plait("plan", released, "--against", "HEAD", "-o", "json")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout) == {
        "format_version": 1,
        "pipeline": "orders",
        "against": "HEAD",
        "breaking": False,
        "changes": [
            {"change": "column-added", "name": "age", "before": None, "after": "int", "breaking": False}
        ],
    }


def test_no_changes_are_said_in_words(plait: Call, released: str) -> None:
    Path(released).write_text(SPEC + "# a comment\n")
    ended = plait("plan", released, "--against", "main")
    assert (ended.exit_code, ended.stdout.splitlines()[-1]) == (0, "no changes for those who read the lake")


def test_the_parameters_are_those_of_each_spec(plait: Call, released: str) -> None:
    """A parameter that the old spec had not is not given to it, and its own default counts."""
    edited = SPEC.replace("parameters:\n", "parameters:\n  lake: {default: /old}\n").replace(
        '"${root}/lake/"', '"${lake}/lake/"'
    )
    Path(released).write_text(edited)
    ended = plait("plan", released, "--against", "release", "--param", "root=/old", "--param", "lake=/new")
    assert "breaking  sink path  sink  /old/lake/ → /new/lake/" in ended.stdout


def test_another_file_is_compared_with_and_needs_no_git(plait: Call, orders: str, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(SPEC.replace("day: date(ordered_at)", "month: month(ordered_at)"))
    ended = plait("plan", orders, "--against", other)
    assert ended.exit_code == 1
    shown = [line.split() for line in ended.stdout.splitlines()]
    assert ["breaking", "partition", "removed", "month", "string"] in shown
    assert ["breaking", "partition", "added", "day", "date"] in shown


def test_an_unknown_revision_is_named_and_the_nearest_offered(plait: Call, released: str) -> None:
    ended = plait("plan", released, "--against", "relaese")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert f"{NO_FILE_NO_REVISION} `relaese`" in ended.stderr
    assert "did you mean `release`?" in ended.stderr


@pytest.mark.parametrize("against", ["--output=x", "-x", "a b", "HEAD:orders.yaml", "raw"])
def test_what_is_no_revision_never_reaches_git_as_an_option(plait: Call, released: str, against: str) -> None:
    ended = plait("plan", released, f"--against={against}")
    assert ended.exit_code == 2
    assert NO_FILE_NO_REVISION in ended.stderr


def test_a_file_that_the_revision_has_not_is_an_error(plait: Call, released: str) -> None:
    renamed = Path(released).rename(Path(released).with_name("renamed.yaml"))
    ended = plait("plan", renamed, "--against", "main")
    assert ended.exit_code == 2
    assert f"error[not-in-revision]: `main` has no `{renamed}`" in ended.stderr


def test_outside_of_a_git_work_tree_only_a_file_can_be_named(plait: Call, orders: str) -> None:
    ended = plait("plan", orders, "--against", "main")
    assert ended.exit_code == 2
    assert f"error[no-work-tree]: `{orders}` is in no git work tree" in ended.stderr


def test_without_git_only_a_file_can_be_named(
    plait: Call, released: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = plait("plan", released, "--against", "main")
    assert (ended.exit_code, "error[no-git]: `git` is not installed" in ended.stderr) == (2, True)


def test_problems_of_the_old_spec_are_shown_where_they_stand(plait: Call, released: str) -> None:
    """What cannot be compared is exit code 2, since 1 says that readers would break."""
    Path(released).write_text(SPEC.replace("connector: csv", "connector: csw"))
    git(Path(released).parent, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "bad")
    Path(released).write_text(SPEC)
    ended = plait("plan", released, "--against", "main")
    assert (ended.exit_code, ended.stdout) == (2, "")
    line = SPEC[: SPEC.index("connector: csv")].count("\n") + 1
    assert f"--> main:{released}:{line}:16" in ended.stderr


def test_the_spec_of_a_repository_below_another_folder_is_found(
    plait: Call, released: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named as from the current folder, and git is asked where it lies."""
    monkeypatch.chdir(Path(released).parent.parent)
    ended = plait("plan", Path(released).relative_to(Path.cwd()), "--against", "release")
    assert (ended.exit_code, "column removed" in ended.stdout) == (1, True)
