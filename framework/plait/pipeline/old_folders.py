"""Folders of partitions at the sink that earlier versions spelt otherwise, so that a run would write others beside them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from plait.engine.partition import encode
from plait.language.spec import options_of_type
from plait.pipeline.nearby import names_in
from plait.plugin import FolderPath, PlaitError
from plait.problems.problem import Problem, printable
from plait.values.driver_path import HIVE_NULL, hive_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.engine.engine import Engine

MOST_FOLDERS = 20  # that are listed of each level
MOST_SHOWN = 5


def old_folders(engine: Engine) -> Iterator[Problem]:
    """The warning of folders that a run would spell otherwise now, among the first ones of each level."""
    old: list[tuple[str, str]] = []
    with suppress(PlaitError, OSError):  # `check` has told by then whether the sink can be used
        for path in options_of_type(engine.spec.sink.options, FolderPath):
            old += _old_below(engine, f"{path.literal.rstrip('/')}/")
    if old:
        shown = " and ".join(
            f"`{printable(folder[-200:])}` is `{printable(name)}` now" for folder, name in old[:MOST_SHOWN]
        )
        more = " and others" if len(old) > MOST_SHOWN else ""
        yield Problem(
            code="old-folders",
            message=f"the sink has folders as earlier versions named them: {shown}{more}",
            file=engine.spec.file,
            help="rename them, before a run writes the new ones beside them",
            level="warning",
        )


def _old_below(engine: Engine, folder: str) -> Iterator[tuple[str, str]]:
    """The folders, below a sink's, whose name is another now, each with that name."""
    folders = [folder]
    for partition in engine.spec.partition_by:
        below = [f"{folder}{name}" for folder in folders[:MOST_FOLDERS] for name in names_in(engine, folder)]
        folders = []
        for path in below:
            name = path[:-1].rpartition("/")[2]
            word, _, value = name.partition("=")
            text = hive_text(value)
            if not path.endswith("/") or hive_text(word) != partition.name:
                continue
            folders.append(path)
            new_name = f"{encode(partition.name)}={encode(text or value)}"
            if name != new_name and text != HIVE_NULL:
                yield path, new_name
