"""Run the objects of records in quarantine again, as they are now, and remove the records that succeed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Literal

from plait.engine import quarantine
from plait.engine.settle import Outcomes
from plait.plugin import GiveUp, Item, ObjectChanged, PlaitError, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from plait.engine.engine import Engine
    from plait.engine.quarantine import QuarantinedRecord
    from plait.engine.report import Report

BATCH_SIZE = 1_000  # driving objects that are run together
FORMAT_VERSION = 1
Fate = Literal["removed", "bad", "gone", "skipped", "retry", "failed", "left"]
FATES: tuple[Fate, ...] = ("removed", "bad", "gone", "skipped", "retry", "failed", "left")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which objects to run again: those with a record of one of these codes, modified within the window."""

    codes: Sequence[str] = ()
    window: Window = field(default_factory=Window)

    def takes(self, record: QuarantinedRecord) -> bool:
        """Whether a record's object is run again; a record of unknown time is in every window."""
        codes = {fault.code for fault in record.faults}
        return self.window.contains(record.modified) and (not self.codes or not codes.isdisjoint(self.codes))


@dataclass(slots=True, kw_only=True)
class ReplayReport:
    """What became of the records in quarantine, and the report of the run.

    Records found = removed (now a row, dropped, or given up as gone) + bad (still, with the reason of now) + gone (so
    is their object) + skipped (the pipeline does not read their object) + retry + failed + left (not chosen).
    `foreign` counts files that are no record of this pipeline. After a dry run, `removed` is what would be.
    """

    run: Report
    dry_run: bool
    records: Counter[Fate] = field(default_factory=Counter)
    found: int = 0
    foreign: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing failed and nothing must come again."""
        return self.run.ok and not self.records["failed"]

    def check(self) -> None:
        """Raise where the numbers do not add up."""
        if self.found != self.records.total():
            raise AssertionError(f"records do not add up: {self.found} found, {dict(self.records)}")

    def as_json(self) -> dict[str, Any]:
        """All of it as one JSON document."""
        return {
            "format_version": FORMAT_VERSION,
            "pipeline": self.run.pipeline,
            "spec_digest": self.run.spec_digest,
            "dry_run": self.dry_run,
            "records": {"found": self.found, **{fate: self.records[fate] for fate in FATES}},
            "foreign": self.foreign,
            "run": self.run.as_json(),
        }


def replay(
    engine: Engine,
    choice: Choice,
    *,
    dry_run: bool = False,
    forget_gone: bool = False,
    progress: Callable[[int], None] = lambda _done: None,
) -> ReplayReport:
    """Run the objects of the records in quarantine again; raises GiveUp if the spec has none.

    A record is removed only after the rows of its object are known to be written, and only if it is still the
    record that was read before the run: one that another process has set aside meanwhile stays.
    """
    if engine.spec.quarantine is None:
        raise GiveUp(quarantine.NO_QUARANTINE, code="no-quarantine", help="add `quarantine` to the spec")
    work = _Replay(engine, choice, dry_run, forget_gone)
    objects = work.objects()
    while batch := list(islice(objects, BATCH_SIZE)):
        work.replay_batch(batch)
        progress(len(batch))
    work.result.check()
    return work.result


class _Replay:
    def __init__(self, engine: Engine, choice: Choice, dry_run: bool, forget_gone: bool) -> None:
        self.engine, self.choice, self.forget_gone = engine, choice, forget_gone
        self.store = engine.services.objects
        self.result = ReplayReport(run=engine.report, dry_run=dry_run)

    def objects(self) -> Iterator[list[Item]]:
        """The files in quarantine, those of one driving object together: their names begin alike."""
        folder = quarantine.folder_of(self.engine.spec)
        files = quarantine.find_files(self.store, self.engine.spec)
        for stem, items in groupby(files, lambda item: quarantine.object_stem(item.uri, folder)):
            if stem is None:
                for item in items:
                    self._count_foreign(item)
            else:
                yield [*items]

    def replay_batch(self, batch: Sequence[Sequence[Item]]) -> None:
        """Run the objects of these files again and remove what succeeded."""
        records = self._read([item for items in batch for item in items])
        uris = {record.object for record in records if self.choice.takes(record)}
        chosen = [record for record in records if record.object in uris]
        self._count("left", len(records) - len(chosen))
        if chosen:
            outcomes = self._run_objects(dict.fromkeys(record.object for record in chosen))
            self._settle(chosen, outcomes)

    def _read(self, items: Sequence[Item]) -> list[QuarantinedRecord]:
        records = []
        for item, record in quarantine.read_files(self.store, items, self.engine.spec):
            if record is None:
                self._count_foreign(item)
                continue
            self.result.found += 1
            if isinstance(record, PlaitError):
                self._count("failed", 1)
                Outcomes(self.engine.report).add_problem(record, item.uri, "error")
            else:
                records.append(record)
        return records

    def _run_objects(self, uris: Iterable[str]) -> Outcomes:
        items = [Item(uri=uri) for uri in uris]
        if self.result.dry_run:
            return self.engine.preview(items)[1]
        outcomes: list[Outcomes] = []
        self.engine.run(items, progress=outcomes.append)
        return outcomes[0]

    def _settle(self, chosen: Sequence[QuarantinedRecord], outcomes: Outcomes) -> None:
        succeeded: dict[str, list[Item]] = {}
        for record in chosen:
            fate = self._fate(record, outcomes)
            is_kept = self.result.dry_run or (
                outcomes.by_uri[record.object] == "done" and self._is_whole(record)
            )
            if fate == "removed" and not is_kept:
                succeeded.setdefault(record.item.uri, []).append(record.item)
            else:
                self._count(fate, 1)
        items = [same[0] for same in succeeded.values()]
        answers = self.store.remove(items) if items else []
        for item, answer in zip(items, answers, strict=True):
            self._count_removal(item, answer, len(succeeded[item.uri]))

    def _is_whole(self, record: QuarantinedRecord) -> bool:
        """Whether a run writes or removes the file of a record itself, as one that has all bad records of its object."""
        is_many = record.item.uri.endswith(".jsonl")
        return is_many and bool(self.engine.driver.position_word)

    def _fate(self, record: QuarantinedRecord, outcomes: Outcomes) -> Fate:
        """What became of a record; of an object with many, as many are still bad as the run set aside."""
        outcome = outcomes.by_uri[record.object]
        if outcome == "gone":
            return "removed" if self.forget_gone else "gone"
        if outcome != "done":
            return outcome
        if record.item.uri.endswith(".jsonl") != bool(self.engine.driver.position_word):
            return "removed"  # the run writes a file of another name for its object
        outcomes.quarantined[record.object] -= 1
        return "bad" if outcomes.quarantined[record.object] >= 0 else "removed"

    def _count_removal(self, item: Item, answer: PlaitError | None, records: int) -> None:
        if isinstance(answer, ObjectChanged):
            self._count("bad", records)
        elif answer is not None:
            self._count("failed", records)
            Outcomes(self.engine.report).add_problem(answer, item.uri, "error")
        else:
            self._count("removed", records)

    def _count(self, fate: Fate, records: int) -> None:
        self.result.records[fate] += records

    def _count_foreign(self, item: Item) -> None:
        self.result.foreign += 1
        message = f"not a record of the pipeline `{self.engine.spec.name}`, so it stays"
        Outcomes(self.engine.report).add_problem(GiveUp(message, code="foreign-file"), item.uri, "warning")
