"""Load the spec that `plait plan --against` names: another file, or the same file at a git revision."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.cli.failures import CannotStart, print_failure, unreadable_file
from plait.language.yaml_reader import locate
from plait.pipeline.pipeline import InvalidSpec, Pipeline
from plait.problems.problem import excerpt
from plait.problems.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping


def load_compared_pipeline(spec: str, against: str, parameters: Mapping[str, str]) -> Pipeline:
    """Load the pipeline that `spec` is compared with; it gets only the parameters that it declares.

    Raises CannotStart where there is no such file or revision, and ends the command with 2 where its spec is invalid.
    """
    if Path(against).is_file():
        name, text = against, _read(against)
    else:
        name, text = f"{against}:{spec}", _read_at_revision(spec, against)
    declared = _declared_parameters(text, name)
    shared = {parameter: value for parameter, value in parameters.items() if parameter in declared}
    try:
        return Pipeline.load(name, shared, text)
    except InvalidSpec as error:
        print_failure(error)
        raise click.exceptions.Exit(2) from error


def _declared_parameters(text: bytes, name: str) -> list[Any]:
    source_map, _ = locate(text, name)
    block = source_map.value.get("parameters") if source_map else None
    return [*block] if isinstance(block, dict) else []


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise unreadable_file(file, error) from error


def _read_at_revision(spec: str, revision: str) -> bytes:
    file = Path(spec).resolve()
    inside = _run_git(file.parent, "rev-parse", "--is-inside-work-tree")
    if inside.stdout.strip() != b"true":
        raise _no_work_tree(spec, inside.stderr.decode("utf-8", "replace"))
    commit = _run_git(
        file.parent, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if commit.returncode:
        raise _unknown_revision(file.parent, revision)
    content = _run_git(file.parent, "show", f"{commit.stdout.decode().strip()}:./{file.name}")
    if content.returncode:
        message = f"{excerpt(revision)} has no `{spec}`"
        help = "where it had another name, save that file and name it after `--against`"
        raise CannotStart(message, code="not-in-revision", help=help)
    return content.stdout


def _no_work_tree(spec: str, git_error: str) -> CannotStart:
    if "not a git repository" in git_error or not git_error:
        help = "name another file after `--against`"
        return CannotStart(f"`{spec}` is in no git work tree", code="no-work-tree", help=help)
    reason = git_error.splitlines()[0].removeprefix("fatal: ")
    return CannotStart(f"git cannot read where `{spec}` lies: {reason}", code="no-work-tree")


def _unknown_revision(folder: Path, revision: str) -> CannotStart:
    references = _run_git(folder, "for-each-ref", "--format=%(refname:short)").stdout
    meant = nearest(revision, references.decode("utf-8", "replace").split())
    help = f"did you mean `{meant}`?" if meant else "`git fetch` brings what is not here yet"
    message = f"no file and no git revision is called {excerpt(revision)}"
    return CannotStart(message, code="unknown-revision", help=help)


def _run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(folder), *arguments]
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(command, check=False, capture_output=True, env=environment)  # noqa: S603 - a list
    except FileNotFoundError as error:
        message = "`git` is not installed"
        raise CannotStart(message, code="no-git", help="name another file after `--against`") from error
