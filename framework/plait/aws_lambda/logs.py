"""Log lines of the function: each record one JSON object on one line, whatever its text, and no body of any call."""

from __future__ import annotations

import json
import logging
import time
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plait.problems.errors import PlaitError

if TYPE_CHECKING:
    from collections.abc import Iterator

USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
OF_THE_RUNTIME = {"aws_request_id", "tenant_id", "_frame_type"}


def log_as_json() -> None:
    """Make whatever the root logger's handlers write one JSON object on one line; warnings are logged too."""
    for handler in logging.getLogger().handlers:
        end = "" if isinstance(handler, logging.StreamHandler) else "\n"
        handler.setFormatter(JsonLine(handler.formatter, end))
    logging.captureWarnings(True)


def line(fields: dict[str, Any]) -> str:
    """One line of JSON in which no character but letters, digits and signs of ASCII stands for itself."""
    return json.dumps(fields, ensure_ascii=True, default=repr).replace("\x7f", "\\u007f")


class JsonLine(logging.Formatter):
    """A record as one line of JSON; never raises, since that would be raised where somebody logs.

    The formatter that was there before may mark a record for the runtime; what it writes is not used. `end` is what the
    handler itself does not put after a line.
    """

    def __init__(self, before: logging.Formatter | None = None, end: str = "\n") -> None:
        super().__init__()
        self._before, self._end = before, end

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        with suppress(Exception):
            if self._before:
                self._before.format(record)
        extra = {k: v for k, v in vars(record).items() if k not in USUAL | OF_THE_RUNTIME}
        fields = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "requestId": getattr(record, "aws_request_id", None),
            **(told(record.exc_info[1]) if record.exc_info else {}),
        }
        try:
            return line({**extra, **{k: v for k, v in fields.items() if v is not None}}) + self._end
        except Exception as error:  # noqa: BLE001 - of whatever somebody put beside the message
            return line({**fields, "unwritten": type(error).__name__}) + self._end


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - the text and its values do not fit
        return str(record.msg) if isinstance(record.msg, str) else type(record.msg).__name__


def told(error: BaseException | None) -> dict[str, Any]:
    """An error without any value: its type, where it was raised, and its text only where it is ours."""
    if error is None:
        return {}
    text = {"errorMessage": error.message} if isinstance(error, PlaitError) else {}
    return {"errorType": type(error).__name__, **text, "stackTrace": [*_trace(error)]}


def _trace(error: BaseException) -> Iterator[str]:
    """The places of the code, of the first cause first."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _trace(cause)
    yield from traceback.format_tb(error.__traceback__)
    yield type(error).__name__
