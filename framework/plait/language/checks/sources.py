"""One source drives, the others are joined, and what their keys and those of the function mean together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from plait.language.build import known_fields
from plait.language.checks.registry import check
from plait.language.checks.subject import is_list, path_of
from plait.language.finding import Finding
from plait.language.spec import LONGEST_WAIT, options_of_type
from plait.plugin import DriverPath, LookupPath
from plait.problems.problem import excerpt
from plait.values.places import overlap

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.source_map import KeyPath

# The limits of Lambda and of its event source mapping.
SHORTEST = {"timeout": timedelta(seconds=1), "window": timedelta(0)}
LONGEST = {"timeout": timedelta(minutes=15), "window": timedelta(minutes=5)}


@check("no-driver", of_roles=True)
def no_driver(subject: Subject) -> Iterator[Finding]:
    """One source drives: the one without a `join`, whose objects become rows."""
    if subject.spec.driver.join is not None:
        able = next((source.name for source in subject.sources if source.connector.driver), None)
        help = f"leave `join` out of {excerpt(able)}, if its objects become the rows" if able else None
        help = help or "give a source without `join`, whose objects become the rows"
        yield Finding(("sources",), "no source drives, as each one has a `join`", help, at="key")


@check("two-drivers", of_roles=True)
def two_drivers(subject: Subject) -> Iterator[Finding]:
    """Two sources have no `join`."""
    driver = subject.spec.driver
    for source in subject.spec.lookups:
        if source.join is None:
            fields = known_fields(source) or source.output_columns
            shared = next((name for name in driver.output_columns if name in fields), "…")
            message = f"{excerpt(source.name)} has no `join`, so it would drive beside {excerpt(driver.name)}"
            note = f"{excerpt(driver.name)} drives at line {subject.line(path_of(driver))}"
            help, word = f"add `join: {{on: {shared}}}`", source.connector.name
            if not source.connector.lookup:
                able = (
                    f"give {excerpt(driver.name)} a `join`"
                    if driver.connector.lookup
                    else "remove one source"
                )
                help = f"`{word}` can only drive: {able}, or use a connector that looks up"
            yield Finding(path_of(source), message, help, note, at="key")


@check("not-for-a-driver")
def not_for_a_driver(subject: Subject) -> Iterator[Finding]:
    """`window` and `cache` are for look-ups."""
    helps = {"window": "remove it: `since` and `until` of a run choose objects by time", "cache": "remove it"}
    for key, help in helps.items():
        path = (*path_of(subject.spec.driver), key)
        if subject.writes(path):
            yield Finding(path, f"a driver takes no `{key}`", help, at="key")


@check("not-for-a-lookup")
def not_for_a_lookup(subject: Subject) -> Iterator[Finding]:
    """`only` chooses driving records; a look-up is asked by keys."""
    for source in subject.spec.lookups:
        if source.only:
            message = "a look-up takes no `only`: its `join` chooses the records"
            yield Finding((*path_of(source), "only"), message, "remove it", at="key")


@check("decoded-place")
def decoded_place(subject: Subject) -> Iterator[Finding]:
    """`only` compares records as they come, before `decode`."""
    for place, _ in subject.spec.driver.only:
        decoded = (d.place for d in subject.spec.driver.decode if overlap(d.place.steps, place.steps))
        if first := next(decoded, None):
            message = f"`only` compares what comes before `decode`, and {excerpt(first.text)} is decoded"
            help = "name a place that is not decoded"
            yield Finding((*path_of(subject.spec.driver), "only", place.text), message, help, at="key")


@check("missing-quarantine", level="warning")
def missing_quarantine(subject: Subject) -> Iterator[Finding]:
    """Without `quarantine`, one bad record fails its object, and here an object has many."""
    driver = subject.spec.driver
    if subject.spec.quarantine is None and (word := driver.open_driver().position_word):
        message = f"one bad {word} makes its whole object fail, as there is no `quarantine`"
        yield Finding(path_of(driver), message, "add `quarantine`, a folder for bad records", at="key")


@check("missing-window")
def missing_window(subject: Subject) -> Iterator[Finding]:
    """A log group is read within a window around a timestamp of the row."""
    columns = subject.spec.driver.columns or ()
    times = [column.name for column in columns if column.type.word == "timestamp"]
    for source in subject.spec.lookups:
        if source.open_lookup().needs_window and source.window is None:
            message = f"`{source.connector.name}` needs a `window` to read within"
            around = times[0] if times else "a_timestamp_of_the_row"
            help = f"add `window: {{around: {around}, before: 1h, after: 1h}}`"
            yield Finding(path_of(source), message, help, at="key")


@check("idle-duplicates")
def idle_duplicates(subject: Subject) -> Iterator[Finding]:
    """`as: list` and `as: rows` take all matches, so `duplicates` has nothing to choose."""
    for source in subject.spec.lookups:
        path = (*path_of(source), "join", "duplicates")
        if source.join and source.join.shape != "columns" and subject.writes(path):
            shape = source.join.shape
            message = f"`as: {shape}` takes all matches, so there is nothing for `duplicates` to choose"
            yield Finding(path, message, "remove `duplicates` or `as`", at="key")


@check("idle-optional", level="warning")
def idle_optional(subject: Subject) -> Iterator[Finding]:
    """Only a document or a header must have a field that is taken, so elsewhere `optional` allows nothing more."""
    for source in subject.sources:
        paths = options_of_type(source.options, DriverPath) + options_of_type(source.options, LookupPath)
        if (
            source.optional
            and source.columns is not None
            and not (paths and replace(source, optional=False).body_fields)
        ):
            message = (
                f"records of `{source.connector.name}` may lack all fields, so `optional` allows nothing more"
            )
            if paths:
                message = "no column takes a field of the body, so `optional` allows nothing more"
            yield Finding((*path_of(source), "optional"), message, "remove it", at="key")


@check("no-order")
def no_order(subject: Subject) -> Iterator[Finding]:
    """`first` is for sources with an order, `latest` for sources in time."""
    for source in subject.spec.lookups:
        word = source.join.duplicates if source.join and source.join.shape == "columns" else "fail"
        order = source.open_lookup().order
        if (word == "first" and order == "none") or (word == "latest" and order != "time"):
            lacking = "order, so none is the first" if word == "first" else "time, so none is the latest"
            help = "write `first` or `fail`" if word == "latest" and order == "position" else "write `fail`"
            message = f"records of `{source.connector.name}` have no {lacking}"
            yield Finding((*path_of(source), "join", "duplicates"), message, help)


@check("required-keep", level="warning")
def required_keep(subject: Subject) -> Iterator[Finding]:
    """`missing: keep` keeps a row without a match, and a required column then refuses it."""
    for source in subject.spec.lookups:
        path = (*path_of(source), "join", "missing")
        required = [column.name for column in source.columns or () if column.required]
        is_kept = source.join and source.join.missing == "keep" and subject.writes(path)
        if required and is_kept and not is_list(source):
            refused = f"the required column {excerpt(required[0])} refuses it"
            note = f"required at line {subject.line((*path_of(source), 'columns', required[0]))}"
            help = "write `missing: fail`, or leave `required` out"
            yield Finding(path, f"`keep` keeps a row without a match, and {refused}", help, note)


def _waits(subject: Subject) -> Iterator[tuple[KeyPath, timedelta]]:
    """Each `retry_for`, with its place."""
    for source in subject.spec.lookups:
        if source.join and source.join.retry_for is not None:
            yield (*path_of(source), "join", "missing", "retry_for"), source.join.retry_for


@check("no-queue")
def no_queue(subject: Subject) -> Iterator[Finding]:
    """`{retry_for}` waits by the next delivery of a queue."""
    for path, _ in _waits(subject) if subject.spec.deploy.trigger == "direct" else ():
        message = "`retry_for` waits by the queue's next delivery, and `trigger: direct` has no queue"
        note = f"`trigger` is given at line {subject.line(('deploy', 'trigger'))}"
        yield Finding(path, message, "write `trigger: queue`, or `missing: keep`", note, at="key")


@check("no-age")
def no_age(subject: Subject) -> Iterator[Finding]:
    """`{retry_for}` counts from the age of the driving object, and rows of the spec have none."""
    driver = subject.spec.driver
    for path, _ in () if driver.open_driver().dated else _waits(subject):
        message = f"objects of `{driver.connector.name}` have no age, so nothing can wait until they are old"
        yield Finding(path, message, "use `missing: keep`", at="key")


@check("too-long")
def too_long(subject: Subject) -> Iterator[Finding]:
    """A queue keeps a message for two weeks, so no record can be waited for longer than 13 days."""
    for path, retry_for in _waits(subject):
        if retry_for > LONGEST_WAIT:
            message = f"no queue keeps a message for longer than {LONGEST_WAIT.days} days"
            yield Finding(path, message, f"wait for at most `{LONGEST_WAIT.days}d`")


@check("wrong-value")
def outside_limits(subject: Subject) -> Iterator[Finding]:
    """A value of the right kind that does not fit: too small, too long, out of a limit of AWS."""
    for name, longest in LONGEST.items():
        if not SHORTEST[name] <= getattr(subject.spec.deploy, name) <= longest:
            message = f"`{name}` is from {SHORTEST[name].seconds}s to {longest.seconds // 60}m"
            yield Finding(("deploy", name), message, "write a length within Lambda's limits")
