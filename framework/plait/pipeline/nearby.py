"""What a run or replay that finds nothing looked for, and what lies near: one page of a listing at most, and names of one folder."""

from __future__ import annotations

import os
import posixpath
import re
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from plait.engine.quarantine import folder_of
from plait.language.spec import options_of_type
from plait.plugin import DriverPath, GiveUp, PlaitError, Window, calling
from plait.problems.problem import Problem, printable
from plait.problems.suggest import nearest
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plait.engine.engine import Engine
    from plait.plugin import Item

MOST_LISTED = 1_000
MOST_NAMED = 5
TOP = r"s3://[^/]*/|(\./|/)"  # a bucket, or the folder that local paths begin in


def find(engine: Engine, window: Window | None = None) -> Iterator[Item]:
    """Find the driving objects; the error of a local folder that is not there names what lies near."""
    try:
        yield from engine.find(window)
    except GiveUp as error:
        if error.code == "no-folder":
            path = next(iter(options_of_type(engine.spec.driver.options, DriverPath)))
            with suppress(OSError):
                error.help = printable(_near_folder(engine, path.literal)[1])
        raise


def no_objects(engine: Engine, window: Window | None = None) -> Problem:
    """The warning that no driving object was found."""
    spec = engine.spec
    path = next(iter(options_of_type(spec.driver.options, DriverPath)), None)
    looked_for = f"`{path.text}`" if path else f"`{spec.driver.name}`"
    bounds = {"since": window and window.since, "before": window and window.until}
    times = [f"{word} {time.isoformat()}" for word, time in bounds.items() if time]
    message = f"no object of {looked_for} is there{', modified ' + ' and '.join(times) if times else ''}"
    return _warning(engine, message, lambda: _near(engine, path) if path else (None, None))


def nothing_quarantined(engine: Engine) -> Problem:
    """The warning that no record is in quarantine."""
    folder = folder_of(engine.spec)
    message = f"no record is in quarantine: nothing lies in `{folder}`"
    return _warning(engine, message, lambda: _near_folder(engine, folder))


def _warning(engine: Engine, message: str, near: Callable[[], tuple[str | None, str | None]]) -> Problem:
    try:
        note, help = near()
    except (PlaitError, OSError):
        note, help = None, "what lies near cannot be listed"
    file = engine.spec.file
    return Problem(
        code="no-objects", message=printable(message), file=file, help=help, note=note, level="warning"
    )


def _near(engine: Engine, path: DriverPath) -> tuple[str, str]:
    """What stands below the literal beginning of a path, or else in its longest parent that is there; and what to do."""
    items = [*islice(engine.services.objects.list(path.literal), MOST_LISTED)]
    fitting = [item for item in items if path.match(item.uri) is not None]
    if fitting:
        times = sorted(item.modified.isoformat() for item in fitting if item.modified)
        within = f", modified from {times[0]} to {times[-1]}" if times else ""
        return f"such as `{printable(fitting[0].uri[:200])}`{within}", "name a time that has some of them"
    if items:
        uri = printable(items[0].uri[:200])
        return (
            f"`{uri}` is there and does not fit",
            "make the path fit it, or check where objects are written",
        )
    return _near_folder(engine, path.literal)


def _near_folder(engine: Engine, prefix: str) -> tuple[str, str]:
    """What the longest parent of a prefix that is there holds; and what to do."""
    folder = f"{(posixpath.dirname(prefix) or '.').rstrip('/')}/"
    while not (names := names_in(engine, folder)) and not re.fullmatch(TOP, folder):
        folder = f"{(posixpath.dirname(folder[:-1]) or '.').rstrip('/')}/"
    listed = " and ".join(f"`{printable(name[:100])}`" for name in names[:MOST_NAMED])
    more = " and more" if len(names) > MOST_NAMED else ""
    step = f"{prefix.removeprefix(folder).partition('/')[0]}/"
    near = None if step in names else nearest(step, names)
    help = (
        f"did you mean `{folder.removeprefix('./')}{near}`?"
        if near
        else "check the path and the values of its parameters"
    )
    return f"`{folder[:200]}` holds {listed or 'nothing'}{more}", help


def names_in(engine: Engine, folder: str) -> list[str]:
    """The names of some objects and folders directly in a folder, each folder's with a slash."""
    if not on_s3(folder):
        return sorted(islice(_local_names(folder), MOST_LISTED))
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    with calling(f"`{folder[:200]}`", service="s3"):
        page = engine.services.client("s3").list_objects_v2(
            Bucket=bucket, Prefix=prefix, Delimiter="/", MaxKeys=MOST_LISTED
        )
    folders = [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
    keys = [entry["Key"] for entry in page.get("Contents", ())]
    return [key.removeprefix(prefix) for key in (*folders, *keys) if key != prefix]


def _local_names(folder: str) -> Iterator[str]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            yield f"{entry.name}/" if entry.is_dir() else entry.name
