"""Specs made by Hypothesis, with the files that they read: every type, join, rule for misses, and partition."""

import base64
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from kit.tables import table

VALUES: dict[str, dict[str, list[Any]]] = table("generated_values.yaml")
PLAIN, NESTED = VALUES["plain"], VALUES["nested"]
PARTED = ["string", "boolean", "int", "bigint", "decimal(10,2)", "date", "timestamp"]
FACTS = {"$object": "string", "$modified": "timestamp", "$etag": "string"}


@dataclass
class Made:
    """A spec, and the text of each file that it reads."""

    spec: dict[str, Any]
    files: dict[str, str]

    def write(self, folder: Path) -> Path:
        """Write all files and the spec, and name the spec."""
        for name, text in {**self.files, "made.yaml": json.dumps(self.spec)}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            os.utime(file, (0, 0))  # too old for `retry_for` to wait
        return folder / "made.yaml"


@st.composite
def specs(draw: st.DrawFn) -> Made:
    """A valid spec that gives a row for its first driving object at least."""
    files: dict[str, str] = {}
    sources = {"orders": _driver(draw, files)}
    for number in range(draw(st.integers(0, 4))):
        sources[f"look{number}"] = _lookup(draw, f"look{number}", files)
    spec = {
        "plait": 1,
        "name": "made",
        "parameters": {"root": {}},
        "sources": sources,
        "partition_by": _partitions(draw, sources["orders"]["columns"], files),
        "sink": {"connector": "parquet", "path": "${root}/lake/"},
        "quarantine": "${root}/bad/",
    }
    return Made(spec, files)


def _driver(draw: st.DrawFn, files: dict[str, str]) -> dict[str, Any]:
    columns = _columns(draw, "c", {**PLAIN, **NESTED, "binary": ["AQI="]})
    decode = {name: ["base64"] for name, column in columns.items() if column["type"] == "binary"}
    for name, word in FACTS.items():
        if draw(st.booleans()):
            columns[f"fact_{name[1:]}"] = {"type": word, "from": name}
    for number in range(draw(st.integers(1, 3))):
        record = {name: _value(draw, column["type"], number) for name, column in columns.items()}
        record |= {"id": f"o{number}", "nr": number, "at": "2026-07-01T22:30:00Z"}
        files[f"raw/o{number}.json"] = json.dumps({k: v for k, v in record.items() if v is not ...})
    columns |= {
        "id": {"type": "string", "required": True},
        "nr": {"type": "bigint"},
        "at": {"type": "timestamp"},
    }
    return {"connector": "json", "path": "${root}/raw/*.json", "decode": decode, "columns": columns}


def _columns(draw: st.DrawFn, prefix: str, words: dict[str, list[Any]]) -> dict[str, Any]:
    """Some columns, each nullable, required or with a default."""
    columns = {}
    for number, word in enumerate(draw(st.lists(st.sampled_from([*words]), min_size=1, max_size=6))):
        block: dict[str, Any] = {"type": word}
        rule = draw(st.sampled_from(["nullable", "required", "default"]))
        if rule == "required":
            block["required"] = True
        elif rule == "default" and word != "binary":
            block["default"] = draw(st.sampled_from(words[word]))
        columns[f"{prefix}{number}"] = block
    return columns


def _value(draw: st.DrawFn, word: str, number: int) -> Any:
    """A value of a type; of all records but the first it may be null or absent (`...`)."""
    known = PLAIN.get(word) or NESTED.get(word) or [base64.b64encode(b"x").decode()]
    return draw(st.sampled_from([*known, None, ...] if number else known))


def _lookup(draw: st.DrawFn, name: str, files: dict[str, str]) -> dict[str, Any]:
    shape = draw(st.sampled_from(["columns", "list", "rows"]))
    key = draw(st.sampled_from(["id", "number"]))
    join: dict[str, Any] = {"as": shape, "on": "id" if key == "id" else {"nr": "number"}}
    join["missing"] = draw(st.sampled_from(["keep", "drop", "fail", {"retry_for": "1s"}]))
    if shape == "columns":
        join["duplicates"] = draw(st.sampled_from(["fail", "first"]))
    by_file = draw(st.booleans())
    columns = _columns(draw, f"{name}_c", PLAIN if by_file else {**PLAIN, **NESTED})
    rows = [_row(draw, columns, n) for n in [0, *draw(st.lists(st.integers(1, 3), max_size=4))]]
    if by_file:
        join["on"] = "id"
        for number in {row["number"] for row in rows}:
            files[f"{name}/o{number}.csv"] = _csv([r for r in rows if r["number"] == number], columns)
        return {"connector": "csv", "path": f"${{root}}/{name}/{{id}}.csv", "columns": columns, "join": join}
    return {"connector": "memory", "rows": rows, "columns": columns, "join": join}


def _row(draw: st.DrawFn, columns: dict[str, Any], number: int) -> dict[str, Any]:
    values = {name: _value(draw, column["type"], number) for name, column in columns.items()}
    return {"id": f"o{number}", "number": number} | {k: v for k, v in values.items() if v is not ...}


def _csv(rows: list[dict[str, Any]], columns: dict[str, Any]) -> str:
    """The rows as lines, every value in quotes, so that only a null is an empty field without them."""
    lines = [[*columns], *([_cell(row.get(name)) for name in columns] for row in rows)]
    return "".join(",".join(line) + "\n" for line in lines)


def _cell(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else value
    return "" if value is None else f'"{text}"'


def _partitions(draw: st.DrawFn, columns: dict[str, Any], files: dict[str, str]) -> dict[str, str]:
    """Some partition columns, of which some take the place of an output column; none has an empty text, which names no folder."""
    records = [json.loads(text) for name, text in files.items() if name.startswith("raw/")]
    functions = {"at": ["date(at)", "month(at, Asia/Tokyo)", "hour(at)"], "id": ["bucket(8, id)"]}
    plain = {
        name: [name]
        for name, column in columns.items()
        if column["type"] in PARTED and "" not in [record.get(name) for record in records]
    }
    chosen = draw(st.lists(st.sampled_from([*functions, *plain]), max_size=3, unique=True))
    texts = {name: draw(st.sampled_from(functions.get(name, []) + plain.get(name, []))) for name in chosen}
    return {draw(st.sampled_from([name, f"part_{name}"])): text for name, text in texts.items()}
