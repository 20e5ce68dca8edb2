"""Lines of a CloudWatch Logs group, read as fields by a pattern."""

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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from plait.plugin import Context, Key, Use

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


class CloudWatchLogsLookup:
    """Asks a log group with FilterLogEvents."""

    def __init__(self, options: CloudWatchLogsOptions, context: Context) -> None:
        self.options = options
        self.context = context

    def prepare(self) -> None:
        """Make the client."""
        self.context.client("logs")

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """The lines in the keys' windows that name one of the keys, oldest first."""
        if not keys:
            return []
        wanted = Wanted(keys)
        found = []
        events = chain.from_iterable(self._events(start, end) for start, end in _windows(keys))
        for number, event in enumerate(events):
            if number == self.options.max_lines:
                raise self._too_many()
            fields = self.options.pattern.match(event["message"].rstrip("\r\n"))
            if fields is not None and wanted.matches(fields):
                order = event["timestamp"], event.get("ingestionTime", 0), event.get("eventId", "")
                found.append((order, fields, event["message"]))
        found.sort(key=lambda each: each[0])
        return [
            Record(
                fields=fields, time=EPOCH + order[0] * MILLISECOND, raw=line.encode("utf-8", "surrogatepass")
            )
            for order, fields, line in found
        ]

    def _too_many(self) -> GiveUp:
        message = f"log group `{self.options.log_group}` has more than {self.options.max_lines:,} lines in the time of the rows"
        help = "shorten the `window`, let `filter` name fewer lines, or raise `max_lines`"
        return GiveUp(message, help=help)

    def _events(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        request: dict[str, Any] = {"logGroupName": self.options.log_group, "startTime": start, "endTime": end}
        if self.options.filter is not None:
            request["filterPattern"] = self.options.filter
        what, pages = f"log group `{self.options.log_group}`", 0
        try:
            with calling(what, service="logs", helps={"wrong-request": "check the option `filter`"}):
                # The paginator goes on over empty pages, and refuses a token that comes twice in a row.
                paginator = self.context.client("logs").get_paginator("filter_log_events")
                for page in paginator.paginate(**request, PaginationConfig={"PageSize": 10_000}):
                    pages += 1
                    yield from page["events"]
        except GiveUp as error:
            if not pages:
                raise
            # A group that answered is there and may be read: what is wrong is the token, which ends.
            raise TryAgain(error.message, code=error.code) from error


class Wanted:
    """The keys asked for, compared with the text of a line."""

    def __init__(self, keys: Sequence[Key]) -> None:
        columns = {name: [key.fields[name] for key in keys] for name in keys[0].fields}
        self.kinds = {name: kind for name, values in columns.items() if (kind := _kind(values))}
        self.values = set(zip(*(map(kind, columns[name]) for name, kind in self.kinds.items()), strict=True))
        self.text = next(iter(self.kinds)) if [*self.kinds.values()] == [str] else None
        self.texts = {text for (text,) in self.values} if self.text else set()

    def matches(self, fields: dict[str, str]) -> bool:
        """Whether a line with these fields may belong to a key; plait compares in the declared types."""
        if self.text:
            return fields.get(self.text) in self.texts
        return (
            not self.kinds
            or tuple(kind(fields.get(name)) for name, kind in self.kinds.items()) in self.values
        )


def _number(value: Any) -> Decimal | None:
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError):
        return None
    return number if number.is_finite() else None


def _kind(values: Iterable[Any]) -> type[str] | Any | None:
    kinds = {type(value) for value in values}
    if kinds == {str}:
        return str
    return _number if kinds <= {int, Decimal} else None


def _windows(keys: Sequence[Key]) -> list[tuple[int, int]]:
    """The stretches of time that the keys' windows cover, in milliseconds, none overlapping another."""
    spans = [(key.since, key.until) for key in keys]
    if any(since is None or until is None for since, until in spans):
        raise GiveUp(
            "a log group is read within a stretch of time",
            help="add `window: {around: a_timestamp_column, before: 1h, after: 1h}` to the source",
        )
    # One millisecond more, for a reader of the API to whom endTime is not part of the range.
    return _joined((max(0, _milliseconds(a)), _milliseconds(b) + 1) for a, b in _joined(spans))


def _joined(spans: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    joined: list[tuple[Any, Any]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        elif start <= end:
            joined.append((start, end))
    return joined


def _milliseconds(time: datetime) -> int:
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH) // MILLISECOND


def _names(options: CloudWatchLogsOptions) -> tuple[str, ...]:
    return options.pattern.names


def _given(options: CloudWatchLogsOptions, row: Mapping[str, Any]) -> Record | None:
    """A line of a case, `{time: …, message: …}`; the option `filter` is left to the service."""
    at, message = row.get("time"), row.get("message")
    if len(row) != 2 or not isinstance(at, str) or not isinstance(message, str):
        raise BadRecord("a line of a log is `{time: …, message: …}`, two texts", code="wrong-value")
    try:
        time = datetime.fromisoformat(at)
        time = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadRecord("`time` is no ISO 8601 timestamp", code="wrong-value") from None
    fields = options.pattern.match(message.rstrip("\r\n"))
    return None if fields is None else Record(fields=fields, time=time)


def _facts(options: CloudWatchLogsOptions, context: Context) -> Iterator[str]:
    with calling(f"log group `{options.log_group}`", service="logs"):
        found = context.client("logs").describe_log_groups(logGroupNamePrefix=options.log_group)
    for group in found["logGroups"]:
        if group["logGroupName"] == options.log_group:
            days = group.get("retentionInDays")
            yield f"lines are kept for {days} days" if days else "lines are kept for ever"


def _permissions(options: CloudWatchLogsOptions, _use: Use) -> list[Statement]:
    group = arn("logs", f"log-group:{options.log_group}:*")
    why = (
        "read the lines of the log group; IAM knows a group by its ARN with `:*`, which is all of its streams"
    )
    return [Statement(actions=("logs:FilterLogEvents",), resources=(group,), why=why)]


def _calls(_options: CloudWatchLogsOptions, _use: Use) -> list[Calls]:
    return [Calls(operation="logs:FilterLogEvents", quantity="pages")]


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `cloudwatch_logs`."""
    return [
        Connector(
            name="cloudwatch_logs",
            summary="lines of a CloudWatch Logs group, by a pattern",
            options=CloudWatchLogsOptions,
            lookup=CloudWatchLogsLookup,
            known_fields=_names,
            permissions=_permissions,
            calls=_calls,
            facts=_facts,
            order="time",
            given=_given,
            needs_window=True,
            gives_binary=False,
        )
    ]
