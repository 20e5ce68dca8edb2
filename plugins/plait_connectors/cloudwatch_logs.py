"""Lines of a CloudWatch Logs group, whose fields a pattern reads, or which are JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    Expression,
    GiveUp,
    Lookup,
    NotJson,
    Options,
    Pattern,
    Record,
    Statement,
    TryAgain,
    calling,
    hookimpl,
    parse_json,
)
from plait_connectors._aws import arn
from plait_connectors._log_keys import EPOCH, MILLISECOND, WantedKeys, windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.plugin import Key
UNKNOWN = object()


class CloudWatchLogsOptions(Options, frozen=True, kw_only=True):
    """Options of the connector `cloudwatch_logs`."""

    log_group: Annotated[
        str, Meta(min_length=1, description="name or ARN of the log group", examples=["/shop/fraud"])
    ]
    pattern: (
        Annotated[Pattern, Meta(description="what a line looks like, as in `order {id} scored {score}`")]
        | None
    ) = None
    regex: (
        Annotated[
            Expression, Meta(description="an expression of RE2 for a whole line; its groups are the fields")
        ]
        | None
    ) = None
    format: Annotated[
        Literal["json"] | None,
        Meta(description="`json`: each line is a mapping of JSON, in place of a pattern"),
    ] = None
    filter: Annotated[
        str | None,
        Meta(description="filter pattern of CloudWatch Logs, to read fewer lines", examples=["scored"]),
    ] = None
    max_lines: Annotated[int, Meta(ge=1, description="more lines in the time of the rows are an error")] = (
        1_000_000
    )

    def __post_init__(self) -> None:
        """Raise ValueError unless exactly one option says how a line is read."""
        ways = [way for way in ("pattern", "regex", "format") if getattr(self, way) is not None]
        if len(ways) != 1:
            named = f"`{'` and `'.join(ways)}` together" if ways else "none of them"
            raise ValueError(
                f"a line is read by one of `pattern`, `regex` and `format: json`, not by {named}"
            )

    @property
    def arn(self) -> str | None:
        """The ARN of the log group, without the `:*` that stands for its streams; None for a name."""
        return self.log_group.removesuffix(":*") if self.log_group.startswith("arn:") else None


class CloudWatchLogsLookup(Lookup[CloudWatchLogsOptions]):
    """Asks a log group for the lines in a range of time, with FilterLogEvents."""

    order = "time"
    needs_window = True
    gives_binary = False

    def known_fields(self) -> tuple[str, ...] | None:
        """Return the fields of the pattern; those of JSON only the lines know."""
        template = self.options.pattern or self.options.regex
        return template.names if template else None

    def permissions(self) -> list[Statement]:
        """Return the right to read the lines; IAM knows a group by its ARN with `:*`, which is all of its streams."""
        group = f"{self.options.arn or arn('logs', f'log-group:{self.options.log_group}')}:*"
        why = "read the lines of the log group; IAM knows a group by its ARN with `:*`, which is all of its streams"
        return [Statement(actions=("logs:FilterLogEvents",), resources=(group,), why=why)]

    def calls(self) -> list[Calls]:
        """Return one call for each page of lines."""
        return [Calls(operation="logs:FilterLogEvents", quantity="pages")]

    def facts(self) -> Iterator[str]:
        """Ask how long the group keeps its lines."""
        for days in self._retention():
            yield f"lines are kept for {days} days" if days else "lines are kept for ever"

    def kept_since(self) -> datetime | None:
        """Ask how long the group keeps its lines."""
        days = next(self._retention(), None)
        return self.context.now() - timedelta(days=days) if days else None

    def _retention(self) -> Iterator[int | None]:
        """The days for which the group keeps its lines, None for ever; nothing where there is no such group."""
        name = self.options.log_group
        prefix = (self.options.arn or name).rpartition(":log-group:")[2]
        with calling(f"log group `{name}`", service="logs"):
            answer = self.context.client("logs").describe_log_groups(logGroupNamePrefix=prefix)
        for group in answer["logGroups"]:
            if name == group["logGroupName"] or self.options.arn == group.get("arn", "").removesuffix(":*"):
                yield group.get("retentionInDays")

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
        fields = self._fields_of(message)
        return None if fields is None else Record(fields=fields, time=time)

    def prepare(self) -> None:
        """Make the client."""
        self.context.client("logs")

    def fetch(self, keys: Sequence[Key]) -> list[Record]:
        """Return the lines in the keys' windows that name one of the keys, oldest first."""
        if not keys:
            return []
        wanted, places = WantedKeys(keys), [name for name in keys[0].fields if "." in name or "[" in name]
        matches, number, unread, sample = [], 0, 0, ""
        events = chain.from_iterable(self._events(start, end) for start, end in windows(keys))
        for number, event in enumerate(events, 1):
            if number > self.options.max_lines:
                raise self._too_many()
            fields = self._fields_of(event["message"])
            if fields is None:
                unread, sample = unread + 1, sample or event["message"]
                continue
            if _may_match(wanted, fields, places) if places else wanted.matches(fields):
                order = event["timestamp"], event.get("ingestionTime", 0), event.get("eventId", "")
                matches.append((order, fields, event["message"]))
        self.context.count_lines(number, unread, sample)
        matches.sort(key=lambda match: match[0])
        return [
            Record(
                fields=fields, time=EPOCH + order[0] * MILLISECOND, raw=line.encode("utf-8", "surrogatepass")
            )
            for order, fields, line in matches
        ]

    def _fields_of(self, message: str) -> Mapping[str, Any] | None:
        """The fields of a line, None if it is no record."""
        template = self.options.pattern or self.options.regex
        if template:
            return template.match(message.rstrip("\r\n"))
        try:
            fields = parse_json(message.encode("utf-8", "surrogatepass"))
        except NotJson:
            return None
        return fields if isinstance(fields, dict) else None

    def _too_many(self) -> GiveUp:
        message = f"log group `{self.options.log_group}` has more than {self.options.max_lines:,} lines in the time of the rows"
        help = "shorten the `window`, let `filter` name fewer lines, or raise `max_lines`"
        return GiveUp(message, help=help)

    def _events(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        """Yield the events between two times in milliseconds, page by page."""
        group = (
            {"logGroupIdentifier": arn_of_group}
            if (arn_of_group := self.options.arn)
            else {"logGroupName": self.options.log_group}
        )
        request: dict[str, Any] = {**group, "startTime": start, "endTime": end}
        helps = {"wrong-request": "check the option `log_group`"}
        if self.options.filter is not None:
            request["filterPattern"] = self.options.filter
            helps = {"wrong-request": "check the option `filter`"}
        log_group, pages = f"log group `{self.options.log_group}`", 0
        try:
            with calling(log_group, service="logs", helps=helps):
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


def _may_match(wanted: WantedKeys, fields: Mapping[str, Any], places: Sequence[str]) -> bool:
    """Whether a line with these fields may match a key, of which some fields are places within the line's own."""
    looked_at = {name: _at(fields, name) for name in places}
    return UNKNOWN in looked_at.values() or wanted.matches({**looked_at, **fields})


def _at(fields: Mapping[str, Any], place: str) -> Any:
    """The value at a place such as `detail.ids[0]`, None if there is none; unknown within a text, which may be decoded."""
    value: Any = fields
    for step in place.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, str):
            return UNKNOWN
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `cloudwatch_logs`."""
    summary = "lines of a CloudWatch Logs group, by a pattern"
    return [Connector("cloudwatch_logs", summary, CloudWatchLogsOptions, lookup=CloudWatchLogsLookup)]
