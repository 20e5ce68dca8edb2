"""Whatever is wrong with the bytes of an object or a file, its bad record says what to do about it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from kit.connect import csv_lookup, json_driver, single_records
from kit.documents import csv_documents, examples, json_documents, spoiled
from plait.plugin import Item, Key, Place

if TYPE_CHECKING:
    from plait.plugin import Record

STARTS = [
    b"",
    b"[",
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"\xff\xfe",
    b"<html>",
    b"<?xml ",
    b"\xef\xbb\xbf",
    b"{}\n{}",
]
documents = st.builds(bytes.__add__, st.sampled_from(STARTS), spoiled(json_documents | csv_documents))


def faults_without_help(records: list[Record]) -> list[str]:
    """The messages of bad records that say nothing to do."""
    return [record.fault.message for record in records if record.fault and not record.fault.help]


@given(documents, st.sampled_from(["document", "lines", "list", "a", "a[0].b"]))
@examples(2)
def test_a_bad_object_of_json_has_a_help(data: bytes, records: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.json").write_bytes(data)
        driver: Any = json_driver(f"{folder}/*.json", records=Place.parse(records))
        assert faults_without_help([*driver.read([Item(uri=f"{folder}/a.json")])]) == []


@given(documents)
@examples(2)
def test_a_bad_file_of_csv_has_a_help(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.csv").write_bytes(data)
        answers = csv_lookup(f"{folder}/{{id}}.csv").fetch([Key(fields={"id": "a"})])
        assert faults_without_help([*single_records(answers)]) == []
