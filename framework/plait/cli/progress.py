"""How far a command is, on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECONDS_BETWEEN_LINES = 3.0


@contextmanager
def progress_of(total: int | None) -> Iterator[Callable[[int], None]]:
    """Show how many of the objects are done, on a terminal as a bar."""
    if not sys.stderr.isatty():
        yield _lines(total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("objects"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("objects", total=total)
        yield lambda done: bar.advance(task, done)


def _lines(total: int | None) -> Callable[[int], None]:
    """A plain line every few seconds, for logs."""
    done, told = 0, time.monotonic()
    of = "" if total is None else f" of {total:,}"

    def progress(more: int) -> None:
        nonlocal done, told
        done += more
        if time.monotonic() - told >= SECONDS_BETWEEN_LINES:
            told = time.monotonic()
            click.echo(f"objects: {done:,}{of}", err=True)

    return progress
