"""What the connector `cloudwatch_logs` promises, against moto."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from plait.api import GiveUp, Key, Pattern, Record
from plait_connectors import cloudwatch_logs

from .stub import Stub, aws

if TYPE_CHECKING:
    from collections.abc import Iterator

# CloudWatch Logs takes no lines older than 14 days.
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PATTERN = "*transaction {transaction_id} scored {score}"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with aws() as url:
        client = Stub(endpoint=url).client("logs")
        client.create_log_group(logGroupName="/fraud")
        for stream in ("one", "two"):
            client.create_log_stream(logGroupName="/fraud", logStreamName=stream)
        put(client, "one", (NOON, "model v3: transaction a scored 87\n"), (NOON + SECOND, "started"))
        put(
            client,
            "two",
            (NOON - SECOND, "transaction a scored 5"),
            (NOON + SECOND, "transaction 7 scored 1"),
        )
        put(client, "two", (NOON + 5 * HOUR, "transaction a scored 99"))
        yield url


def put(client: Any, stream: str, *lines: tuple[datetime, str]) -> None:
    events = [{"timestamp": round(time.timestamp() * 1000), "message": line} for time, line in lines]
    client.put_log_events(logGroupName="/fraud", logStreamName=stream, logEvents=events)


def fetch(stub: Stub, *keys: Key, **options: Any) -> list[Any]:
    options = {"log_group": "/fraud", "pattern": Pattern.parse(PATTERN), **options}
    lookup = cloudwatch_logs.CloudWatchLogsLookup(cloudwatch_logs.CloudWatchLogsOptions(**options), stub)
    return list(lookup.fetch(keys))


def key(value: object, around: datetime = NOON, margin: timedelta = HOUR) -> Key:
    return Key(fields={"transaction_id": value}, since=around - margin, until=around + margin)


def test_lines_become_records_in_time_order(endpoint: str) -> None:
    """The lines of all streams that name a key are records, oldest first, with time and raw bytes."""
    records = fetch(Stub(endpoint=endpoint), key("a"))
    assert [record.fields["score"] for record in records] == ["5", "87"]
    assert [record.time for record in records] == [NOON - SECOND, NOON]
    assert records[1].raw == b"model v3: transaction a scored 87\n"


def test_a_number_as_key_meets_its_text(endpoint: str) -> None:
    """A numeric key finds the line that has the number as text."""
    assert [r.fields["score"] for r in fetch(Stub(endpoint=endpoint), key(7))] == ["1"]
    assert [r.fields["score"] for r in fetch(Stub(endpoint=endpoint), key(Decimal("7.00")))] == ["1"]


@pytest.mark.fault("W2")
def test_both_ends_of_the_window_belong_to_it(endpoint: str) -> None:
    """A line at the very end of the window is found."""
    assert len(fetch(Stub(endpoint=endpoint), key("a", NOON - SECOND / 2, SECOND / 2))) == 2


def test_overlapping_windows_are_read_once(endpoint: str) -> None:
    """Windows that overlap are one request; a window far off is another; no line comes twice."""
    stub = Stub(endpoint=endpoint)
    records = fetch(stub, key("a"), key("b", NOON + HOUR), key("a", NOON + 5 * HOUR))
    assert [record.fields["score"] for record in records] == ["5", "87", "99"]
    assert stub.calls == {"logs:FilterLogEvents": 2}


@pytest.mark.fault("W3")
def test_empty_pages_are_not_the_end(endpoint: str) -> None:
    """An empty page with a token is followed by the next."""
    stub, first = Stub(endpoint=endpoint), [True]

    def empty(parsed: dict[str, Any], **_rest: Any) -> None:
        if first.pop() if first else False:
            parsed.update(events=[], nextToken="/fraud@one@none")

    def forget(params: dict[str, Any], **_rest: Any) -> None:
        params.pop("nextToken", None)

    events = stub.client("logs").meta.events
    events.register("after-call.logs.FilterLogEvents", empty)
    events.register("provide-client-params.logs.FilterLogEvents", forget)
    assert len(fetch(stub, key("a"))) == 2
    assert stub.calls == {"logs:FilterLogEvents": 2}


def test_a_filter_is_passed_on(endpoint: str) -> None:
    """The option `filter` goes to CloudWatch Logs as it is, and nothing goes without it."""
    assert [r.fields["score"] for r in fetch(Stub(endpoint=endpoint), key("a"), filter='"model"')] == ["87"]


@pytest.mark.fault("W7")
def test_a_key_is_text_not_a_pattern(endpoint: str) -> None:
    """Characters of patterns in a key mean themselves."""
    assert fetch(Stub(endpoint=endpoint), key(".*"), key('"a"'), key("*")) == []


def test_without_a_window_nothing_is_read(endpoint: str) -> None:
    """A source without `window` is refused with the line to add."""
    with pytest.raises(GiveUp) as caught:
        fetch(Stub(endpoint=endpoint), Key(fields={"transaction_id": "a"}))
    assert "window" in str(caught.value.help)


def test_a_missing_log_group_is_permanent(endpoint: str) -> None:
    """A log group that is not there is an error to correct."""
    with pytest.raises(GiveUp, match="/absent"):
        fetch(Stub(endpoint=endpoint), key("a"), log_group="/absent")


def test_no_keys_cost_no_call(endpoint: str) -> None:
    """No keys, no call."""
    stub = Stub(endpoint=endpoint)
    assert fetch(stub) == []
    assert not stub.calls


def test_the_pattern_tells_the_fields() -> None:
    """The fields of a record are known from the pattern alone."""
    (connector,) = cloudwatch_logs.plait_connectors()
    options = cloudwatch_logs.CloudWatchLogsOptions(log_group="/fraud", pattern=Pattern.parse(PATTERN))
    assert connector.known_fields(options) == ("transaction_id", "score")


@pytest.mark.parametrize("time", ["2026-07-01T10:00:00", "2026-07-01T10:00:00Z", "2026-07-01T12:00:00+02:00"])
def test_a_line_of_a_case_is_read_as_one_of_the_log_group(time: str) -> None:
    (connector,) = cloudwatch_logs.plait_connectors()
    options = cloudwatch_logs.CloudWatchLogsOptions(log_group="/fraud", pattern=Pattern.parse(PATTERN))
    assert connector.given is not None
    record = connector.given(options, {"time": time, "message": "transaction a scored 5\n"})
    assert record == Record(
        fields={"transaction_id": "a", "score": "5"}, time=datetime(2026, 7, 1, 10, tzinfo=UTC)
    )
    assert connector.given(options, {"time": time, "message": "started"}) is None
