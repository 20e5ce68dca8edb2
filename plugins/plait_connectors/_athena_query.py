"""Run one query of Athena to its end, and say what became of it."""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from plait.plugin import GiveUp, PlaitError, TryAgain, calling

if TYPE_CHECKING:
    from plait.plugin import Context

SLOWEST = 6  # the attempt after which pauses between two questions grow no more
ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")
SYSTEM = 1  # the category of an error that is Athena's own
TOO_MUCH_HELP = "name the columns of the row that prune it in `partitions`, or raise the limit"


class QueryErrorMeaning(NamedTuple):
    """What the reason of a failed query means: which error to raise, our code, and the one thing to do."""

    error: type[TryAgain | GiveUp]
    code: str
    help: str | None = None


# By a part of the reason that Athena gives; the first that fits counts.
MEANINGS = {
    "Bytes scanned limit": QueryErrorMeaning(GiveUp, "too-much-scanned", TOO_MUCH_HELP),
    "SlowDown|Slow Down|Rate exceeded|TooManyRequests|Throttl|reduce your request rate": QueryErrorMeaning(
        TryAgain, "throttled", "where it happens often, make the files of the table larger and fewer"
    ),
    "(?i:access ?denied|insufficient.*permission)|PERMISSION_DENIED|not authorized|Forbidden": QueryErrorMeaning(
        GiveUp,
        "denied",
        "set the option `location` and deploy the policy anew; with Lake Formation grant SELECT to the role",
    ),
    "exhausted resources|EXCEEDED_": QueryErrorMeaning(
        GiveUp, "too-much-scanned", "take fewer columns, name `partitions`, or lower `deploy.batch`"
    ),
    "[A-Z]+_NOT_FOUND|does not exist": QueryErrorMeaning(
        GiveUp, "not-found", "check the options `table` and `workgroup`, and the files of the table"
    ),
    "HIVE_CANNOT_OPEN_SPLIT|HIVE_FILESYSTEM_ERROR|HIVE_METASTORE_ERROR|INTERNAL_ERROR|GENERIC_INTERNAL": (
        QueryErrorMeaning(TryAgain, "unavailable", "where it stays so, ask the table in Athena's console")
    ),
    "[Tt]ime(d )?[Oo]ut": QueryErrorMeaning(TryAgain, "too-slow", TOO_MUCH_HELP),
    "HIVE_[A-Z_]+": QueryErrorMeaning(
        GiveUp, "wrong-request", "see that the files of the table have the types of its columns"
    ),
}
CANCELLED = QueryErrorMeaning(TryAgain, "cancelled", "ask who cancels queries of the workgroup")
RETRYABLE = QueryErrorMeaning(TryAgain, "unavailable", "where it stays so, see AWS's page of its health")
OTHER = QueryErrorMeaning(GiveUp, "wrong-request", "check the options of the source")


def run(context: Context, sql: str, request: dict[str, Any], max_scanned_bytes: int) -> None:
    """Run a query to its end; it is stopped where the time is over, or more bytes are scanned than may be."""
    workgroup = request["WorkGroup"]
    helps = {"wrong-request": "check the options `workgroup`, `table` and `output`"}
    athena, ended = context.client("athena"), False
    with calling(f"workgroup `{workgroup}`", service="athena", helps=helps):
        id = athena.start_query_execution(QueryString=sql, **request)["QueryExecutionId"]
    try:
        for attempt in count(1):
            with calling(f"workgroup `{workgroup}`", service="athena", helps=helps):
                execution = athena.get_query_execution(QueryExecutionId=id)["QueryExecution"]
            ended = execution["Status"]["State"] in ENDED
            _check(execution, workgroup, max_scanned_bytes)
            if ended:
                return
            context.pause(min(attempt, SLOWEST))
    except BaseException:
        if not ended:
            with suppress(PlaitError), calling(f"workgroup `{workgroup}`", service="athena"):
                athena.stop_query_execution(QueryExecutionId=id)
        raise


def _check(execution: dict[str, Any], workgroup: str, max_scanned_bytes: int) -> None:
    """Raise the error of a query that failed, or that scanned more than it may."""
    if execution["Status"]["State"] in ("FAILED", "CANCELLED"):
        raise _error_of(execution["Status"], workgroup)
    scanned = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
    if scanned > max_scanned_bytes:
        message = f"a query of workgroup `{workgroup}` scanned {scanned:,} bytes, and {max_scanned_bytes:,} are allowed"
        raise GiveUp(message, code="too-much-scanned", help=f"{TOO_MUCH_HELP} `max_scanned_bytes`")


def _error_of(status: dict[str, Any], workgroup: str) -> PlaitError:
    """The error for a query that did not succeed; texts in quotes may be values, so they are left out."""
    reason = " ".join(re.sub("'[^']*'", "'…'", status.get("StateChangeReason", "")).split())[:200]
    error = status.get("AthenaError", {})
    meaning = next((meaning for pattern, meaning in MEANINGS.items() if re.search(pattern, reason)), None)
    if error.get("Retryable") or (meaning is None and error.get("ErrorCategory") == SYSTEM):
        meaning = meaning if meaning and meaning.error is TryAgain else RETRYABLE
    if meaning is None:
        meaning = CANCELLED if status["State"] == "CANCELLED" else OTHER
    state = "was cancelled" if status["State"] == "CANCELLED" else "failed"
    message = f"a query of workgroup `{workgroup}` {state}" + (f": {reason}" if reason else "")
    return meaning.error(message, code=meaning.code, help=meaning.help)
