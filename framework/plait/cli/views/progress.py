"""How many objects a run has done so far, on stderr."""

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
def object_progress(total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function that counts objects as done; the count is shown as a bar if stderr is a terminal."""
    if not sys.stderr.isatty():
        yield _line_progress(total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("objects"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("objects", total=total)
        yield lambda number: bar.advance(task, number)


def _line_progress(total: int | None) -> Callable[[int], None]:
    """Print a plain line every few seconds, as logs need it."""
    done, printed_at = 0, time.monotonic()
    of_total = "" if total is None else f" of {total:,}"

    def advance(number: int) -> None:
        nonlocal done, printed_at
        done += number
        if time.monotonic() - printed_at >= SECONDS_BETWEEN_LINES:
            printed_at = time.monotonic()
            click.echo(f"objects: {done:,}{of_total}", err=True)

    return advance
