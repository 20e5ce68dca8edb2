"""The documentation cannot lie: its examples run, and no key or option goes without a word."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from click.testing import CliRunner

import plait
from kit.paths import ROOT
from plait.cli.commands.init import project_texts
from plait.cli.commands.schema import schema_text
from plait.cli.main import main
from plait.language import keys as language
from plait.language.validate import validate
from plait.plugin import Connector, Options
from plait.plugin.registry import connector, offers
from plait.values.decode import STEPS
from plait.values.json_value import json_value

LANGUAGE = ROOT / "pipelines" / "README.md"
PAGES = [
    ROOT / "README.md",
    *(ROOT / folder / "README.md" for folder in ("framework", "plugins", "pipelines")),
    *(ROOT / "pipelines" / page for page in ("PLAN.md", "SANDBOX.md")),
]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAMPLE = re.compile(r"^`(sample/[^`]+)`\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
CASES = re.compile(
    r"^```yaml\n(plait: 1\n.*?)^```$\n\n`try.test.yaml`\n\n```yaml\n(.*?)^```$\n\n```console\n\$ (.*?)\n(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
EXAMPLE = re.compile(
    r"^```yaml\n(plait: 1\n.*?)^```$(?:\n\n```(jsonl|files)\n(.*?)^```$)?", re.DOTALL | re.MULTILINE
)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _specs() -> list[Any]:
    blocks = ((page, text) for page in PAGES for kind, text in BLOCK.findall(_text(page)) if kind == "yaml")
    return [
        pytest.param(text, id=f"{page.parent.name}-{number}")
        for number, (page, text) in enumerate(blocks)
        if text.startswith("plait: 1")
    ]


def _examples() -> list[Any]:
    """The examples with their promised answer; those without one speak to a service."""
    name = re.compile(r"^name: (.*)$", re.MULTILINE)
    examples = EXAMPLE.findall(_text(LANGUAGE))
    return [pytest.param(*example, id=name.search(example[0])[1]) for example in examples if example[1]]  # type: ignore[index]


def _blocks() -> dict[str, list[str]]:
    """The keys of each block of a spec, and of each block of a file of cases."""
    structs = (member for member in vars(language).values() if isinstance(member, type))
    blocks = {struct.__name__: _keys(struct) for struct in structs if issubclass(struct, Options)}
    schema = yaml.safe_load((ROOT / "framework/plait/testing/cases/cases.schema.yaml").read_bytes())
    return blocks | {name: [*block["properties"]] for name, block in schema.items() if "properties" in block}


def _ours() -> list[Connector]:
    return [connector(offer.word) for offer in offers() if offer.distribution == "plait"]


def _keys(struct: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(struct)]


BLOCKS = _blocks()


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in SAMPLE.findall(_text(LANGUAGE)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", _specs())
def test_every_pipeline_in_the_documentation_is_valid(text: str) -> None:
    assert validate(text, "example.yaml").problems == ()


@pytest.mark.parametrize(("text", "kind", "promised"), _examples())
def test_every_local_example_gives_what_stands_below_it(
    samples: Path, text: str, kind: str, promised: str
) -> None:
    (samples / "try.yaml").write_text(text, encoding="utf-8")
    pipeline = plait.load("try.yaml")
    report = pipeline.run()
    assert report.ok, report.problems
    if kind == "files":
        assert [file.uri for file in report.files] == promised.splitlines()
    else:
        rows = json_value(pipeline.preview_with_report().to_pylist())
        assert rows == [json.loads(line) for line in promised.splitlines()]


@pytest.fixture
def tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write the example with cases, and return what the page says that they give."""
    spec, cases, _, printed = CASES.findall(_text(LANGUAGE).partition("## Cases")[2])[0]
    (tmp_path / "try.yaml").write_text(spec, encoding="utf-8")
    (tmp_path / "try.test.yaml").write_text(cases, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return str(printed)


def test_the_cases_of_the_documentation_hold(tried: str) -> None:
    assert CliRunner().invoke(main, ["test", "try.yaml"]).stdout == tried


def test_a_case_of_the_documentation_fails_as_it_says(tried: str) -> None:
    file = Path("try.test.yaml")
    text = file.read_text(encoding="utf-8")
    items = "items: [{{sku: tea, quantity: {}}}], city"
    file.write_text(text.replace(items.format(2), items.format(3)))
    printed = CliRunner().invoke(main, ["test", "try.yaml"]).stdout.partition("\n\n")[0]
    assert f"{printed}\n" in [text for kind, text in BLOCK.findall(_text(LANGUAGE)) if kind == "text"]


@pytest.mark.usefixtures("samples")
def test_why_says_what_the_documentation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    section = _text(LANGUAGE).partition("## Why is this null?")[2]
    (_, spec), (_, printed) = BLOCK.findall(section)[:2]
    Path("try.yaml").write_text(spec, encoding="utf-8")
    command, _, answer = printed.removeprefix("$ plait ").partition("\n")
    lines = CliRunner().invoke(main, command.split()).stdout.splitlines()
    assert [line.rstrip() for line in lines] == answer.splitlines()


@pytest.mark.parametrize("block", BLOCKS)
def test_every_key_of_the_language_is_named(block: str) -> None:
    text = _text(LANGUAGE)
    assert [key for key in BLOCKS[block] if f"`{key}`" not in text and f"`{{{key}:" not in text] == []


@pytest.mark.parametrize("ours", _ours(), ids=lambda ours: ours.name)
def test_every_option_of_every_connector_is_named(ours: Connector) -> None:
    table = _text(LANGUAGE).partition("## The connectors")[2]
    row = next(line for line in table.splitlines() if line.startswith(f"| `{ours.name}` |"))
    assert [option for option in _keys(ours.options) if f"`{option}`" not in row] == []


@pytest.mark.parametrize("step", STEPS)
def test_every_decode_step_has_its_row(step: str) -> None:
    assert re.search(rf"^\| `\{{?{step}\b", _text(LANGUAGE), re.MULTILINE)


def test_the_first_connector_of_the_documentation_is_memory_itself() -> None:
    code = inspect.getsource(inspect.getmodule(connector("memory").options))  # type: ignore[arg-type]
    assert code in [text for kind, text in BLOCK.findall(_text(PAGES[2])) if kind == "python"]


def test_the_schema_beside_the_specs_is_that_of_the_language() -> None:
    """`make schema` renews it."""
    assert _text(ROOT / "pipelines" / "pipeline.schema.json") == f"{schema_text()}\n"


def test_what_a_new_project_has_is_listed() -> None:
    section = _text(LANGUAGE).partition("## A new project")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)
    names = {"sample/" if name.startswith("sample/") else name for name in project_texts()}
    assert sorted(listed) == sorted(names)
