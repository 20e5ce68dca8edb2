"""A document, or a header, whose fields are others than those that a spec takes from it never becomes a row."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kit.documents import examples
from plait.language.build import build_spec
from plait.plugin import Item
from plait.testing.cases.case import Case, CaseObject, SourceInputs
from plait.testing.cases.runner import run_case
from plait.values import strict_json

NOW = datetime(2026, 7, 1, tzinfo=UTC)
FORMS = {"document": "{}", "lines": "{}\n", "list": "[{}]"}
POOL = [
    "sku",
    "SKU",
    " sku",
    "sku ",
    "s_k_u",
    "a",
    "b.c",
    "d[0]",
    'e"f',
    "id",
    "Records",
    "é",
    "-",
    "$object",
]
names = st.sampled_from(POOL) | st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=2),
    max_leaves=4,
)
columns = st.lists(
    st.tuples(names, st.booleans()), min_size=1, max_size=3, unique_by=lambda column: column[0]
)
Columns = list[tuple[str, bool]]


def column(name: str, *, has_default: bool) -> dict[str, Any]:
    """A column of a name, which may have a default."""
    place = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return {"type": "string", "from": place, **({"default": "x"} if has_default else {})}


def outcome(sources: dict[str, Any], objects: dict[str, list[tuple[str, bytes]]]) -> dict[str, Any]:
    """What a run over objects gives, which are by source, each with its name and its bytes."""
    document = {
        "plait": 1,
        "name": "law",
        "sources": sources,
        "quarantine": "s3://bad/",
        "sink": {"connector": "parquet", "path": "s3://lake/"},
    }
    inputs = {
        source: SourceInputs(
            objects=tuple(
                CaseObject(Item(uri=f"s3://raw/{name}", size=len(data), modified=NOW, etag="e"), data)
                for name, data in named
            )
        )
        for source, named in objects.items()
    }
    spec = build_spec(document, "law.yaml", {})
    return run_case(Case(name="law", path=(), rows_path=(), spec=spec, now=NOW, inputs=inputs, expected={}))


def json_source(taken: Columns, **more: Any) -> dict[str, Any]:
    """A driver whose path gives a column too."""
    declared = {f"c{n}": column(name, has_default=default) for n, (name, default) in enumerate(taken)}
    return {
        "connector": "json",
        "path": "s3://raw/{day}/*.json",
        "columns": {"day": "string", **declared},
        **more,
    }


@pytest.mark.fault("J10")
@given(columns, st.dictionaries(names, values, max_size=5), st.booleans(), st.sampled_from([*FORMS]))
@examples(1)
def test_a_json_document_without_any_declared_field_never_becomes_a_row(
    taken: Columns, document: dict[str, Any], is_large: bool, records: str
) -> None:
    """However many records an object holds."""
    assume("day" not in [name for name, _ in taken])
    document = {name: value for name, value in document.items() if name not in [name for name, _ in taken]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "LARGE", 0 if is_large else strict_json.LARGE)
        objects = {"orders": [("d1/a.json", FORMS[records].format(json.dumps(document)).encode())]}
        came = outcome({"orders": json_source(taken, records=records)}, objects)
        allowed = outcome({"orders": json_source(taken, records=records, optional=True)}, objects)
    assert (came["rows"], [bad["code"] for bad in came["quarantine"]]) == ([], ["no-such-field"])
    assert came["quarantine"][0]["help"]
    assert len(allowed["rows"]) == 1


@pytest.mark.fault("C3")
@given(
    columns,
    st.lists(names, min_size=1, max_size=4),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(",;\t|"),
)
@examples(1)
def test_a_csv_file_without_any_declared_column_never_becomes_a_row(
    taken: Columns, header: list[str], lines: int, is_quoted: bool, delimiter: str
) -> None:
    """Also where several files have the same header, which are read together."""
    assume("id" not in [name for name, _ in taken])
    header = [name for name in header if name not in [name for name, _ in taken]]
    assume(header and "".join(header).strip())
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=delimiter,
        quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL,
        lineterminator="\n",
    )
    writer.writerows([header, *([["x"] * len(header)] * lines)])
    items = {
        "connector": "csv",
        "path": "s3://raw/{id}.csv",
        "join": {"on": "id", "as": "rows"},
        "delimiter": delimiter,
        "columns": {f"c{n}": column(name, has_default=default) for n, (name, default) in enumerate(taken)},
    }
    orders = {"connector": "json", "path": "s3://raw/*.json", "columns": {"id": "string"}}
    objects = {
        "orders": [(f"{id}.json", json.dumps({"id": id}).encode()) for id in ("a", "b")],
        "items": [(f"{id}.csv", text.getvalue().encode()) for id in ("a", "b")],
    }
    came = outcome({"orders": orders, "items": items}, objects)
    assert came["rows"] == []
    assert {bad["code"] for bad in came["quarantine"]} <= {"no-such-column", "bad-record"}
    assert len(came["quarantine"]) == 2
    assert all(bad["help"] for bad in came["quarantine"])
    if is_quoted or header[0].isidentifier():
        assert came["quarantine"][0]["code"] == "no-such-column"
    allowed = outcome({"orders": orders, "items": {**items, "optional": True}}, objects)
    assert "no-such-column" not in {bad["code"] for bad in allowed["quarantine"]}
