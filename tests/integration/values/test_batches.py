"""How a run is cut up changes nothing: not a byte of a file, and no number of the report."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.documents import examples
from plait.engine.engine import Engine
from plait.pipeline.pipeline import Pipeline
from plait.plugin import Item

IDS = ["a", "A", "á", "a\u0301", "b b", "7", "a/b", ""]
SKUS = ["tea", "cup", "", "two\nlines"]
rules = st.fixed_dictionaries(
    {
        "as": st.sampled_from(["columns", "list", "rows"]),
        "missing": st.sampled_from(["keep", "drop", "fail"]),
        "duplicates": st.sampled_from(["fail", "first"]),
    }
).map(lambda rule: {k: v for k, v in rule.items() if k != "duplicates" or rule["as"] == "columns"})
orders = st.fixed_dictionaries(
    {
        "id": st.sampled_from([None, *IDS]),
        "store": st.sampled_from([None, 1, 2, 3, 1.5]),
        "day": st.sampled_from(["x", "y/z", None]),
    }
)
lines = st.lists(st.tuples(st.sampled_from(SKUS), st.sampled_from(["1", "2", "two", ""])), max_size=3)
stores = st.fixed_dictionaries(
    {
        "nr": st.sampled_from([None, 1, 2, "3", "03"]),
        "region": st.sampled_from(["r", "R", None]),
        "city": st.sampled_from(["Lugo", 5]),
    }
)
regions = st.fixed_dictionaries(
    {"region": st.sampled_from(["r", "R", "q"]), "boss": st.sampled_from(["Eva", None])}
)


def spec_of(draw_rules: dict[str, Any], store_rows: list[Any], region_rows: list[Any]) -> dict[str, Any]:
    """Orders with the lines of a file, a store, and the region of that store."""
    quoted = {"type": "string", "from": "city"}
    sources = {
        "orders": {
            "connector": "json",
            "path": "${root}/in/*.json",
            "columns": {"id": "string", "store": "bigint", "day": "string"},
        },
        "lines": {
            "connector": "csv",
            "path": "${root}/lines/{id}.csv",
            "columns": {"sku": "string", "quantity": "int"},
            "join": {"on": "id", **draw_rules["lines"]},
        },
        "stores": {
            "connector": "memory",
            "rows": store_rows,
            "columns": {"region": "string", "store_city": quoted},
            "join": {"on": {"store": "nr"}, **draw_rules["stores"], "as": "columns"},
        },
        "regions": {
            "connector": "memory",
            "rows": region_rows,
            "columns": {"boss": "string"},
            "join": {"on": "region", **draw_rules["regions"]},
        },
    }
    spec: dict[str, Any] = {"plait": 1, "name": "s", "parameters": {"root": {}, "to": {}}, "sources": sources}
    spec |= {"partition_by": {"day": "day"}, "sink": {"connector": "parquet", "path": "${to}/out/"}}
    return spec | {"quarantine": "${to}/bad/"}


def engine(spec: bytes, root: Path, to: str, keys: int) -> Engine:
    """The engine of a spec whose look-ups take so many keys at once."""
    made = Pipeline.load("s.yaml", {"root": str(root), "to": str(root / to)}, spec).spec
    cut = (replace(s, connector=replace(s.connector, keys_per_call=keys)) for s in made.lookups)
    return Engine(replace(made, lookups=tuple(cut)))


def written(root: Path, to: str) -> dict[str, bytes]:
    """The files below a folder."""
    return {str(f.relative_to(root / to)): f.read_bytes() for f in (root / to).rglob("*") if f.is_file()}


def told(made: Engine) -> Any:
    """The numbers of a report that do not say how it was done."""
    report = made.report
    counts = {name: (c.matched, c.missing, c.duplicates) for name, c in report.lookups.items()}
    return report.records, report.rows, sorted(report.outcomes.items()), counts


@pytest.mark.fault("L2", "L3", "P9", "E12")
@given(st.data())
@examples(0.5)
def test_batches_chunks_order_and_company_change_nothing(data: st.DataObject) -> None:
    """Batches and chunks of any size, objects in any order, two runs at once over the same sink."""
    found = data.draw(st.lists(orders, min_size=1, max_size=7))
    by_id = {id: data.draw(lines) for id in IDS if id and "/" not in id}
    drawn = {name: data.draw(rules) for name in ("lines", "stores", "regions")}
    spec = spec_of(drawn, data.draw(st.lists(stores, max_size=5)), data.draw(st.lists(regions, max_size=4)))
    text = json.dumps(spec).encode()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, found, by_id)
        items = [Item(uri=str(file)) for file in sorted((root / "in").iterdir())]
        whole = engine(text, root, "whole", 1000)
        whole.run(items)
        shuffled = data.draw(st.permutations(items))
        parts = engine(text, root, "parts", data.draw(st.integers(1, 4)))
        parts.run(shuffled, batch=data.draw(st.integers(1, len(items))))
        with ThreadPoolExecutor(2) as pool:
            both = [engine(text, root, "both", n) for n in (1, 2)]
            list(pool.map(lambda one: one.run(shuffled, batch=2), both))
        assert told(parts) == told(both[0]) == told(both[1]) == told(whole)
        assert written(root, "parts") == written(root, "both") == written(root, "whole")


def fill(root: Path, found: list[Any], by_id: dict[str, Any]) -> None:
    """Write the orders and their lines."""
    for name in ("in", "lines"):
        (root / name).mkdir()
    for n, order in enumerate(found):
        (root / "in" / f"{n}.json").write_text(json.dumps(order))
    for id, rows in by_id.items():
        text = "".join(f'"{sku}",{quantity}\n' for sku, quantity in rows)
        if rows:
            (root / "lines" / f"{id}.csv").write_text(f"sku,quantity\n{text}")
