"""A released spec keeps its meaning: specs that use all of the language, their plans, and their rows."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import plait
from kit.paths import DATA
from plait.cli.commands.schema import schema_text
from plait.cli.main import main
from plait.language.forms import OBJECT_FACTS
from plait.language.yaml_reader import locate
from plait.plan.costs import price_list
from plait.values.json_value import json_value
from plait.values.types import WORDS

GOLDEN = DATA / "golden"
SPECS = sorted(GOLDEN.glob("*.yaml"))
OFFLINE = {"csv", "json", "memory"}
UPDATE = os.environ.get("PLAIT_UPDATE") == "1"
HELP = "see `Compatibility` in pipelines/README.md before PLAIT_UPDATE=1 rewrites it"


def spec_name(spec: Path) -> str:
    return spec.stem


def parsed(spec: Path) -> dict[str, Any]:
    source_map, problems = locate(spec.read_bytes(), spec.name)
    assert source_map is not None, problems
    value: dict[str, Any] = source_map.value
    return value


def offline(spec: Path) -> bool:
    """Whether all sources of a spec stand in it or lie beside it, so that it has rows."""
    sources = parsed(spec)["sources"].values()
    return all(
        source["connector"] in OFFLINE and "$" not in str(source.get("path", ""))[:2] for source in sources
    )


def compare(file: Path, text: str) -> None:
    """Compare a text with the golden one, or write it there with PLAIT_UPDATE=1."""
    if UPDATE:
        file.write_text(text, encoding="utf-8")
    assert file.is_file(), f"{file.name} does not exist yet; {HELP}"
    assert text == file.read_text(encoding="utf-8"), HELP


@pytest.fixture(autouse=True)
def _among_the_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(GOLDEN, tmp_path, dirs_exist_ok=True, copy_function=shutil.copyfile)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("spec", SPECS, ids=spec_name)
def test_the_plan_of_a_released_spec_stays_as_it_is(spec: Path) -> None:
    """Joins, schema, partitions, layout and places, and the digest of the spec."""
    answer = CliRunner().invoke(main, ["plan", spec.name, "-o", "json"], catch_exceptions=False)
    assert answer.exit_code == 0, answer.stderr
    compare(spec.with_suffix(".plan.json"), answer.stdout)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if offline(spec)], ids=spec_name)
def test_what_a_released_spec_writes_stays_as_it_is(spec: Path) -> None:
    """Its rows, the code of the problem of each record that gave none, and the name of every file."""
    pipeline = plait.load(spec.name)
    preview = pipeline.preview_with_report()
    table, report = preview.table, preview.report
    lines = [*json_value(table.to_pylist()), *({"problem": problem.code} for problem in report.problems)]
    pipeline.run()
    written = sorted(file.as_posix() for file in Path("out").rglob("*") if file.is_file())
    lines += [{"file": name} for name in written]
    compare(
        spec.with_suffix(".jsonl"), "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    )


def test_no_golden_file_is_left_of_a_removed_spec() -> None:
    names = {file.name.split(".")[0] for file in GOLDEN.iterdir() if file.is_file()}
    assert names == {spec.stem for spec in SPECS}


def texts_within(value: Any) -> Iterator[str]:
    """Every key and every scalar as text."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield str(key)
            yield from texts_within(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_within(part)
    else:
        yield str(value)


def test_the_specs_use_every_key_and_every_word_of_the_language() -> None:
    """All that the schema for editors has, and the forms within texts that it cannot list."""
    used = {text for spec in SPECS for text in texts_within(parsed(spec))}
    assert set(words_of_schema(json.loads(schema_text()))) - used == set()
    texts = " ".join(used)
    forms = [*WORDS, "decimal(", "array<", "struct<", *OBJECT_FACTS, "date(", "month(", "hour(", "bucket("]
    forms += ["**", "{{", "}}", "$${", "90s", "15m", "1h", "7d"]
    assert [form for form in forms if form not in texts] == []


def words_of_schema(schema: Any) -> Iterator[str]:
    """The keys and the words of a JSON Schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
        yield from map(str, [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())])
        schema = [*schema.values()]
    for part in schema if isinstance(schema, list) else ():
        yield from words_of_schema(part)


def test_every_operation_of_aws_that_a_plan_counts_has_its_price() -> None:
    plans = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(GOLDEN.glob("*.plan.json"))]
    counted = {line["operation"] for document in plans for line in document["forecast"]["lines"]}
    assert {name for name in counted if not name.startswith("mysql:")} <= {*price_list().prices}
