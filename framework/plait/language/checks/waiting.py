"""What a spec that waits for late records needs: a queue that delivers again, and an age to count from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.checks.registry import check
from plait.language.checks.subject import path_of
from plait.language.finding import Finding
from plait.language.spec import LONGEST_WAIT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from plait.language.checks.subject import Subject
    from plait.language.source_map import KeyPath


def _waits(subject: Subject) -> Iterator[tuple[KeyPath, timedelta]]:
    """Each `retry_for`, with its place."""
    for source in subject.spec.lookups:
        if source.join and source.join.retry_for is not None:
            yield (*path_of(source), "join", "missing", "retry_for"), source.join.retry_for


@check("no-queue")
def no_queue(subject: Subject) -> Iterator[Finding]:
    """`{retry_for}` waits by the next delivery of a queue."""
    if subject.spec.deploy.trigger == "direct":
        for path, _ in _waits(subject):
            message = "`retry_for` waits by the queue's next delivery, and `trigger: direct` has no queue"
            note = f"`trigger` is given at line {subject.line(('deploy', 'trigger'))}"
            yield Finding(path, message, "write `trigger: queue`, or `missing: keep`", note, at="key")


@check("no-age")
def no_age(subject: Subject) -> Iterator[Finding]:
    """`{retry_for}` counts from the age of the driving object, and rows of the spec have none."""
    driver = subject.spec.driver
    if not driver.open_driver().dated:
        for path, _ in _waits(subject):
            message = (
                f"objects of `{driver.connector.name}` have no age, so nothing can wait until they are old"
            )
            yield Finding(path, message, "use `missing: keep`", at="key")


@check("too-long")
def too_long(subject: Subject) -> Iterator[Finding]:
    """A queue keeps a message for two weeks, so no record can be waited for longer than 13 days."""
    for path, retry_for in _waits(subject):
        if retry_for > LONGEST_WAIT:
            message = f"no queue keeps a message for longer than {LONGEST_WAIT.days} days"
            yield Finding(path, message, f"wait for at most `{LONGEST_WAIT.days}d`")
