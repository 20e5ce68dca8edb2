"""Whatever the function logs is one line of JSON with the same text, and no error shows a value of a record."""

import json
import logging
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.function.runtime import Function
from kit.locked import lock
from plait.aws.clients import mute_bodies
from plait.aws_lambda.logs import JsonLine, json_line, short_report
from plait.engine.report import FileEntry, Report
from plait.plugin import GiveUp
from plait.problems.problem import Problem

TEXTS = [
    "two\nlines\r\nand \x1b[31mred\x1b[0m",
    '"}\n{"level": "ERROR", "message": "forged"}',
    "\u2028\u2029\x00\x07\x7f\x85\x9b31m",
    "half of a pair: \ud83d",
    "100 %s %d",
]
ODD = st.sampled_from(
    ["\n", "\r", "\x1b[2J", "\u2028", "\u2029", "\x85", "\x7f", '"', "\\", "{}", "%s", "\x00"]
)
TEXT = st.lists(st.text() | ODD).map("".join)
CARELESS = Path(__file__).parent / "careless"


def record(message: Any, *values: Any, **more: Any) -> logging.LogRecord:
    return logging.LogRecord("any", logging.INFO, "file.py", 1, message, values, None, **more)


def read(written: str) -> dict[str, Any]:
    """Read the one JSON document that a written record must be."""
    assert written.endswith("\n")
    assert written[:-1].isascii()
    assert written[:-1].isprintable()
    fields: dict[str, Any] = json.loads(written)
    return fields


@pytest.mark.parametrize("entries", [0, 1, 30, 1000, 5000])
@pytest.mark.parametrize("name", ["a", "é" * 500])
def test_a_report_of_any_length_is_an_answer_of_less_than_100_kb(entries: int, name: str) -> None:
    """It shows problems of as many codes as there is room for, and counts what it leaves out."""
    report = Report(pipeline="orders", spec_digest="0" * 64)
    for number in range(entries):
        uri, code = f"s3://lake/{name}{number}", f"code-{number % 300}"
        report.add_file(FileEntry(uri=uri, rows=1, bytes=1, partition=name))
        report.add_problem(Problem(code=code, message=name, file=uri, level="warning"))
    document = short_report(report)
    shown = Counter(problem["code"] for problem in document["problems"])
    assert len(json_line(document)) < 100_000
    assert document["file_count"] == entries
    assert bool(document["files"]) == bool(shown) == bool(entries)
    assert shown.total() + sum(document["problems_left_out"].values()) == entries
    assert max(shown.values(), default=0) - min(shown.values(), default=0) <= 1
    assert entries > 30 or name != "a" or not document["problems_left_out"]


@pytest.mark.fault("S11")
@given(message=TEXT, logger=TEXT, value=TEXT)
def test_any_text_is_one_line_that_gives_it_back(message: str, logger: str, value: str) -> None:
    """The text may be the message, a value within it, the logger's name, or an extra field."""
    plain = record(message)
    plain.name, plain.beside = logger, value
    fields = read(JsonLine().format(plain))
    assert (fields["message"], fields["logger"], fields["beside"]) == (message, logger, value)
    assert read(JsonLine().format(record("<%s>", value)))["message"] == f"<{value}>"


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.fault("S11")
@pytest.mark.parametrize(
    ("message", "values"), [("%d", ("x",)), ("%s %s", ("x",)), ("%s", (Unprintable(),)), (Unprintable(), ())]
)
def test_a_record_that_cannot_be_written_is_still_a_line_and_raises_nothing(
    message: Any, values: tuple[Any, ...]
) -> None:
    logged = record(message, *values)
    logged.beside = Unprintable()
    assert read(JsonLine().format(logged))["level"] == "INFO"


@pytest.mark.fault("S10")
@pytest.mark.parametrize("error", [ValueError("value-of-an-order"), GiveUp("no such table")])
def test_an_error_is_logged_by_its_type_and_traceback_and_by_its_text_only_if_it_is_of_plait(
    error: Exception,
) -> None:
    canary = "value-of-an-order"
    try:
        try:
            raise KeyError(canary)  # noqa: TRY301 - it is the cause
        except KeyError as first:
            raise error from first
    except (ValueError, GiveUp):
        logged = logging.LogRecord("any", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    written = JsonLine(logging.Formatter()).format(logged)
    fields = read(written)
    assert "value-of-an-order" not in written.replace('raise ValueError("value-of-an-order")', "")
    assert fields["errorType"] == type(error).__name__
    assert fields.get("errorMessage") == (error.message if isinstance(error, GiveUp) else None)
    assert [line for line in fields["stackTrace"] if "\n" not in line] == ["KeyError", type(error).__name__]


@pytest.mark.fault("S10")
def test_libraries_that_log_bodies_are_kept_quiet_unless_their_level_was_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    logger = logging.getLogger("botocore")
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    for before, held in ((logging.NOTSET, True), (logging.DEBUG, False), (logging.ERROR, True)):
        monkeypatch.setattr(logger, "level", before)
        logger.manager._clear_cache()  # type: ignore[attr-defined]
        mute_bodies()
        assert logging.getLogger("botocore.parsers").isEnabledFor(logging.DEBUG) != held
    monkeypatch.undo()
    logger.manager._clear_cache()  # type: ignore[attr-defined]


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[Function]:
    """The function with the careless connector, at the lowest log level."""
    spec = tmp_path / "careless.yaml"
    shutil.copy(CARELESS / spec.name, spec)
    lock(spec, careless="careless")
    own = {"PYTHONPATH": str(CARELESS), "PLAIT_SPEC": str(spec), "TEXTS": json.dumps(TEXTS)}
    with Function({**os.environ, **own, "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}, cwd=str(tmp_path)) as function:
        yield function


@pytest.mark.fault("S10")
@pytest.mark.fault("S11")
def test_every_line_in_the_log_of_the_function_is_one_document_and_no_error_shows_a_value(
    careless: Function,
) -> None:
    """Through AWS's own runtime, at DEBUG: the texts are unchanged, and a failure only says where it happened."""
    outcome = careless.invoke({"objects": ["careless:1"]})
    assert outcome.error is not None, outcome.log
    assert outcome.error["errorType"] == "GiveUp", outcome.error["errorMessage"]
    assert re.search(r"ValueError in line \d+ of `careless.py`$", outcome.error["errorMessage"])
    written = outcome.log + json.dumps(outcome.error)
    shown = written.replace('KeyError(\\"value-of-an-order\\")', "").replace(
        'ValueError(\\"value-of-an-order\\")', ""
    )
    assert "value-of-an-order" not in shown
    *lines, last = outcome.log.split("\n")
    documents = [json.loads(line) for line in lines]
    assert last == ""
    messages = [document.get("message") for document in documents]
    for text in TEXTS:
        assert messages.count(text) >= 1
        assert f"asked {text}" in messages
        assert any(document.get("answer") == text for document in documents)
        assert any(
            text in document["message"] for document in documents if document.get("logger") == "py.warnings"
        )
    failed = next(document for document in documents if document.get("message") == "it failed")
    assert (failed["logger"], failed["level"], failed["errorType"]) == ("plait.orders", "ERROR", "KeyError")
