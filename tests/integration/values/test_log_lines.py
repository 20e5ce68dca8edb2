"""Lines of any text, keys of any text, several lines for a key: `cloudwatch_logs` against a strict stand-in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.values.hostile import hostile_texts
from kit.documents import examples
from kit.logs import Logs
from kit.stubs import Stub
from plait.engine.join import Rows, join
from plait.engine.lookup import look_up
from plait.language.spec import Column, Join, Source, TimeWindow
from plait.plugin import GiveUp, Key, Pattern, TryAgain
from plait.values.types import parse
from plait_connectors import cloudwatch_logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
START = int(NOON.timestamp()) * 1000
MINUTE = timedelta(minutes=1)
(CONNECTOR,) = cloudwatch_logs.plait_connectors()
SCORE = Column(name="score", type=parse("string"), origin="score", selector=("score",))
SOURCE = Source(
    name="fraud",
    connector=CONNECTOR,
    options=None,
    columns=(SCORE,),
    decode={},
    join=Join(on=(("id", "id"),), duplicates="latest"),
    window=TimeWindow(column="at", before=MINUTE, after=MINUTE),
)


@pytest.fixture(scope="module")
def logs() -> Iterator[Logs]:
    """The stand-in; each test has a log group of its own."""
    with Logs() as server:
        yield server


def lookup(logs: Logs, group: str, pattern: str = "*order {id} scored {score}", **options: Any) -> Any:
    """The connector on a group."""
    made = cloudwatch_logs.CloudWatchLogsOptions(log_group=group, pattern=Pattern.parse(pattern), **options)
    return cloudwatch_logs.CloudWatchLogsLookup(made, Stub(endpoint=logs.endpoint))


def scores(logs: Logs, group: str, ids: Sequence[Any], **options: Any) -> list[Any]:
    """What each row of an id gets, by the whole way from the lines to the joined table."""
    rows = pa.table(
        {"id": pa.array(ids, pa.string()), "at": pa.array([NOON] * len(ids), pa.timestamp("us", "UTC"))}
    )
    kinds: Any = {"id": parse("string")}
    answers, _ = look_up(SOURCE, lookup(logs, group, **options), rows, kinds)
    joined = join(Rows(rows, list(range(len(ids)))), answers, SOURCE)
    assert not joined.bad
    found: list[Any] = joined.rows.table["score"].to_pylist()
    return found


def fetched(logs: Logs, group: str, pattern: str, **options: Any) -> list[dict[str, str]]:
    """The fields of every line that the pattern takes."""
    key = Key(fields={}, since=NOON - MINUTE, until=NOON + MINUTE)
    return [r.fields for r in lookup(logs, group, pattern, **options).fetch([key])]


@pytest.mark.fault("W7", "W8")
def test_every_text_without_spaces_finds_its_own_line_and_no_other(logs: Logs) -> None:
    """Whatever it means to patterns, filters or expressions."""
    ids = [text for text in hostile_texts(2_000) if text and len(text) < 999 and text.split() == [text]]
    assert len(ids) > 500
    logs.put("texts", *((START, f"order {id} scored {n}") for n, id in enumerate(ids[::2])))
    assert scores(logs, "texts", ids) == [str(n // 2) if n % 2 == 0 else None for n in range(len(ids))]


@pytest.mark.fault("W8")
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5), st.sampled_from([None, "scored", '?a ?"b c"']))
@examples(0.5)
def test_no_key_is_ever_part_of_a_request(logs: Logs, ids: list[str], filter: str | None) -> None:
    """The filter is the one of the spec, so no key can add to it."""
    logs.put("quiet", (START, "order x scored 1"))
    logs.requests.clear()
    try:
        scores(logs, "quiet", ids, filter=filter)
    except UnicodeEncodeError:
        return
    for _, request in logs.requests:
        asked = {
            "logGroupName": "quiet",
            "startTime": START - 60_000,
            "endTime": START + 60_001,
            "limit": 10_000,
        }
        assert request == asked | ({"filterPattern": filter} if filter else {})


@pytest.mark.fault("L2", "W7")
def test_the_latest_line_is_that_of_the_last_time_then_of_the_last_to_come_then_of_the_last_id(
    logs: Logs,
) -> None:
    """However the pages bring them."""
    logs.now = lambda: 1000.0
    logs.put("ties", (START + 5, "order a scored late"), (START, "order a scored early"))
    logs.put(
        "ties",
        (START, "order b scored first"),
        (START, "order c scored id-1"),
        (START, "order c scored id-2"),
    )
    logs.now = lambda: 2000.0
    logs.put("ties", (START, "order b scored came-later"), (START - 1, "order b scored came-last-but-older"))
    assert scores(logs, "ties", ["a", "b", "c"]) == ["late", "came-later", "id-2"]


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("order a scored 1\n", {"id": "a", "score": "1"}),
        ("order a scored 1\r\n\n", {"id": "a", "score": "1"}),
        ("two\nlines\norder a scored 1", {"id": "a", "score": "1"}),
        ("order a scored 1\nand more", None),
        ("\0order \0 scored \x1b[31m1", {"id": "\0", "score": "\x1b[31m1"}),
        ("order 😀 scored é", {"id": "😀", "score": "é"}),
        ("order a\u00a0b scored 1", None),
        ("x" * 262_000 + "order a scored 1", {"id": "a", "score": "1"}),
        ("order " * 43_000, None),
        ("order " + "a" * 262_000 + " scored 1", {"id": "a" * 262_000, "score": "1"}),
        ('{"message": "order a scored 1"}', {"id": "a", "score": '1"}'}),
        ("order a scored 1 ", None),
        ("order  a scored 1", None),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_line_of_any_text_gives_its_fields_or_nothing(
    logs: Logs, request: Any, line: str, fields: Any
) -> None:
    """Up to the 256 KiB that a line may have."""
    group = request.node.name
    logs.put(group, (START, line))
    assert fetched(logs, group, "*order {id} scored {score}") == ([fields] if fields else [])


def test_half_of_a_surrogate_pair_in_a_value_is_a_bad_record(logs: Logs) -> None:
    """Of the row that it would join; other rows go on."""
    logs.put("halves", (START, "order a scored \ud800"), (START, "order b scored 1"))
    rows = pa.table({"id": ["a", "b"], "at": pa.array([NOON] * 2, pa.timestamp("us", "UTC"))})
    answers, _ = look_up(SOURCE, lookup(logs, "halves"), rows, {"id": parse("string")})
    joined = join(Rows(rows, [0, 1]), answers, SOURCE)
    assert joined.rows.table["score"].to_pylist() == ["1"]
    assert "surrogate" in joined.bad[0].message


@pytest.mark.fault("W3", "W4")
@pytest.mark.parametrize("scan", [1, 7, 10_000])
def test_every_page_is_read_however_full_it_is(logs: Logs, scan: int) -> None:
    """No number of lines is the most that is found."""
    lines = 30 if scan < 10_000 else 25_001
    logs.put(f"pages{scan}", *((START, f"order {n} scored {n}") for n in range(lines)))
    logs.scan = scan
    try:
        assert len(fetched(logs, f"pages{scan}", "order {id} scored {score}")) == lines
    finally:
        logs.scan = 10_000


@pytest.mark.fault("W4")
def test_more_lines_than_the_limit_are_an_error_that_says_what_to_do(logs: Logs) -> None:
    """Lines that do not match count too: they are what takes the time."""
    logs.put("busy", *((START, f"line {n}") for n in range(11)))
    assert fetched(logs, "busy", "order {id}", max_lines=11) == []
    with pytest.raises(GiveUp) as caught:
        fetched(logs, "busy", "order {id}", max_lines=10)
    assert caught.value.message == "log group `busy` has more than 10 lines in the time of the rows"
    assert caught.value.help == "shorten the `window`, let `filter` name fewer lines, or raise `max_lines`"


@pytest.mark.fault("W3")
def test_a_token_that_comes_again_and_again_ends_the_reading(logs: Logs) -> None:
    """It is left for later, and never read for ever."""
    logs.put("stuck", (START, "order a scored 1"))
    logs.stuck = True
    try:
        with pytest.raises(TryAgain, match="token"):
            fetched(logs, "stuck", "order {id} scored {score}")
    finally:
        logs.stuck = False


@pytest.mark.fault("W6")
def test_throttling_is_tried_again_and_then_left_for_later(logs: Logs) -> None:
    """First by the client, then by whoever sent the object."""
    logs.put("throttled", (START, "order a scored 1"))
    logs.throttle(1)
    assert len(fetched(logs, "throttled", "order {id} scored {score}")) == 1
    logs.throttle(2)
    with pytest.raises(TryAgain, match="Throttling"):
        fetched(logs, "throttled", "order {id} scored {score}")


@pytest.mark.fault("W2")
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=8),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), max_size=8),
    st.integers(0, 9),
    st.integers(0, 9),
)
@examples(0.5)
def test_each_row_takes_the_lines_of_its_own_window(
    logs: Logs, rows: list[tuple[str, int]], lines: list[tuple[str, int]], before: int, after: int
) -> None:
    """Whatever other rows had fetched, with both ends, to the millisecond."""
    group = f"windows {json.dumps([rows, lines, before, after])}"
    logs.put(
        group,
        (START, "no order"),
        *((START + at, f"order {id} scored {n}") for n, (id, at) in enumerate(lines)),
    )
    milliseconds = timedelta(milliseconds=1)
    times = [NOON + at * milliseconds for _, at in rows]
    table = pa.table(
        {
            "id": pa.array([id for id, _ in rows], pa.string()),
            "at": pa.array(times, pa.timestamp("us", "UTC")),
        }
    )
    window = TimeWindow(column="at", before=before * milliseconds, after=after * milliseconds)
    source = Source(
        name="fraud", connector=CONNECTOR, options=None, columns=(SCORE,), decode={},
        join=Join(on=(("id", "id"),), shape="list"), window=window,
    )  # fmt: skip
    answers, _ = look_up(source, lookup(logs, group), table, {"id": parse("string")})
    found = join(Rows(table, list(range(len(rows)))), answers, source).rows.table["fraud"].to_pylist()
    order = sorted(range(len(lines)), key=lambda n: (lines[n][1], n))
    assert found == [
        [{"score": str(n)} for n in order if lines[n][0] == id and at - before <= lines[n][1] <= at + after]
        for id, at in rows
    ]
