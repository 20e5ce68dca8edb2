"""A spec that waits for late records is refused where nothing would ever come again."""

from __future__ import annotations

import pytest

from plait.language.validate import validate

SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: in/*.json, columns: {id: string}}
  items:
    connector: csv
    path: items/{id}.csv
    columns: {sku: string}
    join: {on: id, as: list, missing: {retry_for: 10m}}
sink: {connector: parquet, path: out/}
deploy: {trigger: queue}
"""
ROWS = "connector: memory, rows: [{id: a1}]"


@pytest.mark.parametrize("deploy", ["deploy: {trigger: queue}\n", "deploy: {timeout: 1m}\n", ""])
@pytest.mark.parametrize("time", ["1s", "10m", "13d"])
def test_with_a_queue_and_an_age_a_spec_may_wait(deploy: str, time: str) -> None:
    """A queue is the default, and it keeps messages long enough for thirteen days."""
    text = SPEC.replace("deploy: {trigger: queue}\n", deploy).replace("10m", time)
    assert validate(text, "x.yaml").problems == ()


@pytest.mark.fault("L1")
@pytest.mark.parametrize(
    ("old", "new", "code", "underlined"),
    [
        ("trigger: queue", "trigger: direct", "no-queue", "retry_for"),
        ("connector: json, path: in/*.json", ROWS, "no-age", "retry_for"),
        ("10m", "13d", None, None),
        ("10m", "14d", "too-long", "14d"),
        ("{retry_for: 10m}", "keep", None, None),
    ],
)
def test_a_wait_that_cannot_work_is_a_problem(
    old: str, new: str, code: str | None, underlined: str | None
) -> None:
    """Without a queue, without an age or for longer than a queue keeps messages, `retry_for` is a problem."""
    text = SPEC.replace(old, new)
    lines = text.splitlines()
    marked = [
        (p.code, lines[p.span.line - 1][p.span.column - 1 : p.span.end_column - 1])
        for p in validate(text, "x.yaml").problems
        if p.span
    ]
    assert marked == ([(code, underlined)] if code else [])


def test_the_other_place_is_named() -> None:
    """Where a trigger forbids the wait, the problem tells the line of the trigger."""
    [problem] = validate(SPEC.replace("trigger: queue", "trigger: direct"), "x.yaml").problems
    assert problem.note == "`trigger` is given at line 11"
