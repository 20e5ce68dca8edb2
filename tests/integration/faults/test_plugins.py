"""A connector of another distribution that is broken or hostile hurts only those who name it, and is told by its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.faults.offline import offline
from kit.run import put
from kit.tables import table

pytestmark = pytest.mark.fault("S12")
SECRET = "canary-secret-4c1e"
TABLE = table(Path(__file__).with_name("plugins.yaml"))
LOADS, FAILS = TABLE["loads"], TABLE["fails"]


def distribution(folder: Path, word: str, text: str) -> None:
    """Install a module as a distribution of its own, that offers a word."""
    info = folder / f"plait_{word}-3.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: plait-{word}\nVersion: 3.2\n")
    (info / "entry_points.txt").write_text(f"[plait]\n{word} = plait_{word}\n")
    (folder / f"plait_{word}.py").write_text(text)


def install_broken(folder: Path) -> None:
    """Install each connector that does not load."""
    for word, module in LOADS.items():
        distribution(folder, word, module["code"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a connector that fails as it is told, and a bystander that no spec names."""
    text = Path(__file__).with_name("plugins").joinpath("plait_hostile.py").read_text("utf-8")
    distribution(tmp_path, "hostile", text)
    distribution(tmp_path, "bystander", "import socket\nsocket.getaddrinfo('127.0.0.1', 9)\n")
    return tmp_path


def spec(folder: Path, name: str, **blocks: dict[str, Any]) -> str:
    """Write a spec of three parts, of which some are given."""
    rows = [{"id": "one", "found": 1}]
    parts: dict[str, dict[str, Any]] = {
        "driver": {"connector": "memory", "rows": [{"id": "one"}]},
        "lookup": {"connector": "memory", "rows": rows},
        "sink": {"connector": "parquet", "path": "out/"},
        **blocks,
    }
    driver = {**parts["driver"], "columns": {"id": "string"}}
    lookup = {**parts["lookup"], "columns": {"found": "int"}, "join": {"on": "id"}}
    text = {"plait": 1, "name": name, "sources": {"a": driver, "b": lookup}, "sink": parts["sink"]}
    put(folder / f"{name}.yaml", json.dumps(text, indent=1))
    return f"{name}.yaml"


def hostile(where: str = "", how: str = "") -> dict[str, Any]:
    """A block of the connector that fails."""
    return {"connector": "hostile", "where": where, "how": how}


def test_a_connector_that_does_not_load_is_a_problem_where_it_is_named(folder: Path) -> None:
    """With its distribution and version, and nothing else is loaded."""
    install_broken(folder)
    commands = [["validate", "-o", "json", spec(folder, word, lookup={"connector": word})] for word in LOADS]
    answers = offline(folder, *commands)
    assert answers["noted"] == []
    for (word, module), ended in zip(LOADS.items(), answers["ended"], strict=True):
        (problem,) = json.loads(ended["stdout"])["problems"]
        assert (ended["code"], problem["code"]) == (1, "broken-connector")
        assert module["message"] in problem["message"]
        assert "\n" not in problem["message"]
        assert SECRET not in ended["stdout"] + ended["stderr"]
        assert problem["note"].startswith(f"from `plait-{word}` 3.2")
        line = (folder / f"{word}.yaml").read_text("utf-8").splitlines()[problem["line"] - 1]
        assert line[problem["column"] - 1 :].strip('",') == word


def test_the_list_of_connectors_and_the_schema_live_with_broken_ones(folder: Path) -> None:
    install_broken(folder)
    connectors, schema = offline(folder, ["connectors", "-o", "json"], ["schema"])["ended"]
    listed = json.loads(connectors["stdout"])["connectors"]
    assert {connector["name"] for connector in listed} > {*LOADS, "hostile", "json"}
    assert [word for word in LOADS if f"`{word}`" not in schema["stderr"]] == []


def test_whatever_a_connector_raises_or_gives_is_told_in_one_line_that_names_it(folder: Path) -> None:
    """Without a word of the error's text, which may hold a secret, and without a traceback; nothing is written."""
    ways = [(*place.split(), how) for how, fail in FAILS.items() for place in fail["at"]]
    files = [
        spec(folder, f"{role}-{where}-{how}", **{role: hostile(where, how)}) for role, where, how in ways
    ]
    ended = offline(folder, *(["run", file, "--all"] for file in files))["ended"]
    for (_, where, how), command in zip(ways, ended, strict=True):
        shown = command["stdout"] + command["stderr"]
        assert command["code"] == 1, shown
        message = f"the connector `hostile` of `plait-hostile` 3.2 failed: {FAILS[how]['said']}"
        assert message in shown, (where, how, shown)
        assert "Traceback" not in shown.split()
        assert SECRET not in shown
        assert how in ("garbage", "misshapen", "keyless", "short") or "in line" in shown
        assert "help: tell those who maintain `plait-hostile`" in " ".join(shown.split())
    assert not list(folder.glob("out/**/*.parquet"))


def test_no_answer_comes_again_a_bug_does_not_get_better_and_what_behaves_works(folder: Path) -> None:
    files = [spec(folder, how, lookup=hostile("fetch", how)) for how in ("away", "bug")]
    files.append(spec(folder, "calm", driver=hostile(), lookup=hostile(), sink=hostile()))
    ended = offline(folder, *(["run", file, "--all", "-o", "json"] for file in files))["ended"]
    away, bug, calm = (json.loads(command["stdout"]) for command in ended)
    assert (away["objects"]["retry"], away["objects"]["failed"]) == (1, 0)
    assert (bug["objects"]["retry"], bug["objects"]["failed"]) == (0, 1)
    assert (ended[2]["code"], calm["rows"], calm["lookups"]["b"]["rows_matched"]) == (0, 1, 1)


def test_what_fails_before_a_run_is_told_as_well(folder: Path) -> None:
    """In `validate` where the connector is named; in `plan` in one line."""
    known = spec(folder, "known", lookup=hostile("known_fields", "bug"))
    calls = spec(folder, "calls", lookup=hostile("calls", "exit"))
    options = [
        spec(folder, f"{role}-{how}", **{role: hostile("options", how)})
        for role in ("lookup", "sink")
        for how in ("bug", "exit")
    ]
    commands = [["validate", file, "-o", "json"] for file in (known, *options)]
    validated, *refused, planned = offline(folder, *commands, ["plan", calls])["ended"]
    for command in refused:
        (problem,) = json.loads(command["stdout"])["problems"]
        assert problem["code"] == "broken-connector"
        assert problem["message"].startswith("the connector's options cannot be made: ")
        assert problem["line"]
    (problem,) = json.loads(validated["stdout"])["problems"]
    assert (problem["code"], problem["line"]) == ("broken-connector", 17)
    assert "of `plait-hostile` 3.2 failed: KeyError in line" in problem["message"]
    assert planned["code"] == 1
    assert "of `plait-hostile` 3.2 failed: SystemExit in line" in planned["stderr"]
    assert SECRET not in validated["stdout"] + planned["stderr"]


def test_what_fails_before_the_first_event_is_told_as_well(folder: Path) -> None:
    file = spec(folder, "prepare", lookup=hostile("prepare", "bug"))
    code = (
        "import plait\n"
        f"try: plait.load({file!r}).engine().prepare()\n"
        "except plait.plugin.GiveUp as error: assert error.code == 'broken-connector'\n"
        "else: raise AssertionError\n"
    )
    assert offline(folder, ["python", code])["ended"] == []


def test_one_that_hangs_ends_with_the_time_of_the_function_and_its_object_comes_again(folder: Path) -> None:
    file = spec(folder, "hangs", lookup=hostile("fetch", "hang"))
    code = (
        "import os, plait; from plait.aws_lambda.deadline import run_within\n"
        f"engine = plait.load({file!r}).engine()\n"
        "report, outcomes, ended = run_within(engine, ['memory:a/0'], 3.0)\n"
        "os.environ['ENOUGH'] = 'yes'\n"
        "assert not ended and outcomes == report.outcomes == {'memory:a/0': 'retry'}, report\n"
    )
    assert offline(folder, ["python", code])["ended"] == []
