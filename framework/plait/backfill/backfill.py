"""A backfill of a pipeline: its plan, which is made once, and what it would take."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from plait import __version__
from plait.aws_lambda.marker import state_folder
from plait.backfill.batches import MOST_OBJECTS, in_batches, size_of
from plait.backfill.local import BatchSpec, run_batches
from plait.backfill.state import State, identify
from plait.backfill.step_functions import run_on_step_functions
from plait.backfill.summary import sum_up
from plait.engine.context import Services, utc_now
from plait.engine.quarantine import folder_of
from plait.pipeline.nearby import find, no_objects
from plait.plugin import GiveUp, Item, Window
from plait.problems.problem import Problem
from plait.values.paths import normal_uri, on_s3

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
    from datetime import datetime

    from plait.backfill.rounds import BatchOutcome
    from plait.backfill.state import BackfillPlan
    from plait.engine.report import Report
    from plait.language.spec import Source
    from plait.pipeline.pipeline import Pipeline


class Backfill:
    """A pipeline over its driving objects of a window, or over `items`, whose `name` then tells one list from another.

    The state lies below the folder `states`, without it beside the sink; raises GiveUp if it cannot.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        window: Window,
        items: Iterable[Item] | None = None,
        name: str | None = None,
        states: str | None = None,
    ) -> None:
        pipeline.require_columns()
        self.pipeline, self.spec, self.window = pipeline, pipeline.spec, window
        self._items = items
        since, until = (time.isoformat() if time else None for time in (window.since, window.until))
        self._named = {"since": since, "until": until, "objects": name}
        states = states or state_folder(self.spec)
        if not states:
            message = "the sink has no folder beside which the state of a backfill could lie"
            raise GiveUp(message, code="no-state", help="name a folder for it by `--state`")
        folders = [
            *self.spec.sink.folders.values(),
            *([folder_of(self.spec)] if self.spec.quarantine else ()),
        ]
        for folder in folders:
            if f"{states.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/"):
                message = f"the folder `{states[:200]}` lies in `{folder[:200]}`, whose readers would read the state too"
                raise GiveUp(message, code="no-state", help="name a folder beside it by `--state`")
        id = identify(self.spec, self._named)
        folder = states.rstrip("/").removesuffix(f"/{id}")  # which the command prints with it
        self.state = State(f"{folder}/{id}", Services().objects)

    def items(self) -> Iterator[Item]:
        """List the driving objects; a list of others may name some again."""
        if self._items is None:
            return find(self.pipeline.engine(), self.window)
        return filter(self._is_within, self._items)

    def _is_within(self, item: Item) -> bool:
        if item.modified is None and self.window != Window():
            message = f"the list does not say when `{item.uri[:200]}` was modified, so no window can take a part of it"
            help = "let the inventory have `LastModifiedDate`, or take the whole list"
            raise GiveUp(message, code="wrong-manifest", help=help)
        return self.window.contains(item.modified)

    def plan(self, size: int = MOST_OBJECTS, *, anyway: bool = False) -> BackfillPlan:
        """The plan that stands, else a new one with batches of at most `size` objects.

        Raises GiveUp if another version of plait made the plan, unless `anyway`.
        """
        plan = self.state.find_plan()
        if plan is None:
            return self.state.make_plan(self.spec, self.items(), size, self._named, utc_now())
        if plan.version != __version__ and not anyway:
            message = f"version {plan.version} of plait began this backfill, and this is {__version__}: rows may differ"
            help = "go on by `--resume-anyway`, or begin anew with another `--state`"
            raise GiveUp(message, code="other-version", help=help)
        return plan

    def left(self, size: int = MOST_OBJECTS) -> list[tuple[int, int]]:
        """The objects and bytes of each batch that is not done, or of all that a plan would have where none stands."""
        if plan := self.state.find_plan():
            return [plan.sizes[number - 1] for number in self.state.open_numbers()]
        return [*map(size_of, in_batches(self.items(), size))]

    def require_kept(self, allowed: Collection[str] = ()) -> None:
        """Raise GiveUp if a look-up does not keep what belongs to the oldest object, unless its name is `allowed` or nothing is left."""
        oldest = self.state.plan().oldest or self.window.since
        for source in self.spec.lookups if self.state.open_numbers() else ():
            kept = None if source.name in allowed else self._kept_since(source)
            if kept and (oldest is None or oldest < kept):
                message = f"`{source.name}` keeps what it has from {kept:%Y-%m-%d} on, and "
                help = f"go on without by `--allow-missing {source.name}`"
                if oldest:
                    message += f"the history begins at {oldest:%Y-%m-%d}"
                    help = f"begin by `--since {kept:%Y-%m-%d}`, or {help}"
                else:
                    message += "the list does not say when its objects are from"
                raise GiveUp(message, code="not-kept", help=help)

    def _kept_since(self, source: Source) -> datetime | None:
        services = Services()
        with services.on_behalf_of(source.name):
            role = source.open_lookup(services.context(source.name, source.fields))
            kept: datetime | None = role.kept_since()
        return kept

    def run(self, workers: int = 1, rates: Mapping[str, float] | None = None) -> Generator[BatchOutcome]:
        """Run the batches that are not done, and yield what becomes of each; `rates` are calls a second by service."""
        batches = BatchSpec(
            file=self.spec.file,
            text=self.pipeline.text,
            parameters=dict(self.spec.parameters),
            state=self.state.uri,
            rates=rates or {},
        )
        return run_batches(batches, self.state.open_numbers(), workers)

    def run_on_step_functions(self, machine: str, at_once: int) -> Generator[BatchOutcome]:
        """The same by the function of the pipeline's stack, so many at once; `machine` is the ARN of its state machine."""
        self.require_state_of_function()
        return run_on_step_functions(self.state, Services(), machine, at_once)

    def require_state_of_function(self) -> None:
        """Raise GiveUp where the state does not lie beside the sink, where alone the function may put markers."""
        if not self.state.uri.startswith(f"{state_folder(self.spec)}/") or not on_s3(self.state.uri):
            message = "the function puts markers beside its sink on S3 alone"
            help = "let the sink lie on S3, and leave out `--state`"
            raise GiveUp(message, code="no-state", help=help)

    def no_objects(self) -> Problem:
        """What tells that no object was listed."""
        if self._items is None:
            return no_objects(self.pipeline.engine(), self.window)
        message = f"the list has no object of `{self.spec.driver.name}`{' and of the time' if self.window != Window() else ''}"
        return Problem(code="no-objects", message=message, file=self.spec.file, level="warning")

    def report(self) -> Report:
        """The sum of what the batches did, in this run and in those before."""
        report = sum_up(self.state)
        if not self.state.plan().objects:
            report.put_first([self.no_objects()])
        return report


def items_of(uris: Iterable[str]) -> Iterator[Item]:
    """Items of these URIs, each once; what the memory is not to hold of them is in a temporary file."""
    with closing(sqlite3.connect("")) as database:
        database.executescript("PRAGMA journal_mode = OFF; CREATE TABLE uri (uri BLOB PRIMARY KEY)")
        for uri in map(normal_uri, uris):
            key = uri.encode("utf-8", "surrogatepass")
            if database.execute("INSERT OR IGNORE INTO uri VALUES (?)", [key]).rowcount:
                yield Item(uri=uri)
