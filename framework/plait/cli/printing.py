"""How commands print: problems, JSON documents, workflow commands of GitHub, and text in columns."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from plait.problems.problem import as_json
from plait.problems.render import MAX_SHOWN, full, github, summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plait.problems.problem import Problem

FORMAT_VERSION = 1


def coloured(stream: TextIO) -> bool:
    """Whether what goes to this stream is coloured."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_answer(output: str, document: Mapping[str, Any], text: str) -> None:
    """Print an answer, as its JSON document or as text, which is coloured where stdout is."""
    if output == "json":
        print_json(document)
    else:
        click.echo(text, color=coloured(sys.stdout))


def print_verdict(
    output: str,
    problems: Sequence[Problem],
    texts: Mapping[str, str],
    lines: Sequence[str],
    *,
    everything: bool,
    **document: Any,
) -> None:
    """Print problems as an answer: as JSON beside the rest of the document, for GitHub, or as text with lines below."""
    if output == "json":
        print_json({**document, "problems": as_json(problems)})
        return
    if output == "github":
        _print_github(problems)
        return
    if problems:
        limit = None if everything else MAX_SHOWN
        click.echo(full(problems, texts, coloured(sys.stdout), limit) + "\n", color=True)
    more = "; `--all` shows them all" if len(problems) > MAX_SHOWN and not everything else ""
    click.echo("\n".join(lines) + more)


def print_problems_on_stderr(problems: Sequence[Problem], texts: Mapping[str, str] | None = None) -> None:
    """Print problems beside an answer; `texts` has the text of each file that is shown with them."""
    click.echo(full(problems, texts or {}, coloured(sys.stderr)), err=True, color=True)


def print_json(answer: Mapping[str, Any]) -> None:
    """Print one document that begins with the version of its format; lone surrogates, which UTF-8 cannot hold, are escaped."""
    text = json.dumps({"format_version": FORMAT_VERSION, **answer}, indent=2, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace"))


def uri_line(uri: str) -> str:
    """The line of a URI, as `--objects` takes it: JSON where it has what a terminal would not show as it is."""
    return uri if uri.isprintable() and not uri.startswith('"') else json.dumps(uri)


def _print_github(problems: Sequence[Problem]) -> None:
    """Print workflow commands; problems that GitHub would not mark go to the job's summary, else below the commands."""
    if problems:
        click.echo(github(problems))
    unmarked, summary_file = summary(problems), os.environ.get("GITHUB_STEP_SUMMARY")
    if unmarked and summary_file:
        with Path(summary_file).open("a", encoding="utf-8") as file:
            file.write(unmarked + "\n")
    elif unmarked:
        click.echo(unmarked)


def plural(number: int, noun: str) -> str:
    """A number with its noun, as `1 row` and `2 rows`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
