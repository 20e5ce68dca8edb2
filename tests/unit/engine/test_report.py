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
from plait.aws_lambda.logs import DIMENSION, NAMESPACE, metrics
from plait.deploy.stack import read_stack, stack_text
from plait.engine.report import MAX_KEPT, FileEntry, RecordCounts, Report
from plait.problems.problem import Problem

if TYPE_CHECKING:
    from plait.engine.report import Outcome

SPEC = """\
plait: 1
name: orders
sources:
  orders: {connector: json, path: "s3://in/orders/*.json", columns: {id: string}}
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
    }
    assert line[DIMENSION] == "or\nders"
    assert line["_aws"]["Timestamp"] == 1_800_000_000_250


def _read(line: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """The metrics as CloudWatch takes them: by the directive, values from the top level."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == NAMESPACE
    assert directive["Dimensions"] == [[DIMENSION]]
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert set(line) == {"_aws", DIMENSION, *names}
    return {metric["Name"]: (line[metric["Name"]], metric["Unit"]) for metric in directive["Metrics"]}


def test_what_the_template_alarms_on_is_a_metric_that_a_function_gives() -> None:
    spec = valid(SPEC)
    resources = read_stack(stack_text(spec, lambda _: None))["Resources"].values()
    properties = [resource["Properties"] for resource in resources]
    alarms_on_metrics = [alarm for alarm in properties if alarm.get("Namespace") == NAMESPACE]
    report = Report(pipeline=spec.name, spec_digest="")
    line = metrics(report, 0, 0)
    assert alarms_on_metrics
    for alarm in alarms_on_metrics:
        assert alarm["MetricName"] in _read(line)
        assert alarm["Dimensions"] == [{"Name": DIMENSION, "Value": line[DIMENSION]}]
