"""How a run is cut up changes nothing: not a byte of a file, and no number of the report."""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.documents import examples
from kit.tables import table
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
    """The spec with these rules of its joins and these rows."""
    spec: dict[str, Any] = table("specs/batches.yaml")
    for name, rule in draw_rules.items():
        spec["sources"][name]["join"] |= rule
    spec["sources"]["stores"]["join"]["as"] = "columns"
    spec["sources"]["stores"]["rows"] = store_rows
    spec["sources"]["regions"]["rows"] = region_rows
    return spec


def engine(spec: bytes, root: Path, to: str, keys: int) -> Engine:
    """The engine of a spec whose look-ups take so many keys at once."""
    loaded = Pipeline.load("s.yaml", {"root": str(root), "to": str(root / to)}, spec).spec
    engine = Engine(loaded)
    for lookup in map(engine.lookups.open, loaded.lookups):
        lookup.keys_per_call = keys
    return engine


def written(root: Path, to: str) -> dict[str, bytes]:
    """The files below a folder."""
    return {str(f.relative_to(root / to)): f.read_bytes() for f in (root / to).rglob("*") if f.is_file()}


def numbers_of(engine: Engine) -> Any:
    """The numbers of a report that do not say how it was done."""
    report = engine.report
    counts = {name: (c.rows_matched, c.rows_missing, c.rows_duplicates) for name, c in report.lookups.items()}
    for lookup in report.lookups.values():
        assert lookup.keys == lookup.keys_matched + lookup.keys_missed
        assert lookup.keys_missed >= lookup.keys_inexact
    for columns in (source.columns.values() for source in report.sources.values()):
        assert all(c.nulls >= c.absent and c.defaults in {0, c.nulls} for c in columns)
    cells = report.sources[engine.spec.driver.name].as_json()
    return report.records, report.rows, sorted(report.outcomes.items()), counts, cells


@pytest.mark.fault("L2", "L3", "P9", "E12")
@given(st.data())
@examples(0.5)
def test_batches_chunks_order_and_company_change_nothing(data: st.DataObject) -> None:
    """Batches and chunks of any size, objects in any order, two runs at once over the same sink."""
    drawn_orders = data.draw(st.lists(orders, min_size=1, max_size=7))
    by_id = {id: data.draw(lines) for id in IDS if id and "/" not in id}
    drawn_rules = {name: data.draw(rules) for name in ("lines", "stores", "regions")}
    spec = spec_of(
        drawn_rules, data.draw(st.lists(stores, max_size=5)), data.draw(st.lists(regions, max_size=4))
    )
    text = json.dumps(spec).encode()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, drawn_orders, by_id)
        items = [Item(uri=str(file)) for file in sorted((root / "in").iterdir())]
        undivided = engine(text, root, "whole", 1000)
        undivided.run(items)
        shuffled = data.draw(st.permutations(items))
        parts = engine(text, root, "parts", data.draw(st.integers(1, 4)))
        parts.run(shuffled, batch=data.draw(st.integers(1, len(items))))
        with ThreadPoolExecutor(2) as pool:
            both = [engine(text, root, "both", n) for n in (1, 2)]
            list(pool.map(lambda engine: engine.run(shuffled, batch=2), both))
        assert numbers_of(parts) == numbers_of(both[0]) == numbers_of(both[1]) == numbers_of(undivided)
        assert written(root, "parts") == written(root, "both") == written(root, "whole")


def fill(root: Path, drawn_orders: list[Any], by_id: dict[str, Any]) -> None:
    """Write the orders and their lines."""
    for name in ("in", "lines"):
        (root / name).mkdir()
    for n, order in enumerate(drawn_orders):
        (root / "in" / f"{n}.json").write_text(json.dumps(order))
    for id, rows in by_id.items():
        text = "".join(f'"{sku}",{quantity}\n' for sku, quantity in rows)
        if rows:
            (root / "lines" / f"{id}.csv").write_text(f"sku,quantity\n{text}")
