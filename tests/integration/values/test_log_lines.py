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
from kit import fakes
from kit.connect import logs_lookup
from kit.documents import examples
from kit.servers.logs import Logs
from kit.stubs import Stub
from kit.tables import table
from plait.engine.join import Joined, join
from plait.engine.lookup import look_up
from plait.engine.rows import Rows
from plait.language.spec import Join, Source, TimeWindow
from plait.plugin import GiveUp, Key
from plait.values.types import parse
from plait_connectors import cloudwatch_logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
START = int(NOON.timestamp()) * 1000
MINUTE = timedelta(minutes=1)
(CONNECTOR,) = cloudwatch_logs.plait_connectors()
SCORE = fakes.column("score", "string")


def source(window: timedelta, after: timedelta | None = None, **rule: Any) -> Source:
    """A source of scores, joined on `id` within a window around `at`."""
    around = TimeWindow(column="at", before=window, after=window if after is None else after)
    return fakes.source(SCORE, connector=CONNECTOR, join=Join(on=(("id", "id"),), **rule), window=around)


LATEST = source(MINUTE, duplicates="latest")


@pytest.fixture(scope="module")
def logs() -> Iterator[Logs]:
    """The stand-in; each test has a log group of its own."""
    with Logs() as server:
        yield server


def lookup(logs: Logs, group: str, pattern: str = "*order {id} scored {score}", **options: Any) -> Any:
    """The connector on a group."""
    return logs_lookup(Stub(endpoint=logs.endpoint), group, pattern, **options)


def joined(
    logs: Logs, group: str, rows: Sequence[tuple[Any, datetime]], source: Source, **options: Any
) -> Joined:
    """Rows of ids and times, joined with the lines of a group."""
    ids, times = [id for id, _ in rows], [at for _, at in rows]
    table = pa.table({"id": pa.array(ids, pa.string()), "at": pa.array(times, pa.timestamp("us", "UTC"))})
    answers, _ = look_up(source, lookup(logs, group, **options), table, {"id": parse("string")})
    return join(Rows(table, list(range(len(rows)))), answers, source)


def scores(logs: Logs, group: str, ids: Sequence[Any], **options: Any) -> list[Any]:
    """What each row of an id gets, by the whole way from the lines to the joined table."""
    outcome = joined(logs, group, [(id, NOON) for id in ids], LATEST, **options)
    assert not outcome.bad
    scores: list[Any] = outcome.rows.table["score"].to_pylist()
    return scores


def fetched(logs: Logs, group: str, pattern: str, **options: Any) -> list[dict[str, str]]:
    """The fields of every line that the pattern takes."""
    key = Key(fields={}, since=NOON - MINUTE, until=NOON + MINUTE)
    return [r.fields for r in lookup(logs, group, pattern, **options).fetch([key])]


@pytest.mark.fault("W7", "W8")
def test_every_text_without_spaces_finds_its_own_line_and_no_other(logs: Logs) -> None:
    ids = [text for text in hostile_texts(2_000) if text and len(text) < 999 and text.split() == [text]]
    assert len(ids) > 500
    logs.put("texts", *((START, f"order {id} scored {n}") for n, id in enumerate(ids[::2])))
    assert scores(logs, "texts", ids) == [str(n // 2) if n % 2 == 0 else None for n in range(len(ids))]


KEYS = st.text(max_size=20) | st.sampled_from(table("values/hostile_keys.yaml"))


@pytest.mark.fault("W7", "W8")
@given(st.lists(KEYS, min_size=1, max_size=5), st.sampled_from([None, "scored", '?a ?"b c"']))
@examples(0.5)
def test_no_key_is_ever_part_of_a_request(logs: Logs, ids: list[str], filter: str | None) -> None:
    """The filter is the one of the spec, so no key can add to it."""
    logs.put("quiet", (START, "order x scored 1"))
    logs.requests.clear()
    try:
        values = scores(logs, "quiet", ids, filter=filter)
    except UnicodeEncodeError:
        return
    assert not any(value for id, value in zip(ids, values, strict=True) if id != "x")
    expected = {
        "logGroupName": "quiet",
        "startTime": START - 60_000,
        "endTime": START + 60_001,
        "limit": 10_000,
    }
    expected |= {"filterPattern": filter} if filter else {}
    assert [request for _, request in logs.requests if request != expected] == []


@pytest.mark.fault("L2", "W7")
def test_the_latest_line_is_that_of_the_last_time_then_of_the_last_to_come_then_of_the_last_id(
    logs: Logs,
) -> None:
    logs.now = lambda: 1000.0
    logs.put("ties", (START + 5, "order a scored late"), (START, "order a scored early"))
    lines = ["order b scored first", "order c scored id-1", "order c scored id-2"]
    logs.put("ties", *((START, line) for line in lines))
    logs.now = lambda: 2000.0
    logs.put("ties", (START, "order b scored came-later"), (START - 1, "order b scored came-last-but-older"))
    assert scores(logs, "ties", ["a", "b", "c"]) == ["late", "came-later", "id-2"]


@pytest.mark.parametrize(("line", "fields"), table("values/log_lines.yaml"), ids=range(13))
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
    outcome = joined(logs, "halves", [("a", NOON), ("b", NOON)], LATEST)
    assert outcome.rows.table["score"].to_pylist() == ["1"]
    assert "surrogate" in outcome.bad[0].message


@pytest.mark.fault("W3", "W4")
@pytest.mark.parametrize("scan", [1, 7, 10_000])
def test_every_page_is_read_however_full_it_is(logs: Logs, scan: int) -> None:
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
    millisecond = timedelta(milliseconds=1)
    outcome = joined(
        logs,
        group,
        [(id, NOON + at * millisecond) for id, at in rows],
        source(before * millisecond, after * millisecond, shape="list"),
    )
    order = sorted(range(len(lines)), key=lambda n: (lines[n][1], n))
    assert outcome.rows.table["s"].to_pylist() == [
        [{"score": str(n)} for n in order if lines[n][0] == id and at - before <= lines[n][1] <= at + after]
        for id, at in rows
    ]
