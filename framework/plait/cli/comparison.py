"""Load the spec that `plait plan --against` names: another file, or the same file at a git revision."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait.cli.failures import CannotStart, print_failure
from plait.cli.options import allowed_variables
from plait.language.yaml_reader import locate
from plait.pipeline.invalid_spec import InvalidSpec
from plait.pipeline.pipeline import Pipeline
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping


def load_compared_pipeline(spec: str, against: str, parameters: Mapping[str, str]) -> Pipeline:
    """Load the pipeline that `spec` is compared with; it gets only the parameters that it declares.

    Raises CannotStart where there is no such file or revision, and ends the command with 2 where its spec is invalid.
    """
    is_file = Path(against).is_file()
    name, text = (
        (against, Path(against).read_bytes())
        if is_file
        else (f"{against}:{spec}", _read_from_git(spec, against))
    )
    source_map, _ = locate(text, name)
    declared = source_map.value.get("parameters") if source_map else None
    shared = {
        name: value for name, value in parameters.items() if isinstance(declared, dict) and name in declared
    }
    try:
        return Pipeline.load(name, shared, text, allowed_variables())
    except InvalidSpec as error:
        print_failure(error)
        raise click.exceptions.Exit(2) from error


def _read_from_git(spec: str, revision: str) -> bytes:
    file, environment = Path(spec).resolve(), {**os.environ, "LC_ALL": "C"}
    blob = ["--end-of-options", f"{revision}:./{file.name}"]
    command = ["git", "-C", str(file.parent), "cat-file", "blob", *blob]
    help = "name another file, or a branch, tag or commit that has this one; `git fetch` brings what is not here yet"
    try:
        answer = subprocess.run(command, check=False, capture_output=True, env=environment)  # noqa: S603 - a list
    except FileNotFoundError as error:
        raise CannotStart("`git` is not installed", code="no-git", help="name another file") from error
    if answer.returncode:
        reason = answer.stderr.decode("utf-8", "replace").partition("\n")[0].removeprefix("fatal: ")
        message = f"{excerpt(revision)} is no file, and git has no `{file.name}` of it: {reason}"
        raise CannotStart(message, code="unknown-revision", help=help)
    return answer.stdout
