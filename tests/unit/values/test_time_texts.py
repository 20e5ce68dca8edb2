"""Times in the words of strptime: what is taken, what is refused, and that what is written is read back."""

from __future__ import annotations

import locale
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from kit.tables import table
from plait.problems.errors import SpecValueError
from plait.values.conversion_error import ConversionError
from plait.values.time_texts import KINDS, TimeFormat

TABLE = table("values/time_texts.yaml")
DATES = ["%Y-%m-%d", "%Y%m%d", "%d.%m.%y", "%B %d, %Y", "%a %d %b %Y", "%A, %d/%m/%Y", "%Y/%j", "%j%Y"]
TIMES = ["", " %H:%M:%S", "T%H%M%S%f", " %I:%M:%S.%f %p", "%H%M%S", " %S.%f seconds of %H:%M"]
ZONES = ["", " %z", "%z"]


def read(text_format: str, zone: str | None, text: str) -> date:
    return replace(TimeFormat.parse(text_format), zone=zone).read(text)


@pytest.mark.parametrize(("text_format", "zone", "text", "expected"), TABLE["read"])
def test_a_text_is_the_time_that_its_format_says(
    text_format: str, zone: str | None, text: str, expected: str
) -> None:
    assert read(text_format, zone, text).isoformat().replace("+00:00", "Z") == expected


@pytest.mark.parametrize(("text_format", "zone", "text", "reason"), TABLE["refused"])
def test_a_text_that_the_format_does_not_write_is_refused(
    text_format: str, zone: str | None, text: str, reason: str
) -> None:
    with pytest.raises(ConversionError, match=reason):
        read(text_format, zone, text)


@given(
    st.sampled_from(DATES),
    st.sampled_from(TIMES),
    st.sampled_from(ZONES),
    st.datetimes(datetime(1969, 1, 2), datetime(2068, 12, 30)),
    st.integers(-23 * 60, 23 * 60),
)
def test_what_strftime_writes_is_read_back_as_strptime_does(
    day: str, time: str, zone: str, moment: datetime, offset: int
) -> None:
    text_format = day + time + zone
    text = moment.replace(tzinfo=timezone(timedelta(minutes=offset))).strftime(text_format)
    by_python = datetime.strptime(text, text_format)
    by_python = by_python.astimezone(UTC) if by_python.tzinfo else by_python.replace(tzinfo=UTC)
    value = read(text_format, None, text)
    assert value == (by_python if isinstance(value, datetime) else by_python.date())


@given(st.sampled_from(DATES), st.sampled_from(TIMES), st.text("0123456789 :./-TamPMjulyJan", max_size=30))
def test_what_is_taken_means_what_strptime_says_it_does(day: str, time: str, text: str) -> None:
    try:
        value = read(day + time, None, text)
    except ConversionError:
        return
    by_python = datetime.strptime(text, day + time)
    assert value == (by_python.replace(tzinfo=UTC) if isinstance(value, datetime) else by_python.date())


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2037, 1, 1)),
    st.sampled_from(["Europe/Madrid", "America/Lima", "Australia/Lord_Howe"]),
)
def test_a_local_time_is_the_one_instant_whose_clocks_show_it(instant: datetime, zone: str) -> None:
    shown = instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    assume(shown.utcoffset() == shown.replace(fold=1 - shown.fold).utcoffset())
    assert read("iso", zone, shown.replace(tzinfo=None).isoformat()) == instant.replace(tzinfo=UTC)


def test_names_are_english_whatever_the_locale() -> None:
    before = locale.setlocale(locale.LC_TIME)
    for name in ("de_DE.UTF-8", "es_ES.UTF-8", "C.UTF-8", before):
        try:
            locale.setlocale(locale.LC_TIME, name)
        except locale.Error:
            continue
        assert read("%d %b %Y", None, "01 Oct 2026") == date(2026, 10, 1)
    locale.setlocale(locale.LC_TIME, before)


@pytest.mark.parametrize(
    "letter", sorted({*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"} - {*KINDS})
)
def test_another_directive_is_refused(letter: str) -> None:
    with pytest.raises(SpecValueError, match=f"`%{letter}` is no directive"):
        TimeFormat.parse(f"%Y-%m-%d %{letter}")


@pytest.mark.parametrize("text", ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "yyyy-MM-dd", "%d %b"])
def test_a_format_has_a_whole_date(text: str) -> None:
    with pytest.raises(SpecValueError, match="so it writes no date"):
        TimeFormat.parse(text)
