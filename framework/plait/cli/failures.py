"""Failures that a command expects: what is printed of them, and their exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from plait.cli.printing import print_problems_on_stderr
from plait.plugin import PlaitError
from plait.problems.problem import Problem

if TYPE_CHECKING:
    from plait.cli.options import QuarantineLimit
    from plait.engine.report import Report

WRONG_CALL_CODES = {"missing-parameter", "undeclared-parameter"}  # the spec is right, its parameters are not


class CannotStart(PlaitError):
    """The command cannot begin: something that it was given is not there or cannot be used."""

    code = "cannot-start"


def print_failure(error: Exception) -> int | None:
    """Print an expected failure on stderr and return its exit code; None for anything else, which is a bug."""
    from plait.pipeline.invalid_spec import InvalidSpec
    from plait.storage.local import NO_SPACE

    if isinstance(error, InvalidSpec):
        print_problems_on_stderr(error.problems, {error.file: error.text})
        return 2 if {problem.code for problem in error.problems} <= WRONG_CALL_CODES else 1
    if isinstance(error, PlaitError):
        print_problems_on_stderr([Problem(code=error.code, message=error.message, help=error.help)])
        return 2 if isinstance(error, CannotStart) else 1
    if isinstance(error, OSError) and (error.filename or error.errno in NO_SPACE):
        print_problems_on_stderr([_file_problem(error, is_full=error.errno in NO_SPACE)])
        return 2
    return None


def exit_code(report: Report, fail_level: str, limit: QuarantineLimit | None) -> int:
    """The exit code of a run: 1 if it is not ok, has a problem of the level, or quarantined more than the limit, which is told."""
    counts = report.records
    if limit is not None and limit.is_exceeded(counts.quarantined, counts.read):
        message = f"{counts.quarantined:,} of {counts.read:,} records are quarantined: more than {limit.text}"
        help = "`plait quarantine SPEC` shows them"
        print_problems_on_stderr([Problem(code="too-many-quarantined", message=message, help=help)])
        return 1
    return int(not report.ok or (fail_level == "warning" and bool(report.problems)))


def _file_problem(error: OSError, *, is_full: bool) -> Problem:
    """Why a file cannot be opened; of a full disk, that the answer or a file is not whole."""
    file = f"`{error.filename}`" if error.filename else "the answer"
    reason = (error.strerror or type(error).__name__).lower()
    if not is_full:
        return Problem(code="unreadable-file", message=f"{file} cannot be opened: {reason}")
    with suppress(OSError):  # Python would try to write the rest of the answer when the process ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    help = "make room there, then run it again"
    return Problem(code="no-space", message=f"{file} cannot be written: {reason}", help=help)
