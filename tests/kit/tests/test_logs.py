"""The stand-in for CloudWatch Logs answers as AWS documents it; where it does not know, it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from kit.servers.filters import RefusedError, matcher
from kit.servers.logs import DAY, PAGE_BYTES, Logs
from kit.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

PATTERNS = table("filter_patterns.yaml")


@pytest.mark.parametrize(("pattern", "letters"), PATTERNS["found"].items())
def test_patterns_find_what_the_documentation_says(pattern: str, letters: str) -> None:
    """Words, words of which one is needed, words that exclude, phrases, and regular expressions."""
    matches = matcher(pattern)
    assert "".join(letter for letter, line in PATTERNS["lines"].items() if matches(line)) == letters


@pytest.mark.parametrize("pattern", PATTERNS["refused"])
def test_a_pattern_that_is_not_known_is_refused(pattern: str) -> None:
    """It never means "all", as it does to a stand-in that knows less."""
    with pytest.raises(RefusedError):
        matcher(pattern)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_quoted_text_finds_exactly_the_lines_that_have_it(text: str) -> None:
    """Any text can be quoted: a backslash before quotes and backslashes."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    matches = matcher(quoted)
    assert matches(f"before{text}after")
    assert matches("other") == (text in ("", " ") or text in "other")


@pytest.fixture
def clock() -> list[float]:
    return [1_790_000_000.0]


@pytest.fixture
def logs(clock: list[float]) -> Iterator[Logs]:
    with Logs(now=lambda: clock[0]) as logs:
        yield logs


@pytest.fixture
def client(logs: Logs) -> Iterator[Any]:
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    keys: Any = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-west-1"}
    client = boto3.client("logs", endpoint_url=logs.endpoint, config=config, **keys)
    yield client
    client.close()


@pytest.fixture
def at(clock: list[float]) -> int:
    return int(clock[0] * 1000)


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def messages(client: Any, **request: Any) -> list[str]:
    pages = client.get_paginator("filter_log_events").paginate(logGroupName="g", **request)
    return [event["message"] for page in pages for event in page["events"]]


def test_groups_and_streams_are_made_once_and_events_need_both(client: Any, at: int) -> None:
    event = {"logEvents": [{"timestamp": at, "message": "one"}]}
    assert refusal(client.filter_log_events, logGroupName="g") == "ResourceNotFoundException"
    client.create_log_group(logGroupName="g")
    assert refusal(client.create_log_group, logGroupName="g") == "ResourceAlreadyExistsException"
    there = {"logGroupName": "g", "logStreamName": "s"}
    assert refusal(client.put_log_events, **there, **event) == "ResourceNotFoundException"
    client.create_log_stream(**there)
    assert refusal(client.create_log_stream, **there) == "ResourceAlreadyExistsException"
    client.put_log_events(**there, **event)
    assert messages(client) == ["one"]
    assert [group["logGroupName"] for group in client.describe_log_groups()["logGroups"]] == ["g"]
    assert client.describe_log_groups(logGroupNamePrefix="h")["logGroups"] == []


def test_a_batch_is_in_order_of_time_and_what_is_too_old_or_new_is_left_out(client: Any, at: int) -> None:
    client.create_log_group(logGroupName="g")
    client.create_log_stream(logGroupName="g", logStreamName="s")

    def put(*times: int) -> Any:
        events = [{"timestamp": time, "message": str(time)} for time in times]
        return client.put_log_events(logGroupName="g", logStreamName="s", logEvents=events)

    assert refusal(lambda: put(at, at - 1)) == "InvalidParameterException"
    assert refusal(lambda: put(at - DAY - 1, at)) == "InvalidParameterException"
    assert put(at - 15 * DAY, at - 14 * DAY)["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert put(at, at + DAY)["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert messages(client) == [str(at - 14 * DAY), str(at)]


def test_a_line_is_found_some_time_after_it_was_put(
    client: Any, logs: Logs, clock: list[float], at: int
) -> None:
    """Its own time and the time of its ingestion are what they were."""
    logs.put("g", (at, "quick"))
    logs.put("g", (at, "slow"), delay=30)
    assert messages(client) == ["quick"]
    clock[0] += 29.9
    assert messages(client) == ["quick"]
    clock[0] += 0.1
    assert messages(client) == ["quick", "slow"]
    event = client.filter_log_events(logGroupName="g")["events"][1]
    assert (event["timestamp"], event["ingestionTime"]) == (at, at)


@pytest.mark.parametrize("end_belongs", [False, True])
def test_a_stretch_of_time_begins_with_its_start(client: Any, logs: Logs, at: int, end_belongs: bool) -> None:
    """Whether its end belongs to it is said in two ways, so the stand-in can do both."""
    logs.put("g", *((at + n, str(n)) for n in range(5)))
    logs.end_belongs = end_belongs
    texts = messages(client, startTime=at + 1, endTime=at + 3)
    assert texts == ["1", "2", "3"][: 2 + end_belongs]


def test_events_come_by_time_then_by_ingestion_whatever_the_stream(
    client: Any, logs: Logs, clock: list[float], at: int
) -> None:
    logs.put("g", (at + 5, "third"), stream="a")
    clock[0] += 1
    logs.put("g", (at + 5, "fourth"), (at, "first"), stream="b")
    logs.put("g", (at + 1, "second"), stream="a")
    assert messages(client) == ["first", "second", "third", "fourth"]
    assert messages(client, logStreamNames=["b"]) == ["first", "fourth"]
    assert messages(client, logStreamNamePrefix="a") == ["second", "third"]
    both = {"logStreamNames": ["b"], "logStreamNamePrefix": "a"}
    assert refusal(client.filter_log_events, logGroupName="g", **both) == "InvalidParameterException"


def test_pages_may_be_partly_filled_or_empty_and_have_a_token(client: Any, logs: Logs, at: int) -> None:
    """A call looks at some events only; what of them matches is the page."""
    logs.scan = 2
    logs.put("g", *((at + n, word) for n, word in enumerate(["no", "no", "no", "yes", "no", "yes", "yes"])))
    pages = client.get_paginator("filter_log_events").paginate(logGroupName="g", filterPattern="yes")
    assert [len(page["events"]) for page in pages] == [0, 1, 1, 1]


def test_a_page_has_at_most_so_many_events_and_bytes(client: Any, logs: Logs, at: int) -> None:
    logs.put("g", *((at, "x") for _ in range(10_001)), stream="many")
    logs.put("h", *((at, "x" * (PAGE_BYTES // 2 - 25)) for _ in range(3)), stream="large")
    sizes = {}
    for group in "gh":
        pages = client.get_paginator("filter_log_events").paginate(logGroupName=group)
        sizes[group] = [len(page["events"]) for page in pages]
    assert sizes == {"g": [10_000, 1], "h": [1, 1, 1]}
    assert len(client.filter_log_events(logGroupName="g", limit=3)["events"]) == 3
    logs.scan = 20_000
    assert refusal(client.filter_log_events, logGroupName="g", limit=10_001) == "InvalidParameterException"


def test_a_token_continues_its_own_request_for_a_day(
    client: Any, logs: Logs, clock: list[float], at: int
) -> None:
    logs.scan = 1
    logs.put("g", (at, "one"), (at, "two"))
    token = client.filter_log_events(logGroupName="g")["nextToken"]
    wrong = {"logGroupName": "g", "filterPattern": "one", "nextToken": token}
    assert refusal(client.filter_log_events, **wrong) == "InvalidParameterException"
    clock[0] += 86_400
    assert client.filter_log_events(logGroupName="g", nextToken=token)["events"][0]["message"] == "two"
    clock[0] += 1
    assert refusal(client.filter_log_events, logGroupName="g", nextToken=token) == "InvalidParameterException"
    token = client.filter_log_events(logGroupName="g")["nextToken"]
    logs.expire()
    assert refusal(client.filter_log_events, logGroupName="g", nextToken=token) == "InvalidParameterException"


def test_calls_may_be_refused_and_are_written_down(client: Any, logs: Logs, at: int) -> None:
    logs.put("g", (at, "one"))
    logs.throttle(1)
    assert refusal(client.filter_log_events, logGroupName="g") == "ThrottlingException"
    assert refusal(client.filter_log_events, logGroupName="g", filterPattern="{ $.a = 1 }") == (
        "InvalidParameterException"
    )
    assert messages(client) == ["one"]
    assert [operation for operation, _ in logs.requests] == ["FilterLogEvents"] * 3
