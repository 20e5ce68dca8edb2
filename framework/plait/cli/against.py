"""The spec that `plait plan --against` names: another file, or the same file at a git revision."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.cli.common import CannotStart, tell, unreadable
from plait.language.source_map import locate
from plait.pipeline.pipeline import InvalidSpec, Pipeline
from plait.problems.problem import excerpt
from plait.problems.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping


def other(spec: str, against: str, parameters: Mapping[str, str]) -> Pipeline:
    """The pipeline to compare with, under those of the parameters that it has; raises CannotStart."""
    if Path(against).is_file():
        name, text = against, _read(against)
    else:
        name, text = f"{against}:{spec}", _at_revision(spec, against)
    declared = _parameters(text, name)
    try:
        return Pipeline.load(name, {k: v for k, v in parameters.items() if k in declared}, text)
    except InvalidSpec as error:
        tell(error)
        raise click.exceptions.Exit(2) from error


def _parameters(text: bytes, name: str) -> list[Any]:
    source_map, _ = locate(text, name)
    block = source_map.value.get("parameters") if source_map else None
    return [*block] if isinstance(block, dict) else []


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise unreadable(file, error) from error


def _at_revision(spec: str, revision: str) -> bytes:
    file = Path(spec).resolve()
    inside = _git(file.parent, "rev-parse", "--is-inside-work-tree")
    if inside.stdout.strip() != b"true":
        raise _no_work_tree(spec, inside.stderr.decode("utf-8", "replace"))
    found = _git(
        file.parent, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
    )
    if found.returncode:
        raise _unknown(file.parent, revision)
    shown = _git(file.parent, "show", f"{found.stdout.decode().strip()}:./{file.name}")
    if shown.returncode:
        message = f"{excerpt(revision)} has no `{spec}`"
        help = "where it had another name, save that file and name it after `--against`"
        raise CannotStart(message, code="not-in-revision", help=help)
    return shown.stdout


def _no_work_tree(spec: str, said: str) -> CannotStart:
    if "not a git repository" in said or not said:
        help = "name another file after `--against`"
        return CannotStart(f"`{spec}` is in no git work tree", code="no-work-tree", help=help)
    reason = said.splitlines()[0].removeprefix("fatal: ")
    return CannotStart(f"git cannot read where `{spec}` lies: {reason}", code="no-work-tree")


def _unknown(folder: Path, revision: str) -> CannotStart:
    listed = _git(folder, "for-each-ref", "--format=%(refname:short)").stdout.decode("utf-8", "replace")
    meant = nearest(revision, listed.split())
    help = f"did you mean `{meant}`?" if meant else "`git fetch` brings what is not here yet"
    message = f"no file and no git revision is called {excerpt(revision)}"
    return CannotStart(message, code="unknown-revision", help=help)


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(folder), *arguments]
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(command, check=False, capture_output=True, env=environment)  # noqa: S603 - a list
    except FileNotFoundError as error:
        message = "`git` is not installed"
        raise CannotStart(message, code="no-git", help="name another file after `--against`") from error
