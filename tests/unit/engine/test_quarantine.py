"""A record in quarantine says all that is known of it, under a name of its own, and no more than the spec allows."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.paths import DATA, ROOT
from kit.run import put, records_in
from kit.specs import valid
from kit.tables import table
from plait.engine import quarantine
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.partition import file_name
from plait.engine.rows import Rows
from plait.engine.transform import Batch
from plait.language.spec import Spec
from plait.plugin import BadRecord, Item, Put, Record

BORN = datetime(2026, 7, 1, 12, 30, 0, 250_000, tzinfo=UTC)
SPEC = (DATA / "specs/quarantine.yaml").read_text(encoding="utf-8")
FIELDS = [
    *("format_version", "code", "message", "help", "pipeline", "spec_digest", "source"),
    *("object", "etag", "modified", "position", "faults", "more_faults"),
]
FAULT_FIELDS = ["code", "source", "column", "message", "help"]


def spec(root: str | Path = "nowhere", payload: str = "true", text: str = SPEC) -> Spec:
    """The valid spec in a folder."""
    return valid(text, ROOT=root, PAYLOAD=payload)


def run(root: Path, order: Any, items: str = "", payload: str = "true") -> dict[str, Any]:
    """Put an order, of a known age, and the items of any order, and run; the record that is in quarantine then."""
    put(root / "raw/a.json", order, BORN)
    if items:
        put(root / "items" / f"{json.loads(order)['id']}.csv", items)
    engine = Engine(spec(root, payload), Services())
    engine.run(engine.find())
    [record] = records_in(root / "bad")
    return record


def test_a_record_has_these_fields_in_this_order(tmp_path: Path) -> None:
    """Each is documented in `pipelines/README.md`; what is not known is null."""
    data = b'{"id": "a", "total": "much"}\r\n'
    document = run(tmp_path, data)
    assert [*document] == [*FIELDS, "raw"]
    etag = document.pop("etag")
    assert etag
    fault = {
        "code": "bad-value",
        "message": "column `total`: expected int, got the text `much`",
        "help": document["help"],
        "source": "orders",
    }
    assert document == {
        "format_version": 1,
        **fault,
        "faults": [{**fault, "column": "total"}],
        "more_faults": False,
        "pipeline": "orders",
        "spec_digest": spec(tmp_path).digest,
        "object": f"{tmp_path}/raw/a.json",
        "modified": "2026-07-01T12:30:00.250000Z",
        "position": "",
        "raw": data.decode(),
    }
    documented = (ROOT / "pipelines" / "README.md").read_text(encoding="utf-8")
    for field in [*FIELDS, "raw", "raw_base64"]:
        assert f"| `{field}`" in documented or f"`{field}` |" in documented


def test_bytes_that_are_no_text_are_base64(tmp_path: Path) -> None:
    data = b'{"id": "\xff"}'
    document = run(tmp_path, data)
    assert "raw" not in document
    assert base64.b64decode(document["raw_base64"]) == data


@pytest.mark.parametrize(
    ("order", "items", "source"),
    [
        ('{"id": "a", "total": "x"}', "", "orders"),
        ('{"id": "a"}', "count\nmany\n", "items"),
        ('{"id": "a/b"}', "", "items"),
        ('{"id": "twice"}', "", "people"),
    ],
)
def test_the_source_that_is_to_blame_is_named(tmp_path: Path, order: str, items: str, source: str) -> None:
    """A fault of a look-up's record, of its path or of its matches is the look-up's, not the driver's."""
    document = run(tmp_path, order, items)
    assert (document["source"], document["raw"]) == (source, order)


CANARY = "".join(f"c{n:03}" for n in range(60))


@pytest.mark.fault("S10")
@pytest.mark.parametrize("texts", table("excerpts.yaml"), ids=lambda texts: str(texts)[:60])
def test_without_payload_a_record_holds_no_more_than_short_excerpts(
    tmp_path: Path, texts: dict[str, str]
) -> None:
    """With `payload: false` neither the raw record nor any field has more than 40 characters of a value."""
    texts = {key: text.replace("CANARY", CANARY) for key, text in texts.items()}
    packed = base64.b64encode(texts.get("packed", "").encode()).decode()
    order = texts.get("order") or json.dumps({"id": "a", "packed": packed})
    document = run(tmp_path, order, texts.get("items", ""), payload="false")
    assert [*document] == FIELDS
    text = json.dumps(document)
    assert not [n for n in range(len(CANARY) - 41) if CANARY[n : n + 41] in text]
    assert "\n" not in document["message"]


WIDE = """
plait: 1
name: wide
sources:
  orders:
    connector: json
    path: ROOT/raw/*.json
    columns: {COLUMNS}
sink: {connector: parquet, path: ROOT/lake/}
quarantine: ROOT/bad
"""


@pytest.mark.parametrize(("columns", "more"), [(2, False), (100, False), (101, True), (300, True)])
def test_a_record_tells_a_hundred_of_its_faults_and_whether_there_are_more(
    tmp_path: Path, columns: int, more: bool
) -> None:
    """In the order of the columns; each is a warning of the report too."""
    names = [f"c{number}" for number in range(columns)]
    put(tmp_path / "raw/a.json", json.dumps(dict.fromkeys(names, "x")))
    put(tmp_path / "raw/b.json", json.dumps(dict.fromkeys(names, 1)))
    text = WIDE.replace("COLUMNS", ", ".join(f"{name}: int" for name in names))
    engine = Engine(valid(text, ROOT=tmp_path), Services())
    report = engine.run(engine.find())
    [record] = records_in(tmp_path / "bad")
    assert [fault["column"] for fault in record["faults"]] == names[:100]
    assert all([*fault] == FAULT_FIELDS and fault["help"] for fault in record["faults"])
    assert record["more_faults"] == more
    assert (report.records.written, len(report.problems)) == (1, min(columns, 100))


def put_of(record: Record, error: BadRecord, spec: Spec, word: str = "") -> Put:
    """The file of the one bad record of a batch, whose driver has this word for positions."""
    batch = Batch([record], Rows(None, []), bad={0: error}, position_word=word)
    [file] = quarantine.puts_of(batch, {}, spec)
    return file


@given(st.text(min_size=1), st.sampled_from(["", "1", "20"]), st.binary(), st.booleans())
def test_what_was_set_aside_can_be_read_again(uri: str, position: str, raw: bytes, payload: bool) -> None:
    """For any URI, position and bytes; and under another name, or of another pipeline, it is none of ours."""
    own_spec = spec(payload=str(payload).lower())
    uri = f"s3://bucket/{uri}"
    record = Record(fields={}, item=Item(uri=uri, modified=BORN), position=position, raw=raw)
    file = put_of(record, BadRecord("why", code="bad-value"), own_spec, "line" if position else "")
    assert file.uri == f"{quarantine.folder_of(own_spec)}{file_name(uri)}.json{'l' if position else ''}"
    item, renamed = Item(uri=file.uri), Item(uri=file.uri.replace(".json", "0.json"))
    [read] = quarantine.read_records(item, file.data, own_spec)
    assert (read.object, read.position, read.modified) == (uri, position, BORN)
    assert [(fault.code, fault.source, fault.column) for fault in read.faults] == [
        ("bad-value", "orders", None)
    ]
    assert read.raw is None
    [with_raw] = quarantine.read_records(item, file.data, own_spec, with_raw=True)
    assert with_raw.raw == (raw if payload else None)
    assert quarantine.read_records(renamed, file.data, own_spec) == []
    other = spec(text=SPEC.replace("name: orders", "name: others"))
    assert quarantine.read_records(item, file.data, other) == []


values = st.none() | st.text() | st.integers()
documents = st.recursive(values, st.lists) | st.dictionaries(
    st.sampled_from([*FIELDS, "x"]), values | st.lists(st.none())
)


@given(st.binary(max_size=60) | documents.map(lambda document: json.dumps(document).encode()))
def test_any_other_file_is_no_record(data: bytes) -> None:
    assert quarantine.read_records(Item(uri="nowhere/bad/x.json"), data, spec()) == []


def stored(uri: str, at: str = "nowhere/bad", payload: str = "true", **more: Any) -> tuple[str, bytes]:
    """Where a record is kept, and as what."""
    record = Record(fields={}, item=Item(uri=uri, **more), position="", raw=b"")
    error = BadRecord("what was `7`", code="bad-value", bare="what was it")
    file = put_of(record, error, spec(payload=payload, text=SPEC.replace("ROOT/bad", at)))
    return file.uri, file.data


@pytest.mark.parametrize(
    ("path", "folder"),
    [("s3://b/bad", "s3://b/bad/"), ("s3://b/bad/", "s3://b/bad/"), ("s3://b/INBOX/", "s3://b/INBOX/")],
)
def test_a_record_alone_in_its_object_is_named_by_the_object(path: str, folder: str) -> None:
    """Whether the folder of the spec ends in a slash or not."""
    uri, _ = stored("s3://b/1.json", path)
    assert uri == f"{folder}{file_name('s3://b/1.json')}.json"


def test_a_record_is_read_by_people_too() -> None:
    """One field on each line, slightly indented, those of its one fault too, each letter as it is."""
    _, data = stored("s3://b/año.json")
    lines = data.decode().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("{", "}", len(FIELDS) + len(FAULT_FIELDS) + 6)
    assert ' "object": "s3://b/año.json",' in lines


def test_a_name_that_is_no_unicode_is_kept() -> None:
    """A file system has such names; they read back as they are."""
    _, data = stored("raw/\udcff.json")
    assert json.loads(data)["object"] == "raw/\udcff.json"


def test_an_object_of_unknown_age_has_none() -> None:
    uri, data = stored("s3://b/1.json")
    assert json.loads(data)["modified"] is None
    record = quarantine.QuarantinedRecord(
        item=Item(uri=uri),
        object="s3://b/1.json",
        position="",
        modified=None,
        faults=(quarantine.Fault(code="bad-value", source="orders", message="what was `7`", help=None),),
    )
    assert quarantine.read_records(Item(uri=uri), data, spec()) == [record]


def test_a_record_that_was_put_there_before_all_faults_were_told_is_read_with_its_one() -> None:
    """Such a file has no `faults`."""
    uri, data = stored("s3://b/1.json")
    old = {key: value for key, value in json.loads(data).items() if "fault" not in key}
    read = quarantine.read_records(Item(uri=uri), json.dumps(old).encode(), spec())
    assert read == quarantine.read_records(Item(uri=uri), data, spec())


@pytest.mark.parametrize(("payload", "message"), [("true", "what was `7`"), ("false", "what was it")])
def test_the_message_holds_a_value_only_where_the_payload_is_kept(payload: str, message: str) -> None:
    _, data = stored("s3://b/1.json", payload=payload)
    assert json.loads(data)["message"] == message


@pytest.mark.parametrize("file", ["x.json", f"{'0' * 32}.txt", f"{'0' * 32}-0.json", f"in/{'0' * 32}.json"])
def test_a_file_of_another_name_is_of_no_object(file: str) -> None:
    assert quarantine.object_stem(f"bad/{file}", "bad/") is None


def test_an_age_is_told_in_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    _, data = stored("s3://b/1.json", modified=BORN.astimezone(ZoneInfo("Europe/Madrid")))
    monkeypatch.undo()
    time.tzset()
    assert json.loads(data)["modified"] == "2026-07-01T12:30:00.250000Z"
