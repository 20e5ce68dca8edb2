"""`plait quarantine`, beside its cases: records that are no text, many of one object, and the same from Python."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from kit.console import Call
from plait import load
from plait.engine.partition import file_name
from plait.engine.quarantine import lines_of
from plait.plugin import BadRecord, GiveUp, Item, Record

DATA = b'{"id": "\xff"}'


def test_a_record_that_is_no_text_is_told_by_its_length_and_json_has_its_bytes(
    plait: Call, orders: str, project: Path
) -> None:
    (project / "raw/o4.json").write_bytes(DATA)
    plait("run", orders, "--all")
    shown = plait("quarantine", orders, "show", project / "raw/o4.json")
    assert "the record has 11 bytes that are no text" in shown.stdout
    document = json.loads(plait("quarantine", orders, "show", project / "raw/o4.json", "-o", "json").stdout)
    assert base64.b64decode(document["records"][0]["raw_base64"]) == DATA


def test_of_many_records_of_an_object_ten_are_shown_and_a_position_chooses_one(
    plait: Call, orders: str, project: Path
) -> None:
    spec, item = load(orders).spec, Item(uri=f"{project}/raw/many.json")
    (project / "bad").mkdir()
    bad = [
        (Record(fields={}, item=item, position=f"{n}", raw=f"<{n}>".encode()), BadRecord(f"what {n}"))
        for n in range(1, 13)
    ]
    (project / f"bad/{file_name(item.uri)}.jsonl").write_bytes(lines_of(bad, spec))
    shown = plait("quarantine", orders, "show", item.uri)
    assert shown.stdout.count("position     ") == 10
    assert "2 more records of the object: name a position" in shown.stdout
    alone = plait("quarantine", orders, "show", item.uri, "7")
    assert ("<7>" in alone.stdout, "what 7" in alone.stdout, alone.stdout.count("error[")) == (True, True, 1)
    listed = json.loads(plait("quarantine", orders, "-o", "json").stdout)
    assert [(kind["code"], kind["records"]) for kind in listed["faults"]] == [("bad-record", 12)]


def test_python_has_the_same_records(plait: Call, orders: str, project: Path) -> None:
    (project / "raw/o4.json").write_bytes(DATA)
    (project / "raw/o5.json").write_text('{"total": "much"}')
    pipeline = load(orders)
    assert [*pipeline.quarantined()] == []
    pipeline.run()
    faults = {record.object: [f.code for f in record.faults] for record in pipeline.quarantined()}
    assert faults == {
        f"{project}/raw/o4.json": ["bad-record"],
        f"{project}/raw/o5.json": ["required-null", "bad-value"],
    }
    [record] = pipeline.quarantined(f"{project}/raw/o4.json", with_raw=True)
    assert record.raw == DATA


def test_a_file_that_may_not_be_read_is_told(plait: Call, orders: str, project: Path) -> None:
    (project / "raw/o4.json").write_text("{")
    pipeline = load(orders)
    pipeline.run()
    [record] = pipeline.quarantined()
    Path(record.item.uri).unlink()
    Path(record.item.uri).symlink_to("/dev/null")
    with pytest.raises(GiveUp):
        [*pipeline.quarantined()]
