"""What a run that finds no object looked for, and what lies near: one page of a listing at most, and names of one folder."""

from __future__ import annotations

import os
import posixpath
from itertools import islice
from typing import TYPE_CHECKING

from plait.language.spec import options_of_type
from plait.plugin import DriverPath, PlaitError, Window, calling
from plait.problems.problem import Problem, printable
from plait.problems.suggest import nearest
from plait.values.paths import on_s3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.engine.engine import Engine

MOST_LISTED = 1_000
MOST_NAMED = 5


def no_objects(engine: Engine, window: Window | None = None) -> Problem:
    """The warning that no driving object was found."""
    spec = engine.spec
    path = next(iter(options_of_type(spec.driver.options, DriverPath)), None)
    looked_for = f"`{path.text}`" if path else f"`{spec.driver.name}`"
    bounds = {"since": window and window.since, "before": window and window.until}
    times = [f"{word} {time.isoformat()}" for word, time in bounds.items() if time]
    message = f"no object of {looked_for} is there{', modified ' + ' and '.join(times) if times else ''}"
    note = help = None
    try:
        note, help = _near(engine, path) if path else (None, None)
    except (PlaitError, OSError):
        help = "what lies near cannot be listed"
    return Problem(
        code="no-objects", message=printable(message), file=spec.file, help=help, note=note, level="warning"
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
    folder = f"{(posixpath.dirname(path.literal) or '.').rstrip('/')}/"
    while not (names := _names(engine, folder)) and folder.count("/") > (3 if on_s3(folder) else 1):
        folder = f"{folder.rstrip('/').rpartition('/')[0]}/"
    listed = " and ".join(f"`{printable(name[:100])}`" for name in names[:MOST_NAMED])
    more = " and more" if len(names) > MOST_NAMED else ""
    step = path.literal.removeprefix(folder).partition("/")[0]
    near = nearest(f"{step}/", names)
    help = f"did you mean `{folder}{near}`?" if near else "check the path and the values of its parameters"
    return f"`{folder[:200]}` holds {listed or 'nothing'}{more}", help


def _names(engine: Engine, folder: str) -> list[str]:
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
    with os.scandir(folder) as entries:
        for entry in entries:
            yield f"{entry.name}/" if entry.is_dir() else entry.name
