"""Failures that a command expects: what is printed of them, and their exit codes."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from plait.cli.printing import print_problems_on_stderr
from plait.plugin import PlaitError
from plait.problems.problem import Problem

WRONG_CALL_CODES = {"missing-parameter", "undeclared-parameter"}  # the spec is right, its parameters are not


class CannotStart(PlaitError):
    """The command cannot begin: something that it was given is not there or cannot be used."""

    code = "cannot-start"


def unreadable_file(file: str, error: OSError) -> CannotStart:
    """The failure of a file that cannot be read, in one line."""
    reason = (error.strerror or type(error).__name__).lower()
    return CannotStart(f"`{file}` cannot be read: {reason}", code="unreadable-file")


def print_failure(error: Exception) -> int | None:
    """Print an expected failure on stderr and return its exit code; None for anything else, which is a bug."""
    from plait.pipeline.pipeline import InvalidSpec
    from plait.storage.local import NO_SPACE

    if isinstance(error, InvalidSpec):
        print_problems_on_stderr(error.problems, {error.file: error.text})
        return 2 if {problem.code for problem in error.problems} <= WRONG_CALL_CODES else 1
    if isinstance(error, PlaitError):
        print_problems_on_stderr([Problem(code=error.code, message=error.message, help=error.help)])
        return 2 if isinstance(error, CannotStart) else 1
    return _print_full_disk(error) if isinstance(error, OSError) and error.errno in NO_SPACE else None


def _print_full_disk(error: OSError) -> int:
    unwritten = f"`{error.filename}`" if error.filename else "the answer"
    message = f"{unwritten} cannot be written: {(error.strerror or '').lower()}"
    problem = Problem(code="no-space", message=message, help="make room there, then run it again")
    print_problems_on_stderr([problem])
    with suppress(
        OSError
    ):  # Python would try to write the rest of the answer once more when the process ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2
