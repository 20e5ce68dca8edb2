"""Tell what is never there: a column that no record has, a look-up that matches no key, a pattern that fits no line."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from plait.engine.counts import ColumnCounts, LookupCounts, SourceCounts, Tally
from plait.plugin import PlaitError, Record
from plait.problems.problem import Problem, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from plait.engine.engine import Engine
    from plait.language.spec import Column, Source
    from plait.plugin import Key

    Nearest = Callable[[str, Iterable[str]], str | None]

CODES = ("absent-column", "nothing-matches", "no-line-fits")
FEWEST = 20  # of fewer records, keys or lines nothing is concluded


class Unjudged(Tally):
    """The counts that are too few yet to tell what is never there, from one run of an engine to the next."""

    def finish(self, engine: Engine) -> None:
        """Put into the report of an engine what is never there, and a count for each column."""
        report, spec = engine.report, engine.spec
        for source in (spec.driver, *spec.lookups):
            columns = report.sources.setdefault(source.name, SourceCounts()).columns
            for column in source.columns or ():
                columns.setdefault(column.name, ColumnCounts())
        never_there = [*self._judge(engine)]
        report.put_first(problem for _, problem in never_there)
        for name, problem in never_there:
            if problem.code == "no-line-fits":
                report.samples[problem] = engine.services.unread_lines.get(name, "")

    def _judge(self, engine: Engine) -> Iterator[tuple[str, Problem]]:
        """Yield each warning with the name of its source; what there was enough of begins anew."""
        spec, report = engine.spec, engine.report
        if engine.nearest and report.left_out >= FEWEST and not report.sources[spec.driver.name].records:
            yield spec.driver.name, _nothing_taken(spec.driver, report.left_out)
        for source in (spec.driver, *spec.lookups):
            counts = self.sources.get(source.name, SourceCounts())
            if counts.records >= FEWEST:
                del self.sources[source.name]
                for column in source.columns or ():
                    if column.name in counts.columns and counts.columns[column.name].absent == counts.records:
                        yield source.name, _absent(column, source, counts, engine)
        for source in spec.lookups:
            lookup_counts = self.lookups.get(source.name, LookupCounts())
            if max(lookup_counts.keys, lookup_counts.lines) >= FEWEST:
                del self.lookups[source.name]
                if warning := _fruitless(source, lookup_counts):
                    yield source.name, warning


def is_never_there(problem: Problem, counts: Tally) -> bool:
    """Whether the counts of all batches bear out what a problem says of one of them."""
    name, _, column = (problem.cell or "").partition(".")
    source, lookup = counts.sources.get(name, SourceCounts()), counts.lookups.get(name)
    if column:
        return source.columns[column].absent == source.records
    if problem.code == "no-line-fits":
        return lookup is not None and lookup.unread == lookup.lines
    return not (lookup.keys_matched if lookup else source.records)


def meant(column: Column, names: set[str], nearest: Nearest) -> str | None:
    """The name among those beside a column's place that was most likely meant."""
    steps = [step for step in column.selector if isinstance(step, str) and step not in names]
    return next(filter(None, (nearest(step, names) for step in reversed(steps))), None)


def _absent(column: Column, source: Source, counts: SourceCounts, engine: Engine) -> Problem:
    near = None
    if engine.nearest:
        names = counts.names.get(column.name, set())
        if counts.key and names <= set(source.fields or ()):
            names |= _fields_of(source, counts.key, engine)
        near = meant(column, names, engine.nearest)
    message = f"column `{column.name}`: none of {counts.records:,} records of `{source.name}` has {excerpt(column.origin)}"
    help = (
        f"did you mean {excerpt(near)}?"
        if near
        else "take the column out, or say by `from` where its value is"
    )
    return _warning("absent-column", message, help, f"{source.name}.{column.name}")


def _fields_of(source: Source, key: Key, engine: Engine) -> set[str]:
    """All fields of the records of a key, where a connector of plait may have left out those that the spec does not name."""
    fields = set[str]()
    lookup = engine.lookups.open(source)
    if type(lookup) is source.connector.lookup and not lookup.offline:  # those of cases have a stand-in
        with suppress(PlaitError), engine.services.on_behalf_of(source.name):
            for record in source.open_lookup(engine.services.context(source.name, None)).fetch([key]):
                fields.update(map(str, record.fields if isinstance(record, Record) else ()))
    return fields


def _nothing_taken(source: Source, left_out: int) -> Problem:
    """The warning of a run that takes no record; a function may well see many objects without one."""
    message = f"`only` takes none of {left_out:,} records of `{source.name}`"
    help = "look at its places and values: case counts, and a text is no number"
    return _warning("nothing-matches", message, help, source.name)


def _fruitless(source: Source, counts: LookupCounts) -> Problem | None:
    """Why a look-up gives nothing, if that is so."""
    if counts.lines >= FEWEST and counts.unread == counts.lines:
        message = f"none of {counts.lines:,} lines of `{source.name}` is a record"
        help = "write `pattern`, `regex` or `format` as a line of the log is"
        return _warning("no-line-fits", message, help, source.name)
    if counts.keys < FEWEST or counts.keys_matched:
        return None
    message = f"`{source.name}` has none of {counts.keys:,} keys that were asked"
    pairs = source.join.pairs_text if source.join else ""
    help = (
        f"compare the values on both sides of `on: {pairs}`" if pairs else "look whether its files are there"
    )
    if counts.keys_inexact:
        help = f"{counts.keys_inexact:,} of them are there in another spelling: `plait preview -v` shows some"
    return _warning("nothing-matches", message, help, source.name)


def _warning(code: str, message: str, help: str, cell: str) -> Problem:
    return Problem(code=code, message=message, help=help, level="warning", cell=cell)
