"""One source drives, and the others are joined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.build import known_fields
from plait.language.checks.registry import check
from plait.language.checks.subject import path_of
from plait.language.finding import Finding
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject
    from plait.language.spec import Source


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
            message = f"{excerpt(source.name)} has no `join`, so it would drive beside {excerpt(driver.name)}"
            note = f"{excerpt(driver.name)} drives at line {subject.line(path_of(driver))}"
            help = f"add `join: {{on: {_shared_column(driver, source)}}}`"
            yield Finding(path_of(source), message, help, note, at="key")


def _shared_column(driver: Source, source: Source) -> str:
    """A column of the driver that the source seems to have a field for, else `…`."""
    fields = known_fields(source) or source.output_columns
    return next((name for name in driver.output_columns if name in fields), "…")


@check("not-for-a-driver")
def not_for_a_driver(subject: Subject) -> Iterator[Finding]:
    """`window` and `cache` are for look-ups."""
    helps = {"window": "remove it: `--since` and `--until` choose objects by time", "cache": "remove it"}
    for key, help in helps.items():
        if key in subject.block(subject.spec.driver):
            yield Finding((*path_of(subject.spec.driver), key), f"a driver takes no `{key}`", help, at="key")


@check("missing-window")
def missing_window(subject: Subject) -> Iterator[Finding]:
    """A log group is read within a window around a timestamp of the row."""
    columns = subject.spec.driver.columns or ()
    time = next(
        (column.name for column in columns if column.type.word == "timestamp"), "a_timestamp_of_the_row"
    )
    for source in subject.spec.lookups:
        if source.open_lookup().needs_window and source.window is None:
            message = f"`{source.connector.name}` needs a `window` to read within"
            help = f"add `window: {{around: {time}, before: 1h, after: 1h}}`"
            yield Finding(path_of(source), message, help, at="key")
