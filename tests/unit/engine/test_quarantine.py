"""A record in quarantine says all that is known of it, under a name of its own, and no more than the spec allows."""

from __future__ import annotations

import base64
import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.paths import ROOT
from kit.specs import valid
from plait.engine import quarantine
from plait.engine.context import Services
from plait.engine.engine import Engine
from plait.engine.files import file_name
from plait.language.spec import Spec
from plait.plugin import BadRecord, Item, Record

BORN = datetime(2026, 7, 1, 12, 30, 0, 250_000, tzinfo=UTC)
SPEC = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: ROOT/raw/*.json
    decode:
      packed: [base64, json]
      note: [{pattern: "table {nr}"}]
    columns:
      id: {type: string, required: true}
      total: int
      packed: {type: string, from: packed.a}
      nr: {type: int, from: note.nr}
  items:
    connector: csv
    path: ROOT/items/{id}.csv
    columns: {count: int}
    join: {on: id, as: list}
  people:
    connector: memory
    rows: [{id: twice, name: a}, {id: twice, name: b}]
    columns: {name: string}
    join: {on: id}
sink: {connector: parquet, path: ROOT/lake/}
quarantine: {path: ROOT/bad, payload: PAYLOAD}
"""
FIELDS = [
    "format_version",
    "code",
    "message",
    "help",
    "pipeline",
    "spec_digest",
    "source",
    "object",
    "etag",
    "modified",
    "position",
]


def spec(root: Path, payload: str = "true", text: str = SPEC) -> Spec:
    """The valid spec in a folder."""
    return valid(text, ROOT=root, PAYLOAD=payload)


def put(root: Path, name: str, data: bytes) -> str:
    """Put an order, of a known age; its URI."""
    file = root / "raw" / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(data)
    os.utime(file, (BORN.timestamp(), BORN.timestamp()))
    return str(file)


def run(root: Path, **changes: str) -> list[dict[str, Any]]:
    """Run over all orders; what is in quarantine."""
    engine = Engine(spec(root, **changes), Services())
    engine.run(engine.find())
    return [json.loads(file.read_bytes()) for file in sorted((root / "bad").glob("*"))]


def test_a_record_has_these_fields_in_this_order(tmp_path: Path) -> None:
    """Each is documented in `pipelines/README.md`; what is not known is null."""
    data = b'{"id": "a", "total": "much"}\r\n'
    uri = put(tmp_path, "a.json", data)
    [document] = run(tmp_path)
    assert [*document] == [*FIELDS, "raw"]
    etag = document.pop("etag")
    assert etag
    assert document == {
        "format_version": 1,
        "code": "bad-value",
        "message": "column `total`: expected int, got the text `much`",
        "help": document["help"],
        "pipeline": "orders",
        "spec_digest": spec(tmp_path).digest,
        "source": "orders",
        "object": uri,
        "modified": "2026-07-01T12:30:00.250000Z",
        "position": "",
        "raw": data.decode(),
    }
    documented = (ROOT / "pipelines" / "README.md").read_text(encoding="utf-8")
    for field in [*FIELDS, "raw", "raw_base64"]:
        assert f"| `{field}`" in documented or f"`{field}` |" in documented


def test_bytes_that_are_no_text_are_base64(tmp_path: Path) -> None:
    data = b'{"id": "\xff"}'
    put(tmp_path, "a.json", data)
    [document] = run(tmp_path)
    assert "raw" not in document
    assert base64.b64decode(document["raw_base64"]) == data


@pytest.mark.parametrize(
    ("order", "items", "source"),
    [
        ({"id": "a", "total": "x"}, "", "orders"),
        ({"id": "a"}, "count\nmany\n", "items"),
        ({"id": "a/b"}, "", "items"),
        ({"id": "twice"}, "", "people"),
    ],
)
def test_the_source_that_is_to_blame_is_named(tmp_path: Path, order: Any, items: str, source: str) -> None:
    """A fault of a look-up's record, of its path or of its matches is the look-up's, not the driver's."""
    put(tmp_path, "a.json", json.dumps(order).encode())
    (tmp_path / "items").mkdir()
    if items:
        (tmp_path / "items" / f"{order['id']}.csv").write_text(items)
    [document] = run(tmp_path)
    assert (document["source"], document["raw"]) == (source, json.dumps(order))


CANARY = "".join(f"c{n:03}" for n in range(60))


@pytest.mark.fault("S10")
@pytest.mark.parametrize(
    ("order", "items"),
    [
        ({"id": "a", "total": CANARY}, ""),
        ({"id": [CANARY]}, ""),
        ({"id": {CANARY: CANARY}}, ""),
        ({"id": "a", "packed": CANARY}, ""),
        ({"id": "a", "packed": base64.b64encode(f'{{"{CANARY}": "{CANARY}"'.encode()).decode()}, ""),
        ({"id": "a", "packed": base64.b64encode(f'["{CANARY}"]'.encode()).decode()}, ""),
        ({"id": "a", "note": CANARY}, ""),
        ({"id": "a", "note": f"table {CANARY}"}, ""),
        (f'{{"{CANARY}": 1, "{CANARY}": 2}}', ""),
        (f'{{"id": "{CANARY}', ""),
        (f'{{"id": "a", "total": 1{"0" * 300}.5, "x": "{CANARY}"}}', ""),
        ({"id": f"{CANARY}/"}, ""),
        ({"id": CANARY}, f"count\n{CANARY}\n"),
        ({"id": CANARY}, f"count,{CANARY}\n1,2,{CANARY}\n"),
        ({"id": CANARY}, f'count\n"{CANARY}\n'),
        ({"id": CANARY}, f"{CANARY},{CANARY}\n1,2\n"),
        ({"id": CANARY}, f"count,id\n1,{CANARY}!\n"),
    ],
)
def test_without_payload_a_record_holds_no_more_than_short_excerpts(
    tmp_path: Path, order: Any, items: str
) -> None:
    """With `payload: false` neither the raw record nor any field has more than 40 characters of a value."""
    put(tmp_path, "a.json", (order if isinstance(order, str) else json.dumps(order)).encode())
    (tmp_path / "items").mkdir()
    if items:
        (tmp_path / "items" / f"{CANARY}.csv").write_text(items)
    [document] = run(tmp_path, payload="false")
    assert [*document] == FIELDS
    text = json.dumps(document)
    assert not [n for n in range(len(CANARY) - 41) if CANARY[n : n + 41] in text]
    assert "\n" not in document["message"]


@given(st.text(min_size=1), st.text())
def test_a_name_is_a_hash_of_object_and_position(uri: str, position: str) -> None:
    """Those of one object begin as its files in the sink do, and no two records share a name."""
    name = quarantine.record_file_name(uri, position)
    assert name.startswith(file_name(uri))
    assert quarantine.object_stem(f"bad/{name}", "bad/") == file_name(uri)
    assert (name == quarantine.record_file_name(uri, "")) == (position == "")
    assert name != quarantine.record_file_name(f"{uri}x", position)


@given(st.text(min_size=1), st.text(max_size=5), st.binary(), st.booleans())
def test_what_was_set_aside_can_be_read_again(uri: str, position: str, raw: bytes, payload: bool) -> None:
    """For any URI, position and bytes; and under another name, or of another pipeline, it is none of ours."""
    own_spec = spec(Path("nowhere"), str(payload).lower())
    uri = f"s3://bucket/{uri}"
    record = Record(fields={}, item=Item(uri=uri, modified=BORN), position=position, raw=raw)
    stored = quarantine.put_of(record, BadRecord("why", code="bad-value"), own_spec)
    item = Item(uri=stored.uri)
    read = quarantine.read_record(item, stored.data, own_spec)
    assert read is not None
    assert (read.object, read.modified, read.code) == (uri, BORN, "bad-value")
    assert (
        quarantine.read_record(Item(uri=stored.uri.replace(".json", "0.json")), stored.data, own_spec) is None
    )
    other = spec(Path("nowhere"), "true", SPEC.replace("name: orders", "name: others"))
    assert quarantine.read_record(item, stored.data, other) is None


@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(st.none() | st.text() | st.integers(), st.lists).map(
            lambda value: json.dumps(value).encode()
        ),
        st.dictionaries(
            st.sampled_from([*FIELDS, "x"]), st.none() | st.text() | st.integers() | st.lists(st.none())
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_any_other_file_is_no_record(data: bytes) -> None:
    assert quarantine.read_record(Item(uri="nowhere/bad/x.json"), data, spec(Path("nowhere"))) is None


def stored(uri: str, at: str = "nowhere/bad", **more: Any) -> tuple[str, bytes]:
    """Where a record is kept, and as what."""
    record = Record(fields={}, item=Item(uri=uri, **more), position="", raw=b"")
    file = quarantine.put_of(
        record, BadRecord("why", code="bad-value"), spec(Path("nowhere"), text=SPEC.replace("ROOT/bad", at))
    )
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
    """One field on each line, slightly indented, each letter as it is."""
    _, data = stored("s3://b/año.json")
    lines = data.decode().splitlines()
    assert (lines[0], lines[-1], len(lines)) == ("{", "}", len(FIELDS) + 3)
    assert ' "object": "s3://b/año.json",' in lines


def test_a_name_that_is_no_unicode_is_kept() -> None:
    """A file system has such names; they read back as they are."""
    _, data = stored("raw/\udcff.json")
    assert json.loads(data)["object"] == "raw/\udcff.json"


def test_an_object_of_unknown_age_has_none() -> None:
    uri, data = stored("s3://b/1.json")
    assert json.loads(data)["modified"] is None
    record = quarantine.read_record(Item(uri=uri), data, spec(Path("nowhere")))
    assert record is not None
    assert record == quarantine.QuarantinedRecord(
        item=Item(uri=uri), object="s3://b/1.json", modified=None, code="bad-value"
    )


@pytest.mark.parametrize(("payload", "message"), [("true", "what was `7`"), ("false", "what was it")])
def test_the_message_holds_a_value_only_where_the_payload_is_kept(payload: str, message: str) -> None:
    error = BadRecord("what was `7`", code="bad-value", bare="what was it")
    record = Record(fields={}, item=Item(uri="s3://b/1.json"), position="", raw=b"")
    file = quarantine.put_of(record, error, spec(Path("nowhere"), payload))
    assert json.loads(file.data)["message"] == message


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
