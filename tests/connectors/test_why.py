"""`plait why` names the cause of each kind of null, whichever connector gave it; `why.yaml` is the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kit.tables import table
from plait.pipeline.pipeline import Pipeline
from plait.plugin.registry import connector, offers
from plait_sandbox.contents import Contents, DynamoTable, MysqlTable
from plait_sandbox.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.aws import LocalAws
    from plait_sandbox.mysql import LocalMysql

TABLE = table(Path(__file__).with_name("why.yaml"))
NOON = 1_782_907_200_000  # the first of July 2026
RULES: dict[str, Any] = {"dropped": "drop", "quarantined": "fail", "retry": {"retry_for": "13d"}}
COLUMNS = {"name": "string", "rank": {"type": "int", "default": 0}}
KEYS = {"id": "string", "part": "string", "n": "bigint", "at": "timestamp"}
CELLS = [
    pytest.param(role, connector, kind, id=f"{role}-{connector}-{kind}")
    for role in ("drivers", "lookups")
    for connector, cells in TABLE[role].items()
    for kind in TABLE["kinds"]
    if not isinstance(cells[kind], str)
]
MISSES = [
    (connector, kind)
    for connector, cells in TABLE["lookups"].items()
    for kind in ("no-match", "inexact-key", "outside-window", "missing-object", "null-key")
    if not isinstance(cells[kind], str)
]


@pytest.fixture(scope="module")
def filled(aws: LocalAws, mysql: LocalMysql) -> Iterator[None]:
    """The servers, with the rows of the table."""
    columns = {"id": "varchar(20)", "name": "varchar(20)", "rank": "int"}
    once = [row for row in TABLE["rows"] if row["id"] != "twice"]
    servers = Servers(aws, mysql)
    servers.put(
        Contents(
            mysql={("why", "names"): MysqlTable(columns, TABLE["rows"])},
            dynamodb={"why-names": DynamoTable({"id": "S"}, once)},
            logs={"/why/names": [(NOON + 60_000 * minute, line) for minute, line in TABLE["lines"]]},
            secrets={"why/db": "why"},
        )
    )
    yield
    servers.close()


@pytest.fixture(autouse=True)
def _servers_of_the_connector(request: pytest.FixtureRequest) -> None:
    """Athena has a server of its own, which is found in place of the one for all."""
    callspec = getattr(request.node, "callspec", None)
    if callspec and callspec.params.get("connector") == "athena":
        request.getfixturevalue("at_aws")
        request.getfixturevalue("at_athena")


def test_the_table_has_each_kind_for_each_installed_connector() -> None:
    roles = {role: TABLE[role].keys() for role in ("drivers", "lookups", "sinks")}
    found = [connector(offer.word) for offer in offers()]
    assert roles["drivers"] == {c.name for c in found if c.driver}
    assert roles["lookups"] == {c.name for c in found if c.lookup}
    assert roles["sinks"] == {c.name for c in found if c.sink}
    for cells in (*TABLE["drivers"].values(), *TABLE["lookups"].values()):
        assert cells.keys() - {"source", "origin"} == {*TABLE["kinds"]}


@pytest.mark.parametrize(("role", "connector", "kind"), CELLS)
@pytest.mark.usefixtures("filled", "at_aws")
def test_why_names_the_cause_of_a_null(role: str, connector: str, kind: str, tmp_path: Path) -> None:
    case = TABLE[role][connector][kind]
    row = _row(role, connector, tmp_path, case["row"], RULES.get(kind))
    assert row.outcome == (kind if kind in RULES else "written")
    assert [fault["code"] for fault in row.faults] == ([case["code"]] if "code" in case else [])
    assert [fault["column"] for fault in row.faults] == ([case.get("column")] if "code" in case else [])
    if role == "lookups" or kind != "quarantined":
        [cell] = [cell for cell in row.cells if cell.column == case.get("cell", "name")]
        expected = "no-match" if kind in RULES else kind
        assert (cell.cause, cell.default) == (case.get("cause", expected), kind == "default")
        assert cell.value == (0 if kind == "default" else None)
        assert case.get("note", "") in cell.note
    assert {*tmp_path.iterdir()} == {tmp_path / name for name in ("raw", "items", "spec.yaml")}


@pytest.mark.parametrize("shape", ["list", "rows"])
@pytest.mark.parametrize(("connector", "kind"), MISSES)
@pytest.mark.usefixtures("filled", "at_aws")
def test_why_names_the_cause_of_an_empty_list_and_of_a_row_without_a_match(
    connector: str, kind: str, shape: str, tmp_path: Path
) -> None:
    case = TABLE["lookups"][connector][kind]
    join = {"on": TABLE["lookups"][connector]["source"]["join"]["on"], "as": shape}
    row = _row("lookups", connector, tmp_path, case["row"], join=join)
    [cell] = [cell for cell in row.cells if cell.column == ("names" if shape == "list" else "name")]
    assert (cell.value, cell.cause) == ([] if shape == "list" else None, kind)
    assert case.get("note", "") in cell.note


@pytest.mark.parametrize("text", ["kase", "KÄSE", " Käse"])
@pytest.mark.usefixtures("filled", "at_aws")
def test_why_sees_a_text_in_another_spelling_in_the_lines_of_a_log(text: str, tmp_path: Path) -> None:
    record = {"part": text, "at": "2026-07-01T12:00:00Z"}
    row = _row("lookups", "cloudwatch_logs", tmp_path, record, join={"on": "part"})
    [cell] = [cell for cell in row.cells if cell.column == "name"]
    assert (cell.cause, cell.note) == ("inexact-key", "the source has part = `Käse `")


@pytest.mark.parametrize(
    ("role", "connector"), [(role, word) for role in ("drivers", "lookups") for word in TABLE[role]]
)
@pytest.mark.usefixtures("filled", "at_aws")
def test_why_names_the_record_of_a_value(role: str, connector: str, tmp_path: Path) -> None:
    origin = TABLE[role][connector]["origin"]
    row = _row(role, connector, tmp_path, origin["row"])
    [cell] = [cell for cell in row.cells if cell.column == "name"]
    time = cell.time and cell.time.isoformat().replace("+00:00", "Z")
    assert (cell.value, cell.cause, cell.field) == ("Ana", None, "name")
    assert cell.source == ("orders" if role == "drivers" else "names")
    assert (cell.key, cell.position) == (origin.get("key", {}), origin.get("position", ""))
    assert cell.place == origin.get("place", "").replace("ROOT", str(tmp_path))
    assert (time, cell.line) == (origin.get("time"), origin.get("line", ""))


def _row(role: str, connector: str, folder: Path, record: Any, missing: Any = None, join: Any = None) -> Any:
    """What is told of the row of a driving record, with a rule for rows without a match, or with another join."""
    driver: dict[str, Any] = {"connector": "json", "path": f"{folder}/raw/*.json", "columns": KEYS}
    sources, uri = {"orders": driver}, _write_objects(folder, record)
    if role == "drivers":
        driver["columns"] = KEYS | COLUMNS
    else:
        text = json.dumps(TABLE[role][connector]["source"]).replace("ROOT", str(folder))
        sources["names"] = {**json.loads(text), "columns": COLUMNS}
        if connector == "memory":
            sources["names"]["rows"] = TABLE["rows"]
        if join:
            sources["names"]["join"] = join
        if missing:
            sources["names"]["join"]["missing"] = missing
    if (role, connector) == ("drivers", "memory"):
        uri = "memory:orders/0"
        sources["orders"] = {"connector": "memory", "rows": [record], "columns": driver["columns"]}
    sink = {"connector": "parquet", "path": f"{folder}/lake/"}
    spec = {"plait": 1, "name": "why", "sources": sources, "sink": sink, "quarantine": f"{folder}/bad/"}
    (folder / "spec.yaml").write_text(json.dumps(spec), encoding="utf-8")
    [row] = Pipeline.load(str(folder / "spec.yaml"), {}).why(uri).rows
    return row


def _write_objects(folder: Path, record: dict[str, Any]) -> str:
    """Write the objects, and return the URI of the driving one."""
    (folder / "raw").mkdir()
    (folder / "items").mkdir()
    for name, text in TABLE["files"].items():
        (folder / "items" / name).write_text(text, encoding="utf-8")
    (folder / "raw/o.json").write_text(json.dumps(record), encoding="utf-8")
    return str(folder / "raw/o.json")
