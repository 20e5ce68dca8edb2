"""The connector `csv`, on local folders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.connect import csv_lookup, single_records
from plait.plugin import GiveUp, Key, KeyFailed, LookupPath, Record
from plait_connectors._csv_file import parse
from plait_connectors._csv_options import CsvOptions, Delimiter, Mark
from plait_connectors.csv import CsvLookup, plait_connectors

if TYPE_CHECKING:
    from pathlib import Path


def fetch(folder: Any, *keys: Any, name: Any = "{id}.csv", **options: Any) -> Any:
    lookup = csv_lookup(f"{folder}/{name}", **options)
    distinct_keys = [Key(fields=key if isinstance(key, dict) else {"id": key}) for key in keys]
    return [*single_records(lookup.fetch(distinct_keys))]


def fetch_file(tmp_path: Path, data: bytes, **options: Any) -> Any:
    (tmp_path / "a.csv").write_bytes(data)
    return fetch(tmp_path, "a", **options)


def test_the_word_is_csv_and_the_path_names_columns_of_the_row() -> None:
    (connector,) = plait_connectors()
    lookup = CsvLookup(CsvOptions(path=LookupPath.parse("./{a}/{b}.csv")))
    assert (connector.name, lookup.order, lookup.row_columns()) == ("csv", "position", ("a", "b"))


def test_lines_of_the_files_of_all_keys_in_order(tmp_path: Path) -> None:
    (tmp_path / "7.csv").write_text("sku,n\nx,1\ny,2\n")
    (tmp_path / "8.csv").write_text("sku,n\r\nz,3")
    records = fetch(tmp_path, 8, "none", None, "", 7, "7")
    assert [(r.position, r.fields) for r in records] == [
        ("line 2", {"sku": "z", "n": "3", "id": "8"}),
        ("line 2", {"sku": "x", "n": "1", "id": "7"}),
        ("line 3", {"sku": "y", "n": "2", "id": "7"}),
    ]


def test_two_keys_of_one_file_each_get_its_lines(tmp_path: Path) -> None:
    (tmp_path / "xyz.csv").write_text("n\n1\n")
    records = fetch(tmp_path, {"a": "x", "b": "yz"}, {"a": "xy", "b": "z"}, name="{a}{b}.csv")
    assert [r.fields for r in records] == [{"a": "x", "b": "yz", "n": "1"}, {"a": "xy", "b": "z", "n": "1"}]


@pytest.mark.fault("C4")
def test_an_unquoted_empty_field_is_null_and_words_are_text(tmp_path: Path) -> None:
    (record,) = fetch_file(tmp_path, b'a,b,c,d,e\n,"",NA,007,1e5\n')
    assert record.fields == {"a": None, "b": "", "c": "NA", "d": "007", "e": "1e5", "id": "a"}


@pytest.mark.fault("C2")
def test_quotes_newlines_blank_lines_a_mark_and_another_delimiter(tmp_path: Path) -> None:
    records = fetch_file(tmp_path, b'\xef\xbb\xbfa;b\r\n\r\n"x\r\ny";"1 ""q"""\r\nz;2\r\n', delimiter=";")
    assert [(r.position, r.fields["a"], r.fields["b"]) for r in records] == [
        ("line 3", "x\r\ny", '1 "q"'),
        ("line 5", "z", "2"),
    ]


@pytest.mark.fault("C2")
def test_a_line_of_another_width_is_a_fault_of_its_own(tmp_path: Path) -> None:
    records = fetch_file(tmp_path, b"a,b\n1,2,3\n4,5\n6\n")
    assert [(r.position, r.fault is not None) for r in records] == [
        ("line 2", True),
        ("line 3", False),
        ("line 4", True),
    ]
    assert records[0].fields == {"id": "a"}
    assert "line 2 has 3 fields, the header has 2" in records[0].fault.message


def test_a_header_alone_has_no_records(tmp_path: Path) -> None:
    assert fetch_file(tmp_path, b"a,b\n") == []


def test_a_field_that_contradicts_the_path_is_a_fault(tmp_path: Path) -> None:
    agree, differ, null = fetch_file(tmp_path, b"id,n\na,1\nb,2\n,3\n")
    assert agree.fields == {"id": "a", "n": "1"}
    assert "line 3" in differ.fault.message
    assert null.fault is not None


@pytest.mark.fault("S8")
def test_a_key_that_leads_elsewhere_is_a_fault(tmp_path: Path) -> None:
    (record,) = fetch(tmp_path, "../a")
    assert record.fields == {"id": "../a"}
    assert "../a" not in record.fault.message


def test_what_cannot_be_read_is_a_failure_of_its_key_alone() -> None:
    (record,) = fetch(".", "a", name="\0{id}")
    assert record.fields == {"id": "a"}
    assert isinstance(record.fault, KeyFailed)
    assert isinstance(record.fault.error, GiveUp)


@pytest.mark.parametrize("text", ["", ";;", "é", '"', "\n", "\r", "\0"])
def test_a_delimiter_is_one_character_that_is_neither_a_quote_nor_a_line_end(text: str) -> None:
    assert Delimiter.parse(";") == ";"
    with pytest.raises(ValueError, match="one character"):
        Delimiter.parse(text)


@pytest.mark.parametrize("text", ["", "''", "é", " ", "\n", "\t"])
def test_a_quote_or_an_escape_is_one_visible_character_or_none(text: str) -> None:
    assert [Mark.parse(mark) for mark in ("", "'", "\\")] == ["", "'", "\\"]
    if text:
        with pytest.raises(ValueError, match="one visible character"):
            Mark.parse(text)


CELL = st.none() | st.text(st.sampled_from("a;|'\"\\\r\n é-"), max_size=4)


@given(
    st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5),
    st.sampled_from("'\""),
    st.sampled_from(["", "\\", "|"]),
    st.sampled_from([(), ("-",), ("a", "é")]),
    st.integers(0, 2),
    st.randoms(use_true_random=False),
)
def test_what_is_written_in_a_dialect_is_read_as_it_was(
    rows: list[tuple[str | None, ...]], quote: str, escape: str, null: tuple[str, ...], skip: int, random: Any
) -> None:
    """Texts are in quotes, where the quote is doubled or escaped; a null is nothing, or one of the words."""

    def written(cell: str | None) -> str:
        if cell is None:
            return str(random.choice(["", *null]))
        text = cell.replace(escape, escape * 2) if escape else cell
        return quote + text.replace(quote, random.choice([quote, escape or quote]) + quote) + quote

    lines = [";".join(map(written, row)) for row in rows]
    data = "".join(f"{line}\r\n" for line in [*["'x\""] * skip, *lines]).encode()
    options = CsvOptions(
        path=LookupPath.parse("./{id}.csv"),
        delimiter=Delimiter(";"),
        quote=Mark(quote),
        escape=Mark(escape),
        null=null,
        header=("a", "b"),
        skip=skip,
    )
    expected = [{"a": a, "b": b} for a, b in rows]
    assert [fields for _, fields in parse(data, options, None)] == expected


def test_a_row_of_a_case_is_texts_and_nulls_as_in_a_file() -> None:
    row = {"a": 12, "b": Decimal("1.50"), "c": True, "d": None, "e": "x"}
    record = csv_lookup("./{id}.csv").record_of_case(row)
    assert record == Record(fields={"a": "12", "b": "1.50", "c": "true", "d": None, "e": "x"})
