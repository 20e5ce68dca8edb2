"""What the commands share: options, how answers are printed, and what a failure is worth."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from plait.pipeline.pipeline import InvalidSpec, Pipeline
from plait.plugin import PlaitError
from plait.problems.problem import Problem
from plait.problems.render import full, github, summary
from plait.storage.local import FULL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

FORMAT_VERSION = 1
OF_THE_CALL = {"missing-parameter", "undeclared-parameter"}
Command = TypeVar("Command", bound="Callable[..., Any]")


class CannotStart(PlaitError):
    """The command could not begin: something it was given is not there."""

    code = "cannot-start"


def tell(error: Exception) -> int | None:
    """Print an expected failure and return its exit code; None for anything else."""
    if isinstance(error, InvalidSpec):
        click.echo(full(error.problems, {error.file: error.text}, coloured(sys.stderr)), err=True, color=True)
        return 2 if {problem.code for problem in error.problems} <= OF_THE_CALL else 1
    if isinstance(error, PlaitError):
        problem = Problem(code=error.code, message=error.message, help=error.help)
        click.echo(full([problem], {}, coloured(sys.stderr)), err=True, color=True)
        return 2 if isinstance(error, CannotStart) else 1
    return _tell_full(error) if isinstance(error, OSError) and error.errno in FULL else None


def _tell_full(error: OSError) -> int:
    what, why = f"`{error.filename}`" if error.filename else "the answer", (error.strerror or "").lower()
    problem = Problem(
        code="no-space", message=f"{what} cannot be written: {why}", help="make room there, then run it again"
    )
    click.echo(full([problem], {}, coloured(sys.stderr)), err=True, color=True)
    with suppress(OSError):  # what is left of the answer would be tried once more at the end of the process
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2


def coloured(stream: TextIO) -> bool:
    """Whether to colour what goes to this stream."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def unreadable(file: str, error: OSError) -> CannotStart:
    """A file that cannot be read, in one line."""
    reason = (error.strerror or type(error).__name__).lower()
    return CannotStart(f"`{file}` cannot be read: {reason}", code="unreadable-file")


def load(file: str, parameters: Mapping[str, str]) -> Pipeline:
    """The pipeline of a spec file."""
    try:
        pipeline = Pipeline.load(file, parameters)
    except OSError as error:
        raise unreadable(file, error) from error
    if pipeline.warnings:
        told = full(pipeline.warnings, {file: pipeline.text}, coloured(sys.stderr))
        click.echo(told, err=True, color=True)
    return pipeline


def print_json(answer: Mapping[str, Any]) -> None:
    """One document on stdout; half of a surrogate pair, which UTF-8 has no bytes for, is escaped."""
    text = json.dumps({"format_version": FORMAT_VERSION, **answer}, indent=2, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace"))


def print_github(problems: Sequence[Problem]) -> None:
    """Workflow commands on stdout; what GitHub would not mark goes to the summary of the job, else below them."""
    if problems:
        click.echo(github(problems))
    rest, file = summary(problems), os.environ.get("GITHUB_STEP_SUMMARY")
    if rest and file:
        with Path(file).open("a", encoding="utf-8") as opened:
            opened.write(rest + "\n")
    elif rest:
        click.echo(rest)


def printable(text: str) -> str:
    """The text with what could move the cursor or break the line written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def aligned(rows: Iterable[Sequence[str]], indent: str = "") -> str:
    """Rows of text as columns of even width."""
    lines = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(map(str.ljust, line, widths)) for line in lines)
    return "\n".join(f"{indent}{line}".rstrip() for line in padded)


def plural(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def moment(text: str) -> datetime:
    """Read an ISO date or timestamp; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"`{text[:40]}` is no date or time such as `2026-07-01` or `2026-07-01T13:00:00Z`"
        raise click.BadParameter(message) from None


def _pairs(_ctx: click.Context, _param: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = dict[str, str]()
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"`{text[:40]}` is not `name=value`")
        pairs[name] = value
    return pairs


def params(command: Command) -> Command:
    """Add `--param`."""
    help = "A parameter of the spec; wins over the environment. Repeatable."
    return click.option(
        "--param", "parameters", multiple=True, metavar="NAME=VALUE", callback=_pairs, help=help
    )(command)


def window(command: Command) -> Command:
    """Add `--since` and `--until`."""
    since_help, until_help = "Modified at or after this time, UTC.", "Modified before this time, UTC."
    until = click.option("--until", type=moment, metavar="TIME", callback=_ordered, help=until_help)
    since = click.option("--since", type=moment, metavar="TIME", is_eager=True, help=since_help)
    return since(until(command))


def _ordered(ctx: click.Context, _param: click.Parameter, until: datetime | None) -> datetime | None:
    since = ctx.params.get("since")
    if since and until and since >= until:
        raise click.BadParameter("it must be later than `--since`")
    return until


def output(*words: str) -> Callable[[Command], Command]:
    """Add `--output` with these words, of which the first is the default."""
    return click.option(
        "-o", "--output", type=click.Choice(words), default=words[0], show_default=True, help="How to print."
    )
