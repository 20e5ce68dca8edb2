"""A spec in Python: plan, list, preview, run and replay it, as the command line does."""

from __future__ import annotations

import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any

from plait.language.validate import validate_for_run
from plait.plugin import Item, PlaitError, Window
from plait.problems.render import concise, full

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from plait.engine.engine import Engine
    from plait.engine.replay import ReplayReport
    from plait.engine.report import Report
    from plait.language.spec import Spec
    from plait.plan.plan import Plan
    from plait.problems.problem import Problem


class InvalidSpec(PlaitError):
    """A spec has problems: `problems` holds all of them, `text` the text of the file."""

    code = "invalid-spec"

    def __init__(self, file: str, problems: Sequence[Problem], text: str) -> None:
        super().__init__(full(problems, {file: text}, colour=False))
        self.file, self.problems, self.text = file, tuple(problems), text


class Pipeline:
    """A valid spec whose parameters have values; `warnings` are those of its problems that are no errors."""

    def __init__(self, spec: Spec, warnings: Sequence[Problem] = (), text: str = "") -> None:
        self.spec, self.warnings, self.text = spec, tuple(warnings), text

    @classmethod
    def load(cls, file: str, parameters: Mapping[str, str], text: bytes | None = None) -> Pipeline:
        """Validate a spec; the file is read unless its `text` is passed.

        Raises InvalidSpec if the spec has errors, OSError if the file cannot be read.
        """
        validated = validate_for_run(file, parameters, text)
        if validated.spec is None:
            raise InvalidSpec(file, validated.errors, validated.text)
        return cls(validated.spec, validated.problems, validated.text)

    def engine(self) -> Engine:
        """An engine for this spec, which opens the connectors."""
        from plait.engine.engine import Engine

        return Engine(self.spec)

    def plan(self) -> Plan:
        """Tell what a run will do; nothing is read."""
        from plait.plan.plan import plan

        return plan(self.spec)

    def list(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Item]:
        """List the driving objects that a run would take, modified from `since` to before `until`."""
        return self.engine().find(Window(since=since, until=until))

    def preview(self, objects: Iterable[str] | None = None, limit: int = 10) -> Any:
        """Read and join for real, but write nothing; returns a `pyarrow.Table` of at most `limit` objects' rows.

        For each problem that kept rows out, a Python warning is issued.
        """
        table, report = self.preview_with_report(objects, limit)
        for problem in report.problems:
            warnings.warn(concise([problem]), stacklevel=2)
        return table

    def preview_with_report(
        self, objects: Iterable[str] | None = None, limit: int = 10, engine: Engine | None = None
    ) -> tuple[Any, Report]:
        """Return the table of a preview, and the report of what was read for it, by a new engine or by this one."""
        engine = engine or self.engine()
        items = engine.find() if objects is None else (Item(uri=uri) for uri in objects)
        return engine.preview(list(islice(items, limit))), engine.report

    def run(
        self,
        objects: Iterable[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        progress: Callable[[int], None] = lambda _done: None,
        *,
        no_wait: bool = False,
    ) -> Report:
        """Run over the named objects, or over all modified from `since` to before `until`.

        With `no_wait`, objects that would wait for a late match are written without it. `progress` is called with the
        number of objects done.
        """
        engine = self.engine()
        items = engine.find(Window(since=since, until=until)) if objects is None else map(_item, objects)
        return engine.run(items, wait=not no_wait, progress=progress)

    def replay(
        self,
        codes: Sequence[str] = (),
        since: datetime | None = None,
        until: datetime | None = None,
        progress: Callable[[int], None] = lambda _done: None,
        *,
        dry_run: bool = False,
        forget_gone: bool = False,
    ) -> ReplayReport:
        """Run the objects of quarantined records again, and remove the records that now succeed.

        An object is chosen if it has a record of one of these `codes` (without `codes`, of any code) and was modified
        from `since` to before `until`, or nobody knows when. With `dry_run`, nothing is written or removed. With
        `forget_gone`, records whose object is gone are removed too. Raises GiveUp if the spec has no `quarantine`.
        """
        from plait.engine.replay import Choice, replay

        choice = Choice(codes=codes, window=Window(since=since, until=until))
        return replay(self.engine(), choice, dry_run=dry_run, forget_gone=forget_gone, progress=progress)


def _item(uri: str) -> Item:
    return Item(uri=uri)
