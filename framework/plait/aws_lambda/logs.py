"""Format the function's log: each record is one JSON object on one line, and an error shows no value of a record.

The counts of a report are a line that CloudWatch reads as metrics.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from plait.engine.report import OUTCOMES
from plait.problems.errors import PlaitError
from plait.problems.problem import as_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plait.engine.report import Report

NAMESPACE = "plait"  # CloudWatch namespace of the metrics
DIMENSION, LOOKUP_DIMENSION = "Pipeline", "Lookup"
STANDARD_ATTRIBUTES = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
MAX_LISTED = 40_000  # bytes of the problems of a report, and of its files
MAX_OF_A_CODE = 20
RUNTIME_ATTRIBUTES = {"aws_request_id", "tenant_id", "_frame_type"}


def short_report(report: Report) -> dict[str, Any]:
    """The report as one document of less than 100 KB, of which Step Functions takes 256.

    It has the first problems of each code, and of these, as of the files, as many as there is room for.
    """
    document = report.as_json()
    first = as_json(problem for turn, problem in report.problems_by_turn() if turn <= MAX_OF_A_CODE)
    document["problems"] = problems = _fitting(first)
    document["problems_left_out"] = report.problems_left_out(problem["code"] for problem in problems)
    document["files"] = _fitting(document["files"])
    return document


def _fitting(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first entries, as many as there is room for."""
    fitting, room = [], MAX_LISTED
    for entry in entries:
        room -= len(json_line(entry)) + len(", ")
        if room < 0:
            break
        fitting.append(entry)
    return fitting


def log_as_json() -> None:
    """Make the root logger's handlers write each record as one line of JSON, and log warnings too."""
    for handler in logging.getLogger().handlers:
        end = "" if isinstance(handler, logging.StreamHandler) else "\n"
        handler.setFormatter(JsonLine(handler.formatter, end))
    logging.captureWarnings(True)


def json_line(fields: dict[str, Any]) -> str:
    """One line of JSON in printable ASCII; all other characters are escaped."""
    return json.dumps(fields, ensure_ascii=True, default=repr).replace("\x7f", "\\u007f")


class JsonLine(logging.Formatter):
    """Format a record as one line of JSON; never raises, since whoever logs would get the exception.

    `previous` is the formatter that the runtime set. It is called because it may mark the record for the runtime; its
    text is not used. `end` is put after the line, for a handler that puts nothing there itself.
    """

    def __init__(self, previous: logging.Formatter | None = None, end: str = "\n") -> None:
        super().__init__()
        self._previous, self._end = previous, end

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with its end."""
        with suppress(Exception):
            if self._previous:
                self._previous.format(record)
        extra = {
            name: value
            for name, value in vars(record).items()
            if name not in STANDARD_ATTRIBUTES | RUNTIME_ATTRIBUTES
        }
        fields = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": _message_text(record),
            "requestId": getattr(record, "aws_request_id", None),
            **(error_fields(record.exc_info[1]) if record.exc_info else {}),
        }
        try:
            return (
                json_line({**extra, **{name: value for name, value in fields.items() if value is not None}})
                + self._end
            )
        except Exception as error:  # noqa: BLE001 - an extra value may raise anything when it is written
            return json_line({**fields, "unwritten": type(error).__name__}) + self._end


def _message_text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - the values may not fit the text
        return str(record.msg) if isinstance(record.msg, str) else type(record.msg).__name__


def error_fields(error: BaseException | None) -> dict[str, Any]:
    """An error without any value of a record: its type, its traceback, and its text only if it is plait's own."""
    if error is None:
        return {}
    message = {"errorMessage": error.message} if isinstance(error, PlaitError) else {}
    return {"errorType": type(error).__name__, **message, "stackTrace": [*_trace(error)]}


def _trace(error: BaseException) -> Iterator[str]:
    """The lines of code that an error passed, and its type; those of its causes come first."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _trace(cause)
    yield from traceback.format_tb(error.__traceback__)
    yield type(error).__name__


def metrics(report: Report, seconds: float, at: float) -> dict[str, Any]:
    """The counts of a report as a line of CloudWatch's embedded metric format, which costs no call.

    `seconds` is how long the invocation took, `at` its time in seconds since 1970.
    """
    counts = {f"Objects{word.title()}": report.objects[word] for word in OUTCOMES}
    counts |= {
        f"Records{word.title().replace('_', '')}": number for word, number in asdict(report.records).items()
    }
    counts |= {"Rows": report.rows, "Files": report.file_count}
    counts["AbsentColumns"] = report.problems_by_code["absent-column"]
    line = _embedded({DIMENSION: report.pipeline}, counts, at)
    line["_aws"]["CloudWatchMetrics"][0]["Metrics"].append({"Name": "Seconds", "Unit": "Seconds"})
    return {**line, "Seconds": round(seconds, 6)}


def lookup_metrics(report: Report, at: float) -> Iterator[dict[str, Any]]:
    """A line in the same format for each look-up that was asked, since a line has one value of a dimension."""
    for name, counts in report.lookups.items():
        if counts.keys:
            numbers = {"KeysAsked": counts.keys, "KeysMatched": counts.keys_matched}
            numbers |= {"LinesRead": counts.lines, "LinesUnread": counts.unread}
            yield _embedded({DIMENSION: report.pipeline, LOOKUP_DIMENSION: name}, numbers, at)


def _embedded(dimensions: dict[str, str], counts: dict[str, int], at: float) -> dict[str, Any]:
    units = [{"Name": name, "Unit": "Count"} for name in counts]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[*dimensions]], "Metrics": units}
    document = {"Timestamp": int(at * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": document, **dimensions, **counts}
