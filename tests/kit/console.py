"""The command line, a small project to call it in, and cases of it: what is run, what it prints and what it leaves.

The keys of a case in `tests/data/commands`, and of each of its `steps`, are taken in this order; in their texts `PROJECT`,
`FOLDER` and `VERSION` stand for the project's path, its name and plait's version:

- `env` sets variables (null: unset); `files` writes texts (null: removes); `specs` writes copies of `orders.yaml` and `edits`
  edits files, by old text: new text; `times` says when files were written; `commit` commits the spec under this tag.
- `run` calls plait `from` a folder of the project.
- `exit` is its code (0), `stdout` all that it prints (nothing, where the code is 2). Of that, `lines` are some lines in order,
  with single spaces; `shows` and `hides` are texts; `counts` says how often a text is there; `width` limits the lines; `json`
  is part of the document. `stderr` has texts of the other stream.
- `unchanged: true`: no file has changed. `left` says how many files match a pattern, or what the one that does holds.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kit.paths import DATA
from kit.specs import edited
from plait import __version__
from plait.cli.main import main

SPEC = (DATA / "orders/orders.yaml").read_text(encoding="utf-8")
BEFORE = {"env", "files", "specs", "edits", "times", "commit", "from"}
AFTER = {
    "exit",
    "stdout",
    "lines",
    "shows",
    "counts",
    "hides",
    "stderr",
    "json",
    "left",
    "unchanged",
    "width",
}

Call = Callable[..., Result]


@pytest.fixture
def plait(monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call the command line in this process; a bug is raised."""
    monkeypatch.delenv("ORDERS_ROOT", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)

    return call


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with `orders.yaml` and three orders in JSON, the first of which has items in CSV."""
    # copied without their times, so that the objects are as young in an old checkout as in a new one
    shutil.copytree(DATA / "orders", tmp_path, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return tmp_path


@pytest.fixture
def orders(project: Path, monkeypatch: pytest.MonkeyPatch, plait: Call) -> str:
    """Bind the spec by its environment and name its file."""
    monkeypatch.setenv("ORDERS_ROOT", str(project))
    monkeypatch.setenv("PLAIT_ENV_ALLOW", "ORDERS_ROOT")
    return str(project / "orders.yaml")


@dataclass(frozen=True)
class Console:
    """A project in which the steps of cases are taken."""

    plait: Call
    project: Path
    monkeypatch: pytest.MonkeyPatch

    def take(self, step: Any) -> None:
        """Prepare what a step says, run its command, and compare what it prints and leaves."""
        step = filled(
            step, {"PROJECT": str(self.project), "FOLDER": self.project.name, "VERSION": __version__}
        )
        assert step.keys() <= {"case", "faults", "steps", "run", *BEFORE, *AFTER}
        self.prepare(**{name: step[name] for name in BEFORE & step.keys() if name != "from"})
        before = self.contents()
        if "run" in step:
            self.monkeypatch.chdir(self.project / step.get("from", "."))
            words = shlex.split(step["run"]) if isinstance(step["run"], str) else step["run"]
            compare(self.plait(*words), step)
        assert not step.get("unchanged") or self.contents() == before
        for pattern, content in step.get("left", {}).items():
            files = sorted(self.project.glob(pattern))
            shown = len(files) if isinstance(content, int) else [file.read_text() for file in files]
            assert shown == (content if isinstance(content, int) else [content]), pattern

    def contents(self) -> dict[Path, bytes]:
        """What each file of the project holds."""
        return {file: file.read_bytes() for file in self.project.rglob("*") if file.is_file()}

    def prepare(
        self,
        *,
        env: dict[str, str | None] | None = None,
        files: dict[str, str | None] | None = None,
        specs: dict[str, dict[str, str]] | None = None,
        edits: dict[str, dict[str, str]] | None = None,
        times: dict[str, str] | None = None,
        commit: str | None = None,
    ) -> None:
        """Set variables, write files (null: remove) and edited copies of the spec, edit files, set times, commit the spec."""
        for variable, value in (env or {}).items():
            self.monkeypatch.delenv(variable, raising=False)
            if value is not None:
                self.monkeypatch.setenv(variable, value)
        copies = {name: edited(SPEC, edit) for name, edit in (specs or {}).items()}
        changed = {
            name: edited((self.project / name).read_text("utf-8"), edit)
            for name, edit in (edits or {}).items()
        }
        for name, text in {**(files or {}), **copies, **changed}.items():
            file = self.project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.unlink() if text is None else file.write_text(text, encoding="utf-8")
        for name, text in (times or {}).items():
            time = datetime.fromisoformat(text).timestamp()
            os.utime(self.project / name, (time, time))
        if commit:
            self.commit(commit)

    def commit(self, tag: str) -> None:
        """Commit the spec to the branch `main` of a git repository, under a tag."""
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            self.monkeypatch.delenv(name, raising=False)
        self.monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        author = ("-c", "user.name=a", "-c", "user.email=a@b")
        for words in (
            ("init", "--quiet", "--initial-branch=main"),
            ("add", "orders.yaml"),
            (*author, "commit", "--quiet", f"--message={tag}"),
            ("tag", tag),
        ):
            subprocess.run(["git", "-C", str(self.project), *words], check=True)


@pytest.fixture
def console(plait: Call, project: Path, orders: str, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The small project, and the command line in it."""
    return Console(plait, project, monkeypatch)


def filled(value: Any, words: dict[str, str]) -> Any:
    """Replace words in all texts of a value."""
    if isinstance(value, dict):
        return {filled(key, words): filled(part, words) for key, part in value.items()}
    if isinstance(value, list):
        return [filled(part, words) for part in value]
    if isinstance(value, str):
        for word, text in words.items():
            value = value.replace(word, text)
    return value


def squeezed(text: str) -> list[str]:
    """Lines with single spaces."""
    return [" ".join(line.split()) for line in text.splitlines()]


def compare(ended: Result, step: dict[str, Any]) -> None:
    """Compare the exit code and the output; a command that could not start prints nothing to stdout."""
    code = step.get("exit", 0)
    assert ended.exit_code == code, ended.output
    assert ended.stdout == step.get("stdout", "" if code == 2 else ended.stdout)
    lines = iter(squeezed(ended.stdout))
    assert [line for line in step.get("lines", ()) if line not in lines] == [], ended.stdout
    assert [text for text in step.get("shows", ()) if text not in ended.stdout] == [], ended.stdout
    assert [text for text in step.get("stderr", ()) if text not in ended.stderr] == [], ended.stderr
    assert [text for text in step.get("hides", ()) if text in ended.stdout + ended.stderr] == []
    counts = step.get("counts", {})
    assert {text: ended.stdout.count(text) for text in counts} == counts, ended.stdout
    if "json" in step:
        assert part(json.loads(ended.stdout), step["json"]) == step["json"]
    assert "width" not in step or max(map(len, ended.stdout.splitlines())) <= step["width"]


def part(document: Any, expected: Any) -> Any:
    """The part of a document that something is expected of: keys of mappings, the items of a list of the same length."""
    if isinstance(expected, dict) and isinstance(document, dict):
        return {key: part(document[key], expected[key]) for key in expected if key in document}
    if isinstance(expected, list) and isinstance(document, list) and len(document) == len(expected):
        return [*map(part, document, expected)]
    return document
