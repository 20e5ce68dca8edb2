"""The columns that are guessed of the main job's sources, in place of those that we declare, give the rows of those."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from pyarrow import parquet

from kit.shop import SPEC
from plait.language.validate import validate
from plait.language.yaml_reader import locate
from plait.values.conversion_error import ConversionError
from plait.values.convert import convert
from plait.values.places import pick

if TYPE_CHECKING:
    from pathlib import Path

    from kit.shop import Shop
    from plait.language.spec import Column, Source, Spec

Row = dict[str, Any]
WIDER = {
    "total": ("decimal(12,2)", "decimal(18,3)"),  # one order has the total 19.999, which ours refuses
    "quantity": ("int", "string"),  # numbers in text stay text
    "unit_price": ("decimal(12,2)", "string"),
    "fraud_score": ("int", "string"),
}


def document(text: str) -> Any:
    source_map, problems = locate(text, "s.yaml")
    assert source_map is not None, problems
    return source_map.value


def rows(shop: Shop, lake: str, spec: Path) -> dict[str, Row]:
    """The rows of a run over all, by the object that each is of."""
    shop.command(lake, "run", str(spec), "--all")
    files = {key: data for key, data in shop.below(f"{lake}/").items() if key.endswith(".parquet")}
    tables = {key.rpartition("/")[2]: parquet.read_table(io.BytesIO(data)) for key, data in files.items()}
    return {name: row for name, table in tables.items() for row in table.to_pylist()}


def cells(columns: tuple[Column, ...], source: Source, row: Row) -> Row:
    """What our columns would hold, made of the guessed ones; raises ConversionError where we refuse it."""
    guessed = {column.selector[0]: column.name for column in source.columns or ()}
    values = {}
    for column in columns:
        field = column.selector[0]
        value = convert(pick({field: row[guessed[field]]}, column.selector), column.type)
        values[column.name] = column.default if value is None else value
        assert value is not None or not column.required
    return values


def narrowed(row: Row, ours: Spec, guessed: Spec) -> Row:
    """A row of guessed columns with our columns and types."""
    result = {}
    for source in (ours.driver, *ours.lookups):
        other = guessed.source(source.name)
        if source.join and source.join.shape == "list":
            result[source.name] = [cells(source.columns or (), other, match) for match in row[source.name]]
        else:
            result |= cells(source.columns or (), other, row)
    return result


def wider(ours: Spec, guessed: Spec) -> dict[str, tuple[str, str]]:
    """The columns of ours that are guessed to be of another type, with both types."""
    pairs: dict[str, tuple[str, str]] = {}
    for source in (ours.driver, *ours.lookups):
        types = {column.selector: column.type for column in guessed.source(source.name).columns or ()}
        pairs |= {
            column.name: (str(column.type), str(types[column.selector]))
            for column in source.columns or ()
            if types.get(column.selector) not in (None, column.type)
        }
    return pairs


def test_the_guessed_columns_of_the_main_job_give_its_rows(shop: Shop, tmp_path: Path) -> None:
    """Types may be wider, so records may become rows that we refuse, but each of our rows is there."""
    block = shop.command("guess", "guess", str(SPEC)).stdout
    text = document(SPEC.read_text("utf-8"))
    for name, source in document(block)["sources"].items():
        text["sources"][name]["columns"] = source["columns"]
    spec = tmp_path / "guessed.yaml"
    spec.write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")
    environment = shop.environment("guess")
    declared, guessed = (validate(file.read_bytes(), file.name, {}, environment) for file in (SPEC, spec))
    assert declared.spec is not None
    assert guessed.spec is not None, guessed.problems

    ours, theirs = rows(shop, "declared", SPEC), rows(shop, "guessed", spec)
    more, differences = [], []
    for name, row in theirs.items():
        try:
            narrow = narrowed(row, declared.spec, guessed.spec)
        except (ConversionError, AssertionError):
            assert name not in ours
            more.append(name)
            continue
        if narrow != ours.get(name):
            differences.append((narrow, ours.get(name)))
    assert ours.keys() <= theirs.keys()
    assert len(theirs) == len(ours) + len(more)
    assert differences == []
    assert wider(declared.spec, guessed.spec) == WIDER
