"""Lines of a CloudWatch Logs group, whose fields a pattern reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    GiveUp,
    Lookup,
    Options,
    Pattern,
    Record,
    Statement,
    TryAgain,
    calling,
    hookimpl,
)
from plait_connectors._aws import arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Key

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class CloudWatchLogsOptions(Options, frozen=True):
    """Options of the connector `cloudwatch_logs`."""

    log_group: Annotated[
        str, Meta(min_length=1, description="name of the log group", examples=["/shop/fraud"])
    ]
    pattern: Annotated[Pattern, Meta(description="what a line looks like, as in `order {id} scored {score}`")]
    filter: Annotated[
        str | None,
        Meta(description="filter pattern of CloudWatch Logs, to read fewer lines", examples=["scored"]),
    ] = None
    max_lines: Annotated[int, Meta(ge=1, description="more lines in the time of the rows are an error")] = (
        1_000_000
    )


class CloudWatchLogsLookup(Lookup[CloudWatchLogsOptions]):
    """Asks a log group for the lines in a range of time, with FilterLogEvents."""

    order = "time"
    needs_window = True
    gives_binary = False

    def known_fields(self) -> tuple[str, ...]:
        """Return the fields of the pattern."""
        return self.options.pattern.names

    def permissions(self) -> list[Statement]:
        """Return the right to read the lines; IAM knows a group by its ARN with `:*`, which is all of its streams."""
        group = arn("logs", f"log-group:{self.options.log_group}:*")
        why = "read the lines of the log group; IAM knows a group by its ARN with `:*`, which is all of its streams"
        return [Statement(actions=("logs:FilterLogEvents",), resources=(group,), why=why)]

    def calls(self) -> list[Calls]:
        """Return one call for each page of lines."""
        return [Calls(operation="logs:FilterLogEvents", quantity="pages")]

    def facts(self) -> Iterator[str]:
        """Ask how long the group keeps its lines."""
        name = self.options.log_group
        with calling(f"log group `{name}`", service="logs"):
            answer = self.context.client("logs").describe_log_groups(logGroupNamePrefix=name)
        for group in answer["logGroups"]:
            if group["logGroupName"] == name:
                days = group.get("retentionInDays")
                yield f"lines are kept for {days} days" if days else "lines are kept for ever"

    def record_of_case(self, row: Mapping[str, Any]) -> Record | None:
        """Return the record of a line `{time: …, message: …}`; the option `filter`, which the service reads, is ignored."""
        time_text, message = row.get("time"), row.get("message")
        if len(row) != 2 or not isinstance(time_text, str) or not isinstance(message, str):
            raise BadRecord("a line of a log is `{time: …, message: …}`, two texts", code="wrong-value")
        try:
            time = datetime.fromisoformat(time_text)
            time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise BadRecord("`time` is no ISO 8601 timestamp", code="wrong-value") from None
        fields = self.options.pattern.match(message.rstrip("\r\n"))
        return None if fields is None else Record(fields=fields, time=time)

    def prepare(self) -> None:
        """Make the client."""
        self.context.client("logs")

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """Return the lines in the keys' windows that name one of the keys, oldest first."""
        if not keys:
            return []
        wanted = WantedKeys(keys)
        matches = []
        events = chain.from_iterable(self._events(start, end) for start, end in _windows(keys))
        for number, event in enumerate(events):
            if number == self.options.max_lines:
                raise self._too_many()
            fields = self.options.pattern.match(event["message"].rstrip("\r\n"))
            if fields is not None and wanted.matches(fields):
                order = event["timestamp"], event.get("ingestionTime", 0), event.get("eventId", "")
                matches.append((order, fields, event["message"]))
        matches.sort(key=lambda match: match[0])
        return [
            Record(
                fields=fields, time=EPOCH + order[0] * MILLISECOND, raw=line.encode("utf-8", "surrogatepass")
            )
            for order, fields, line in matches
        ]

    def _too_many(self) -> GiveUp:
        message = f"log group `{self.options.log_group}` has more than {self.options.max_lines:,} lines in the time of the rows"
        help = "shorten the `window`, let `filter` name fewer lines, or raise `max_lines`"
        return GiveUp(message, help=help)

    def _events(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        """Yield the events between two times in milliseconds, page by page."""
        request: dict[str, Any] = {"logGroupName": self.options.log_group, "startTime": start, "endTime": end}
        if self.options.filter is not None:
            request["filterPattern"] = self.options.filter
        log_group, pages = f"log group `{self.options.log_group}`", 0
        try:
            with calling(log_group, service="logs", helps={"wrong-request": "check the option `filter`"}):
                # The paginator continues after an empty page, and refuses a token that comes twice in a row.
                paginator = self.context.client("logs").get_paginator("filter_log_events")
                for page in paginator.paginate(**request, PaginationConfig={"PageSize": 10_000}):
                    pages += 1
                    yield from page["events"]
        except GiveUp as error:
            if not pages:
                raise
            # A group that has answered exists and may be read, so the error is about the token, which expired.
            raise TryAgain(error.message, code=error.code) from error


class WantedKeys:
    """The keys asked for, to compare with the texts of a line."""

    def __init__(self, keys: Sequence[Key]) -> None:
        columns = {name: [key.fields[name] for key in keys] for name in keys[0].fields}
        self.readers = {name: reader for name, values in columns.items() if (reader := _reader(values))}
        read_columns = (map(reader, columns[name]) for name, reader in self.readers.items())
        self.values = set(zip(*read_columns, strict=True))
        self.text_field = next(iter(self.readers)) if [*self.readers.values()] == [str] else None
        self.texts = {text for (text,) in self.values} if self.text_field else set()

    def matches(self, fields: dict[str, str]) -> bool:
        """Return whether a line with these fields may match a key; plait compares exactly, in the declared types."""
        if self.text_field:
            return fields.get(self.text_field) in self.texts
        if not self.readers:
            return True
        return tuple(reader(fields.get(name)) for name, reader in self.readers.items()) in self.values


def _number(value: Any) -> Decimal | None:
    """The number that a value or text is; None if it is none, or infinite."""
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError):
        return None
    return number if number.is_finite() else None


def _reader(values: Iterable[Any]) -> Callable[[Any], Any] | None:
    """How to read the text of a field whose keys have these values; None if only plait can compare them."""
    types = {type(value) for value in values}
    if types == {str}:
        return str
    return _number if types <= {int, Decimal} else None


def _windows(keys: Sequence[Key]) -> list[tuple[int, int]]:
    """The ranges of time that the keys' windows cover, in milliseconds, without overlaps."""
    spans = [(key.since, key.until) for key in keys]
    if any(since is None or until is None for since, until in spans):
        raise GiveUp(
            "a log group is read within a stretch of time",
            help="add `window: {around: a_timestamp_column, before: 1h, after: 1h}` to the source",
        )
    # One millisecond more, since an implementation of the API may not count endTime into the range.
    merged = _merged(spans)
    return _merged((max(0, _milliseconds(start)), _milliseconds(end) + 1) for start, end in merged)


def _merged(spans: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """The spans in order, those that overlap made one, those that end before they start left out."""
    merged: list[tuple[Any, Any]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        elif start <= end:
            merged.append((start, end))
    return merged


def _milliseconds(time: datetime) -> int:
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // MILLISECOND


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `cloudwatch_logs`."""
    summary = "lines of a CloudWatch Logs group, by a pattern"
    return [Connector("cloudwatch_logs", summary, CloudWatchLogsOptions, lookup=CloudWatchLogsLookup)]
