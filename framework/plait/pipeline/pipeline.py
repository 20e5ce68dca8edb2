"""A spec in Python: plan, list, preview, explain, run and replay it, as the command line does."""

from __future__ import annotations

import warnings
from itertools import islice
from typing import TYPE_CHECKING

from msgspec import structs

from plait.language.validate import validate_for_run
from plait.pipeline.invalid_spec import InvalidSpec
from plait.pipeline.nearby import find, no_objects, nothing_quarantined
from plait.pipeline.preview import Preview
from plait.pipeline.readable import Readable
from plait.plan.plan import blocks
from plait.plugin import GiveUp, Item, PlaitError, Window
from plait.problems.display import Displayed
from plait.problems.problem import excerpt
from plait.problems.render import concise
from plait.problems.suggest import help_for, nearest
from plait.values.paths import normal_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from plait.engine.engine import Engine
    from plait.engine.quarantine import QuarantinedRecord
    from plait.engine.replay import ReplayReport
    from plait.engine.report import Report
    from plait.language.spec import Spec
    from plait.pipeline.missing import MissingObjects
    from plait.pipeline.why import Why
    from plait.plan.plan import Plan
    from plait.problems.display import Rows
    from plait.problems.problem import Problem


FILES_AT_ONCE = 1_000  # of the quarantine


class Pipeline(Displayed, Readable):
    """A valid spec whose parameters have values; `warnings` are those of its problems that are no errors.

    A spec that only lacks `columns` can be listed, guessed and previewed: `lacking` are its problems, told by all else.
    """

    def __init__(self, spec: Spec, problems: Sequence[Problem] = (), text: str = "") -> None:
        self.spec, self.text = spec, text
        self.warnings = tuple(problem for problem in problems if problem.level != "error")
        self.lacking = tuple(problem for problem in problems if problem.level == "error")

    @classmethod
    def load(
        cls, file: str, parameters: Mapping[str, str], text: bytes | None = None, env: Collection[str] = ()
    ) -> Pipeline:
        """Validate a spec, which may read the variables `env`; the file is read unless its `text` is passed.

        Raises InvalidSpec if the spec has errors other than `missing-columns`, OSError if the file cannot be read.
        """
        validated = validate_for_run(file, parameters, text, env)
        if validated.inferable is None:
            raise InvalidSpec(file, validated.errors, validated.text)
        return cls(validated.inferable, validated.problems, validated.text)

    def require_columns(self) -> None:
        """Raise InvalidSpec if a source has no `columns`."""
        if self.lacking:
            raise InvalidSpec(self.spec.file, self.lacking, self.text)

    def display(self) -> tuple[str, Rows, Rows]:
        """The sources and targets."""
        return self.spec.name, blocks(self.spec), []

    def engine(self) -> Engine:
        """An engine for this spec, which opens the connectors; what lacks columns is not parted into folders."""
        from plait.engine.engine import Engine

        engine = Engine(structs.replace(self.spec, partition_by=()) if self.lacking else self.spec)
        engine.nearest = nearest
        return engine

    def plan(self) -> Plan:
        """Tell what a run will do; nothing is read."""
        from plait.plan.plan import plan

        self.require_columns()
        return plan(self.spec)

    def list(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Item]:
        """List the driving objects that a run would take, modified from `since` to before `until`."""
        return find(self.engine(), Window(since=since, until=until))

    def missing(
        self, since: datetime | None = None, until: datetime | None = None, most_read: int = 1_000
    ) -> MissingObjects:
        """The URIs of the driving objects, modified from `since` to before `until`, that never arrived: `run` takes them.

        Of those without a file, so many are read at most, to leave out what rightly gives no row; nothing is written.
        """
        from plait.pipeline.missing import MissingObjects

        self.require_columns()
        return MissingObjects(self.engine(), Window(since=since, until=until), most_read)

    def guess(self, name: str | None = None) -> str:
        """The `columns` that fit the first records of all sources, or of one, as the block to paste into the spec."""
        from plait.engine.engine import Engine
        from plait.pipeline.guess import MOST_RECORDS, guess_columns
        from plait.pipeline.guess_block import block

        sources = {source.name: source for source in (self.spec.driver, *self.spec.lookups)}
        if name is not None and name not in sources:
            help = help_for(name, sources, "source", None)
            raise GiveUp(f"no source is called {excerpt(name)}", code="unknown-source", help=help)
        driver, *lookups = (
            structs.replace(source, columns=None) if name in (None, source.name) else source
            for source in sources.values()
        )
        spec = structs.replace(self.spec, driver=driver, lookups=tuple(lookups), partition_by=())
        engine = Engine(spec)
        return block(guess_columns(engine, [*islice(find(engine), MOST_RECORDS)], self.spec, name))

    def preview(self, objects: Iterable[str] | None = None, limit: int = 20) -> Preview:
        """Read and join for real, but write nothing; `table` of what it returns has the rows of at most `limit` objects and records.

        For each kind of problem that kept rows out, and for the columns that were guessed, a Python warning is issued.
        """
        from plait.pipeline.grouping import grouped

        preview = self.preview_with_report(objects, limit)
        for problem in grouped(preview.report.with_samples()):
            note = f"; {problem.note}" if problem.note else ""
            warnings.warn(f"{concise([problem])}{note}", stacklevel=2)
        if preview.guessed:
            warnings.warn(f"types are guessed; declare what fits:\n{preview.guessed}", stacklevel=2)
        return preview

    def preview_with_report(
        self, objects: Iterable[str] | None = None, limit: int = 20, engine: Engine | None = None
    ) -> Preview:
        """Preview by a new engine or by this one."""
        engine = engine or self.engine()
        objects_found = find(engine) if objects is None else map(_item, objects)
        items, guessed = [*islice(objects_found, limit)], ""
        if self.lacking:
            from plait.pipeline.guess import guess_columns
            from plait.pipeline.guess_block import block

            guessed = block(guess_columns(engine, items, self.spec))
        table = engine.preview(items, limit)[0]
        if objects is None and not items:
            engine.report.add_problem(no_objects(engine))
        return Preview(table, engine.report, guessed)

    def why(
        self, uri: str, column: str | None = None, position: str | None = None, engine: Engine | None = None
    ) -> Why:
        """Tell where each cell of an object's rows came from, and why it is null if it is; nothing is written.

        By a new engine or by this one, of all cells or of one column's, of all records or of the one at a position.
        """
        from plait.pipeline.why import why

        self.require_columns()
        return why(engine or self.engine(), uri, column, position)

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

        An object that is named twice is run once. With `no_wait`, objects that would wait for a late match are written without it. `progress` is called with the
        number of objects done.
        """
        self.require_columns()
        engine = self.engine()
        window = Window(since=since, until=until)
        named = None if objects is None else map(_item, dict.fromkeys(map(normal_uri, objects)))
        items = find(engine, window) if named is None else named
        report = engine.run(items, wait=not no_wait, progress=lambda outcomes: progress(len(outcomes.by_uri)))
        if objects is None and not report.counts.total():
            report.add_problem(no_objects(engine, window))
        return report

    def quarantined(
        self, object: str | None = None, *, with_raw: bool = False
    ) -> Iterator[QuarantinedRecord]:
        """Yield the records in quarantine, of one driving object or of all, with all of their faults.

        `with_raw` has each as it came, where `payload` kept it. A file that is no record of this pipeline is left out.
        Raises GiveUp if the spec has no `quarantine`, and if a file cannot be read.
        """
        from plait.engine.context import Services
        from plait.engine.quarantine import NO_QUARANTINE, find_files, read_files

        if self.spec.quarantine is None:
            raise GiveUp(NO_QUARANTINE, code="no-quarantine", help="add `quarantine` to the spec")
        store = Services().objects
        files = find_files(store, self.spec, object)
        while batch := [*islice(files, FILES_AT_ONCE)]:
            for _, record in read_files(store, batch, self.spec, with_raw=with_raw):
                if isinstance(record, PlaitError):
                    raise record
                if record is not None:
                    yield record

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

        self.require_columns()
        choice = Choice(codes=codes, window=Window(since=since, until=until))
        engine = self.engine()
        replayed = replay(engine, choice, dry_run=dry_run, forget_gone=forget_gone, progress=progress)
        if not replayed.found and not replayed.foreign:
            engine.report.add_problem(nothing_quarantined(engine))
        return replayed


def _item(uri: str) -> Item:
    return Item(uri=uri)
