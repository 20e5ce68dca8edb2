"""The report keeps the first problems, however many there are, and its counts are the metrics of an invocation.

The metrics are in the format that CloudWatch reads from logs.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.specs import valid
from plait.aws_lambda.logs import DIMENSION, LOOKUP_DIMENSION, NAMESPACE, lookup_metrics, metrics
from plait.deploy.alarms import FRUITLESS
from plait.deploy.stack import read_stack, stack_text
from plait.engine.counts import LookupCounts
from plait.engine.report import MAX_KEPT, FileEntry, RecordCounts, Report
from plait.problems.problem import Problem

if TYPE_CHECKING:
    from plait.engine.report import Outcome

SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: "s3://in/orders/*.json", columns: {id: string}}
  people: {connector: memory, rows: [{id: a, name: Ana}], columns: {name: string}, join: {on: id}}
sink: {connector: parquet, path: "s3://out/orders/"}
quarantine: s3://out/bad/
"""
outcomes: st.SearchStrategy[dict[str, Outcome]] = st.dictionaries(
    st.text(max_size=3), st.sampled_from(["done", "skipped", "gone", "retry", "failed"])
)
counts = st.integers(0, 1 << 40)


class Unwalked(list[Problem]):
    """A list that is only added to."""

    def __iter__(self) -> Any:
        raise AssertionError("walked through")


@pytest.mark.parametrize("level", ["error", "warning"])
def test_a_problem_is_kept_without_a_look_at_the_others(level: Literal["error", "warning"]) -> None:
    """So a run of a million bad records takes no longer for the last than for the first."""
    report = Report(pipeline="p", spec_digest="d", problems=Unwalked())
    other: Literal["error", "warning"] = "warning" if level == "error" else "error"
    for number in range(MAX_KEPT + 5):
        report.add_problem(Problem(code="c", message=str(number), file="f", level=level))
    report.add_problem(Problem(code="c", message="other", file="f", level=other))
    messages = [report.problems[n].message for n in range(len(report.problems))]
    assert messages == [*map(str, range(MAX_KEPT)), "other"]


FATES = ("RecordsRead", "RecordsWritten", "RecordsDropped", "RecordsQuarantined", "RecordsLeftOut")


@given(outcomes=outcomes, numbers=st.tuples(*[counts] * 5), rows=counts, files=st.integers(0, 3))
def test_every_count_of_the_report_is_a_metric_of_its_pipeline(
    outcomes: dict[str, Outcome], numbers: tuple[int, ...], rows: int, files: int
) -> None:
    """One line, in which each metric that is announced has its value beside it and nothing else is announced."""
    report = Report(pipeline="or\nders", spec_digest="", rows=rows)
    report.add_outcomes(outcomes)
    report.records = RecordCounts(
        **dict(zip(("read", "written", "dropped", "quarantined", "left_out"), numbers, strict=True))
    )
    for _ in range(files):
        report.add_file(FileEntry(uri="s3://out/a", rows=0, bytes=1, partition=""))
    problem = Problem(code="absent-column", message="m", level="warning")
    report.put_first([problem, problem])
    line = json.loads(json.dumps(metrics(report, 1.5, 1_800_000_000.25)))
    values = _read(line)
    seen = report.objects
    assert values.pop("Seconds") == (1.5, "Seconds")
    assert {unit for _, unit in values.values()} == {"Count"}
    assert {name: value for name, (value, _) in values.items()} == {
        **{f"Objects{word.title()}": seen[word] for word in seen if word != "seen"},
        **dict(zip(FATES, numbers, strict=True)),
        "Rows": rows,
        "Files": files,
        "AbsentColumns": 2,
    }
    assert line[DIMENSION] == "or\nders"
    assert line["_aws"]["Timestamp"] == 1_800_000_000_250


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.tuples(counts, counts, counts, counts)))
def test_each_look_up_that_was_asked_has_metrics_of_its_own(
    numbers: dict[str, tuple[int, int, int, int]],
) -> None:
    report = Report(pipeline="p", spec_digest="")
    for name, (keys, matched, lines, unread) in numbers.items():
        report.lookups[name] = LookupCounts(keys=keys, keys_matched=matched, lines=lines, unread=unread)
    metrics_of = {line[LOOKUP_DIMENSION]: _read(line) for line in lookup_metrics(report, 0)}
    names = ("KeysAsked", "KeysMatched", "LinesRead", "LinesUnread")
    assert metrics_of == {
        name: dict(zip(names, ((number, "Count") for number in of_lookup), strict=True))
        for name, of_lookup in numbers.items()
        if of_lookup[0]
    }


def _read(line: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """The metrics as CloudWatch takes them: by the directive, values from the top level."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    dimensions = [name for name in (DIMENSION, LOOKUP_DIMENSION) if name in line]
    assert directive["Dimensions"] == [dimensions]
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert set(line) == {"_aws", *dimensions, *names}
    return {metric["Name"]: (line[metric["Name"]], metric["Unit"]) for metric in directive["Metrics"]}


def test_what_the_template_alarms_on_is_a_metric_that_a_function_gives() -> None:
    spec = valid(SPEC)
    resources = read_stack(stack_text(spec, lambda _: None))["Resources"].values()
    properties = [resource["Properties"] for resource in resources]
    sums = [part["MetricStat"]["Metric"] for alarm in properties for part in alarm.get("Metrics", [])[1:]]
    alarms_on_metrics = [alarm for alarm in (*properties, *sums) if alarm.get("Namespace") == NAMESPACE]
    report = Report(pipeline=spec.name, spec_digest="")
    report.lookups = {lookup.name: LookupCounts(keys=1) for lookup in spec.lookups}
    lines = [metrics(report, 0, 0), *lookup_metrics(report, 0)]
    given = {
        (name, *(line[dimension] for dimension in line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]))
        for line in lines
        for name in _read(line)
    }
    asked_for = {
        (alarm["MetricName"], *(dimension["Value"] for dimension in alarm["Dimensions"]))
        for alarm in alarms_on_metrics
    }
    assert {name for name, *_ in asked_for} >= {
        "RecordsQuarantined",
        "AbsentColumns",
        "KeysAsked",
        "LinesUnread",
    }
    assert asked_for <= given


@pytest.mark.parametrize(
    ("asked", "matched", "lines", "unread", "fires"),
    [
        (20, 0, 0, 0, True),
        (19, 0, 0, 0, False),
        (500, 1, 0, 0, False),
        (3, 0, 20, 20, True),
        (3, 0, 20, 19, False),
        (3, 3, 19, 19, False),
        (0, 0, 0, 0, False),
    ],
)
def test_the_alarm_of_a_look_up_fires_for_many_keys_without_a_match_or_lines_without_a_record(
    asked: int, matched: int, lines: int, unread: int, fires: bool
) -> None:
    """The expression means in Python what it means to CloudWatch, but for the case of its words."""
    sums = {"asked": asked, "matched": matched, "lines": lines, "unread": unread}
    expression = FRUITLESS.replace("IF(", "choose(").replace(" AND ", " and ").replace(" OR ", " or ")
    value = eval(expression, {"choose": lambda is_so, yes, no: yes if is_so else no, **sums})
    assert value == int(fires)
