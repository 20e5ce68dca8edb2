"""What the keys of a join, and those of the function, mean together."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from plait.language.checks.registry import check
from plait.language.checks.subject import is_list, path_of
from plait.language.finding import Finding
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.checks.subject import Subject

# The limits of Lambda and of its event source mapping.
SHORTEST = {"timeout": timedelta(seconds=1), "window": timedelta(0)}
LONGEST = {"timeout": timedelta(minutes=15), "window": timedelta(minutes=5)}


@check("idle-duplicates")
def idle_duplicates(subject: Subject) -> Iterator[Finding]:
    """`as: list` and `as: rows` take all matches, so `duplicates` has nothing to choose."""
    for source in subject.spec.lookups:
        path = (*path_of(source), "join", "duplicates")
        if source.join and source.join.shape != "columns" and subject.writes(path):
            shape = source.join.shape
            message = f"`as: {shape}` takes all matches, so there is nothing for `duplicates` to choose"
            yield Finding(path, message, "remove `duplicates` or `as`", at="key")


@check("no-order")
def no_order(subject: Subject) -> Iterator[Finding]:
    """`first` is for sources with an order, `latest` for sources in time."""
    for source in subject.spec.lookups:
        if source.join is None or source.join.shape != "columns":
            continue
        word, order = source.join.duplicates, source.open_lookup().order
        if (word == "first" and order == "none") or (word == "latest" and order != "time"):
            lacking = "order, so none is the first" if word == "first" else "time, so none is the latest"
            help = "write `first` or `fail`" if word == "latest" and order == "position" else "write `fail`"
            message = f"records of `{source.connector.name}` have no {lacking}"
            yield Finding((*path_of(source), "join", "duplicates"), message, help)


@check("required-keep", level="warning")
def required_keep(subject: Subject) -> Iterator[Finding]:
    """A *warning*: `missing: keep` keeps a row without a match, and a required column then refuses it."""
    for source in subject.spec.lookups:
        path = (*path_of(source), "join", "missing")
        name = next((column.name for column in source.columns or () if column.required), None)
        is_kept = source.join and source.join.missing == "keep" and subject.writes(path)
        if name is not None and is_kept and not is_list(source):
            message = (
                f"`keep` keeps a row without a match, and the required column {excerpt(name)} refuses it"
            )
            help = "write `missing: fail`, or leave `required` out"
            note = f"required at line {subject.line((*path_of(source), 'columns', name))}"
            yield Finding(path, message, help, note)


@check("wrong-value")
def outside_limits(subject: Subject) -> Iterator[Finding]:
    """A value of the right kind that does not fit: too small, too long, out of a limit of AWS."""
    for name, longest in LONGEST.items():
        if not SHORTEST[name] <= getattr(subject.spec.deploy, name) <= longest:
            message = f"`{name}` is from {SHORTEST[name].seconds}s to {longest.seconds // 60}m"
            yield Finding(("deploy", name), message, "write a length within Lambda's limits")
