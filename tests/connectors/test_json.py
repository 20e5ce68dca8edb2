"""The connector `json`, on local folders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from kit.connect import json_driver
from plait.plugin import BadRecord, Item, Missing, ReadFailure, Window
from plait_connectors.json import parse

if TYPE_CHECKING:
    from pathlib import Path


def test_objects_are_listed_matched_and_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/b.json").write_text('{"id": 1, "total": 1.10}')
    (tmp_path / "in/a b.json").write_text('{"id": 2}')
    (tmp_path / "in/a.txt").write_text("no")
    orders = json_driver("./in/{name}.json")
    items = [*orders.list(Window())]
    assert [i.uri for i in items] == ["in/a b.json", "in/b.json"]
    assert orders.accepts("./in/x.json")
    assert not orders.accepts("in/x.txt")
    first, gone, second = orders.read([items[0], Item(uri="in/none.json"), items[1]])
    assert first.fields == {"name": "a b", "id": 2}
    assert gone == ReadFailure(Item(uri="in/none.json"), Missing("in/none.json"))
    assert second.fields == {"name": "b", "id": 1, "total": Decimal("1.10")}
    assert second.item == items[1]
    assert second.raw == b'{"id": 1, "total": 1.10}'


def test_a_window_takes_what_was_modified_within(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    now = datetime.now(UTC)
    orders = json_driver(f"{tmp_path}/*.json")
    assert len([*orders.list(Window(since=now - timedelta(hours=1), until=now + timedelta(hours=1)))]) == 1
    assert [*orders.list(Window(until=now - timedelta(hours=1)))] == []


def test_a_field_that_contradicts_the_path_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "7.json").write_text('{"id": 8}')
    (record,) = json_driver(f"{tmp_path}/{{id}}.json").read([Item(uri=f"{tmp_path}/7.json")])
    assert "`id`" in record.fault.message
    assert record.fields == {"id": "7"}


@pytest.mark.fault("J3")
@pytest.mark.parametrize("size", [None, 21, 5])
def test_an_object_above_the_limit_is_a_fault(tmp_path: Path, size: Any) -> None:
    (tmp_path / "a.json").write_text('{"id": "abcdefghijk"}')
    (record,) = json_driver(f"{tmp_path}/*.json", max_bytes=10).read(
        [Item(uri=f"{tmp_path}/a.json", size=size)]
    )
    assert "21 bytes are more than the limit of 10" in record.fault.message
    assert record.raw == b""


def test_the_limit_is_for_the_size_of_the_object_as_it_is_read(tmp_path: Path) -> None:
    """An object that shrank since it was listed or announced is read."""
    (tmp_path / "a.json").write_text('{"id": 1}')
    (record,) = json_driver(f"{tmp_path}/*.json", max_bytes=10).read(
        [Item(uri=f"{tmp_path}/a.json", size=99)]
    )
    assert record.fields == {"id": 1}


@pytest.mark.fault("J1", "J6")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"a": "secret"', "byte 14"),
        (b'{"a": 1} secret', "byte 9"),
        (b'\xef\xbb\xbf{"\xc3\xb1": secret}', "byte 10"),
        (b'{"x": {"secret": 1, "secret": 2}}', "twice"),
    ],
)
def test_what_is_no_strict_json_object_is_refused_without_showing_it(data: bytes, message: str) -> None:
    """Whatever else is refused is in the corpus of `tests/laws/test_corpus.py`."""
    with pytest.raises(BadRecord, match=message) as caught:
        parse(data)
    assert "secret" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.fault("J7", "J8")
def test_numbers_keep_every_digit() -> None:
    data = b'\xef\xbb\xbf{"a": 1e999, "b": 0.12345678901234567890123, "c": 12345678901234567890, "d": "\\ud83d\\ude00"}'
    assert parse(data) == {
        "a": Decimal("1e999"),
        "b": Decimal("0.12345678901234567890123"),
        "c": 12345678901234567890,
        "d": "😀",
    }
