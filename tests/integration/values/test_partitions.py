"""A partition value becomes one folder below the sink's path, from which it reads back."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.values.hostile import hostile_texts
from kit import tables
from kit.documents import examples
from kit.run import run
from plait.engine.partition import encode, folderless_rows, folders
from plait.language.forms import Partition
from plait.values.driver_path import HIVE_NULL, DriverPath
from plait.values.types import arrow_type, parse

PART = Partition(name="p", function="column", column="c")


@pytest.mark.fault("P11")
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4))
@examples(5)
def test_a_text_is_one_segment_that_reads_back(texts: list[str]) -> None:
    """In a driving path, in pyarrow and by Hive's rule; different texts have different folders, and none has that of null."""
    driver = DriverPath.parse("s3://lake/p={text}/*.json")
    for text in texts:
        if folderless_rows(pa.table({"c": [text]}), [PART]):
            continue
        segment = encode(text)
        assert unquote(segment, errors="strict") == text
        assert driver.match(f"s3://lake/p={segment}/a.json") == {"text": text}
        assert not set("/\\=\0") & set(segment)
        assert segment != HIVE_NULL
    assert len({encode(text) for text in texts}) == len(set(texts))


@pytest.mark.fault("P11")
@pytest.mark.parametrize("text", [".", "..", "../..", "a/../b", "%2F", "p=1/q=2", " ", "Señor", "東京"])
def test_a_text_that_means_something_to_paths_means_nothing(text: str) -> None:
    assert "/" not in encode(text)
    assert unquote(encode(text)) == text


@pytest.mark.parametrize(("kind", "value", "folder"), tables.table("values/folders.yaml"))
def test_a_value_of_any_type_is_written_as_athena_reads_it(kind: str, value: Any, folder: str) -> None:
    """A zero of a decimal has no exponent."""
    table = pa.table({"c": pa.array([value], arrow_type(parse(kind)))})
    assert folders(table, [PART]) == [f"p={folder}/"]


@pytest.mark.fault("P11")
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_a_folder_is_no_longer_than_a_name_may_be(text: str) -> None:
    """A longer one is a bad record, told without the value."""
    table = pa.table({"c": [text]})
    bad = folderless_rows(table, [PART])
    unnamed = text in ("", HIVE_NULL) or "\0" in text
    assert bool(bad) == (unnamed or len(folders(table, [PART])[0].rstrip("/").encode()) > 255)
    assert not bad or len(text) < 9 or text not in bad[0].message


@pytest.mark.fault("P11")
def test_no_row_is_written_outside_of_the_sink_whatever_its_partition(tmp_path: Path) -> None:
    """Every hostile text has its file in a folder of its own; what is too long is in quarantine."""
    texts = [*hostile_texts(300), "..", "../..", "/etc", "C:\\x", "é" * 40, "é" * 43, None]
    objects = [{"n": n, "p": text} for n, text in enumerate(texts)]
    blocks = {"partition_by": {"p": "p"}, "quarantine": f"{tmp_path}/bad/"}
    lake = run(tmp_path, objects, {"o": {"columns": {"n": "int", "p": "string"}}}, **blocks)
    report = lake.report
    file_of = {int(pq.read_table(f)["n"][0]): f for f in lake.files()}
    assert all(file.parents[1] == tmp_path / "out" for file in file_of.values())
    assert sorted(p.name for p in tmp_path.iterdir() if not p.name.startswith("object")) == ["bad", "out"]
    names = {n: unquote(file.parent.name.removeprefix("p=")) for n, file in file_of.items()}
    bad = {*folderless_rows(pa.table({"c": texts}), [PART])}
    expected = {n: HIVE_NULL if text is None else text for n, text in enumerate(texts) if n not in bad}
    assert names == expected
    assert (report.records.written, report.records.quarantined) == (len(expected), len(bad))
    assert len(bad) >= 6
