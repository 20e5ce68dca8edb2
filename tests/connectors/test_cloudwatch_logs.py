"""The connector `cloudwatch_logs`, against a stand-in that is as strict as CloudWatch Logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from kit.connect import logs_lookup
from kit.servers.logs import Logs
from kit.stubs import Stub
from plait.plugin import BadRecord, GiveUp, Key, Pattern, Record, TryAgain
from plait_connectors import cloudwatch_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
PATTERN = "*transaction {transaction_id} scored {score}"


@pytest.fixture
def logs() -> Iterator[Logs]:
    with Logs() as logs:
        yield logs


@pytest.fixture
def endpoint(logs: Logs) -> str:
    put(logs, "one", (NOON, "model v3: transaction a scored 87\n"), (NOON + SECOND, "started"))
    put(logs, "two", (NOON - SECOND, "transaction a scored 5"), (NOON + SECOND, "transaction 7 scored 1"))
    put(logs, "two", (NOON + 5 * HOUR, "transaction a scored 99"))
    return logs.endpoint


def put(logs: Logs, stream: str, *lines: tuple[datetime, str], group: str = "/fraud") -> None:
    logs.put(group, *((round(at.timestamp() * 1000), message) for at, message in lines), stream=stream)


def fetch(stub: Stub, *keys: Key, **options: Any) -> list[Any]:
    return list(logs_lookup(stub, "/fraud", PATTERN, **options).fetch(keys))


def key(value: object, around: datetime = NOON, margin: timedelta = HOUR) -> Key:
    return Key(fields={"transaction_id": value}, since=around - margin, until=around + margin)


@pytest.mark.fault("W7")
def test_lines_become_records_in_time_order(endpoint: str) -> None:
    """The lines of all streams that name a key are records, oldest first, with time and raw bytes."""
    records = fetch(Stub(endpoint=endpoint), key("a"))
    assert [record.fields["score"] for record in records] == ["5", "87"]
    assert [record.time for record in records] == [NOON - SECOND, NOON]
    assert records[1].raw == b"model v3: transaction a scored 87\n"


def test_a_number_as_key_matches_its_text(endpoint: str) -> None:
    assert [r.fields["score"] for r in fetch(Stub(endpoint=endpoint), key(7))] == ["1"]
    assert [r.fields["score"] for r in fetch(Stub(endpoint=endpoint), key(Decimal("7.00")))] == ["1"]


@pytest.mark.fault("W2")
@pytest.mark.parametrize("end_belongs", [False, True])
def test_both_ends_of_the_window_belong_to_it(logs: Logs, end_belongs: bool) -> None:
    """A line at the very end of the window is found, whichever way the service reads `endTime`."""
    logs.end_belongs = end_belongs
    put(logs, "one", *((NOON + n * SECOND, f"transaction a scored {n}") for n in (-2, -1, 0, 1, 2)))
    records = fetch(Stub(endpoint=logs.endpoint), key("a", NOON, SECOND))
    assert [record.fields["score"] for record in records] == ["-1", "0", "1"]


def test_overlapping_windows_are_read_once(endpoint: str) -> None:
    """Windows that overlap are one request; a window far off is another; no line comes twice."""
    stub = Stub(endpoint=endpoint)
    records = fetch(stub, key("a"), key("b", NOON + HOUR), key("a", NOON + 5 * HOUR))
    assert [record.fields["score"] for record in records] == ["5", "87", "99"]
    assert stub.calls == {"logs:FilterLogEvents": 2}


@pytest.mark.fault("W3")
def test_the_pages_after_an_empty_page_are_read(logs: Logs) -> None:
    """Pages that are empty or partly filled are followed by the next, until there is no token."""
    logs.scan = 2
    noise = [(NOON + n * SECOND, "noise") for n in range(7)]
    put(logs, "one", *noise, (NOON + 8 * SECOND, "transaction a scored 7"), *noise[:2])
    stub = Stub(endpoint=logs.endpoint)
    assert [r.fields["score"] for r in fetch(stub, key("a"), filter="transaction")] == ["7"]
    assert stub.calls == {"logs:FilterLogEvents": 5}


@pytest.mark.fault("W3")
def test_a_token_that_comes_again_and_again_is_for_later(logs: Logs) -> None:
    """The reading ends with TryAgain, so a part of the lines is never taken for all of them."""
    logs.stuck = True
    put(logs, "one", (NOON, "transaction a scored 7"))
    with pytest.raises(TryAgain, match=r"log group `/fraud`.*token"):
        fetch(Stub(endpoint=logs.endpoint), key("a"))


@pytest.mark.fault("W3")
def test_a_token_that_expired_is_for_later(logs: Logs) -> None:
    """The next delivery starts with a new token."""
    logs.scan = 1
    put(logs, "one", *((NOON, "transaction a scored 7") for _ in range(3)))
    stub = Stub(endpoint=logs.endpoint)
    stub.client("logs").meta.events.register("after-call", lambda **_: logs.expire())
    with pytest.raises(TryAgain):
        fetch(stub, key("a"))


@pytest.mark.fault("W6")
def test_a_throttled_call_is_made_again_and_then_left_for_later(logs: Logs) -> None:
    put(logs, "one", (NOON, "transaction a scored 7"))
    logs.throttle(1)
    assert len(fetch(Stub(endpoint=logs.endpoint), key("a"))) == 1
    logs.throttle(9)
    with pytest.raises(TryAgain, match="ThrottlingException"):
        fetch(Stub(endpoint=logs.endpoint), key("a"))


def test_a_filter_is_passed_on(endpoint: str, logs: Logs) -> None:
    """The option `filter` goes to CloudWatch Logs as it is, and nothing goes without it."""
    assert [r.fields["score"] for r in fetch(Stub(endpoint=endpoint), key("a"), filter='"model"')] == ["87"]
    assert len(fetch(Stub(endpoint=endpoint), key("a"))) == 2
    assert [request.get("filterPattern") for _, request in logs.requests] == ['"model"', None]


def test_a_filter_that_is_wrong_is_permanent(endpoint: str) -> None:
    with pytest.raises(GiveUp) as caught:
        fetch(Stub(endpoint=endpoint), key("a"), filter="%(a|b)%")
    assert caught.value.help == "check the option `filter`"


def test_without_a_window_nothing_is_read(endpoint: str) -> None:
    with pytest.raises(GiveUp) as caught:
        fetch(Stub(endpoint=endpoint), Key(fields={"transaction_id": "a"}))
    assert "window" in str(caught.value.help)


def test_a_missing_log_group_is_permanent(endpoint: str) -> None:
    with pytest.raises(GiveUp, match="/absent"):
        fetch(Stub(endpoint=endpoint), key("a"), log_group="/absent")


def test_no_keys_cost_no_call(endpoint: str) -> None:
    stub = Stub(endpoint=endpoint)
    assert fetch(stub) == []
    assert not stub.calls


OPTIONS = cloudwatch_logs.CloudWatchLogsOptions(log_group="/fraud", pattern=Pattern.parse(PATTERN))
LOOKUP = cloudwatch_logs.CloudWatchLogsLookup(OPTIONS)


def test_the_fields_are_known_from_the_pattern_alone() -> None:
    assert LOOKUP.known_fields() == ("transaction_id", "score")


@pytest.mark.parametrize("time", ["2026-07-01T10:00:00", "2026-07-01T10:00:00Z", "2026-07-01T12:00:00+02:00"])
def test_a_line_of_a_case_is_read_as_one_of_the_log_group(time: str) -> None:
    record = LOOKUP.record_of_case({"time": time, "message": "transaction a scored 5\n"})
    assert record == Record(
        fields={"transaction_id": "a", "score": "5"}, time=datetime(2026, 7, 1, 10, tzinfo=UTC)
    )
    assert LOOKUP.record_of_case({"time": time, "message": "started"}) is None


@pytest.mark.parametrize("time", ["yesterday", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-00:01"])
def test_a_line_of_a_case_needs_a_time_that_utc_can_express(time: str) -> None:
    with pytest.raises(BadRecord, match="`time` is no"):
        LOOKUP.record_of_case({"time": time, "message": "transaction a scored 5"})


def test_lines_of_json_are_found_by_fields_at_any_place(logs: Logs) -> None:
    """Texts, numbers and places below the top are keys, and lines that are no mapping of JSON are counted."""
    texts = [
        '{"id": "7", "n": 1}',
        '{"n": 2, "id": 7}',
        '{"id": [7], "n": 3}',
        '{"x": {"id": ["7"]}, "n": 4}',
        "[7]",
        "no",
    ]
    put(logs, "one", *((NOON + n * SECOND, text) for n, text in enumerate(texts)))
    for name, value, expected in (
        ("id", "7", [1, 2]),
        ("id", 7, [1, 2]),
        ("x.id[0]", "7", [4]),
        ("x.id[1]", "7", []),
    ):
        stub = Stub(endpoint=logs.endpoint)
        lookup = logs_lookup(stub, "/fraud", "", format="json")
        keys = [Key(fields={name: value}, since=NOON - HOUR, until=NOON + HOUR)]
        assert [record.fields["n"] for record in lookup.fetch(keys)] == expected
        assert (stub.lines, stub.unread_line) == ({"read": 6, "unread": 2}, "[7]")


@pytest.mark.parametrize("end", ["", ":*"])
def test_a_group_may_be_named_by_its_arn(endpoint: str, end: str) -> None:
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/fraud"
    lookup = logs_lookup(Stub(endpoint=endpoint), arn + end, PATTERN)
    assert [record.fields["score"] for record in lookup.fetch([key("a")])] == ["5", "87"]
    [statement] = lookup.permissions()
    assert statement.resources == (f"{arn}:*",)


@pytest.mark.parametrize("options", [{}, {"pattern": Pattern.parse("{a}"), "format": "json"}])
def test_a_line_is_read_in_exactly_one_way(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="`pattern`, `regex` and `format: json`"):
        cloudwatch_logs.CloudWatchLogsOptions(log_group="/g", **options)
