"""An editor with yaml-language-server knows the language: it completes, explains and marks mistakes by our schema."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.language_server import LanguageServer
from kit.paths import DATA, ROOT
from kit.tables import table
from plait.cli.commands.init import SPEC, project_texts
from plait.language.schema import options_schema
from plait.language.structure import shape_problems
from plait.language.yaml_reader import locate
from plait.plugin.registry import connector, offers
from unit.language.test_schema import SCHEMA, SPECS

SERVER = Path(__file__).parent / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
MODELINE = "# yaml-language-server: $schema=./pipeline.schema.json\n"
CURSOR = "¦"
TABLES = table("editor.yaml")
WORDS = [offer.word for offer in offers()]
ORDERS = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: in/*.json
"""
SINK = "sink: {connector: parquet, path: out/}\n"


class Editor:
    """A folder of specs with the schema, open in an editor."""

    def __init__(self, server: LanguageServer, folder: Path) -> None:
        self.server, self.folder, self.opened = server, folder, 0

    def problems(self, text: str) -> list[tuple[str, str]]:
        """The marked text and the message of each problem."""
        file = self._open(text)
        lines = (MODELINE + text).splitlines()
        problems = []
        for problem in self.server.problems(file):
            start, end = problem["range"]["start"], problem["range"]["end"]
            last = end["character"] if end["line"] == start["line"] else None
            problems.append((lines[start["line"]][start["character"] : last], problem["message"]))
        return problems

    def completions(self, text: str) -> list[str]:
        """What is offered where the cursor stands."""
        return [item["label"].strip('"') for item in self._ask("completion", text)["items"]]

    def hover(self, text: str) -> str:
        """What is shown about the word where the cursor stands, without the escapes of Markdown."""
        return re.sub(r"\\(.)", r"\1", str(self._ask("hover", text)["contents"]["value"]))

    def _ask(self, what: str, text: str) -> Any:
        before = (MODELINE + text).partition(CURSOR)[0]
        file = self._open(text.replace(CURSOR, ""))
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
        return self.server.ask_at(f"textDocument/{what}", file, line, column)

    def _open(self, text: str) -> Path:
        self.opened += 1
        file = self.folder / f"spec{self.opened}.yaml"
        self.server.open(file, MODELINE + text)
        return file


@pytest.fixture(scope="module")
def server() -> Iterator[LanguageServer]:
    node = shutil.which("node")
    assert node, "Node.js is not installed: run `make system`"
    assert SERVER.is_file(), "the language server is not installed: run `make editor`"
    with LanguageServer([node, str(SERVER), "--stdio"], ROOT / "pipelines") as started:
        yield started


@pytest.fixture(scope="module")
def editor(server: LanguageServer, tmp_path_factory: pytest.TempPathFactory) -> Editor:
    folder = tmp_path_factory.mktemp("specs")
    shutil.copy(ROOT / "pipelines" / "pipeline.schema.json", folder)
    return Editor(server, folder)


def test_a_source_is_offered_the_connectors_that_can_drive_or_look_up(editor: Editor) -> None:
    offered = editor.completions(f"{ORDERS}  items:\n    connector: {CURSOR}\n{SINK}")
    assert sorted(offered) == sorted(word for word in WORDS if not connector(word).sink)


def test_a_sink_is_offered_the_connectors_that_can_write(editor: Editor) -> None:
    assert editor.completions(f"{ORDERS}sink:\n  connector: {CURSOR}\n") == ["parquet"]


@pytest.mark.parametrize("word", [word for word in WORDS if connector(word).lookup])
def test_a_block_is_offered_the_options_of_its_own_connector_and_the_common_keys(
    editor: Editor, word: str
) -> None:
    offered = editor.completions(f"{ORDERS}  other:\n    connector: {word}\n    {CURSOR}\n{SINK}")
    keys = {*offered} - {word}  # the whole block, offered under the word
    time = {"window"} if getattr(connector(word).lookup, "order", None) == "time" else set()
    assert keys == {
        *options_schema(connector(word))["properties"],
        "columns",
        "decode",
        "join",
        "cache",
        "optional",
        *time,
        *({"only"} if connector(word).driver else ()),
    }


@pytest.mark.parametrize(("place", "words"), TABLES["offered"])
def test_every_kind_of_place_offers_what_may_stand_there(
    editor: Editor, place: str, words: list[str]
) -> None:
    assert set(words) <= set(editor.completions(f"{ORDERS}{place}{SINK}"))


@pytest.mark.parametrize(("old", "new", "marked", "message"), TABLES["marked"])
def test_a_mistake_is_marked_at_its_place(
    editor: Editor, old: str, new: str, marked: str, message: str
) -> None:
    problems = editor.problems((ORDERS + SINK).replace(old, new, 1))
    assert [text for place, text in problems if place == marked and message in text], problems


@pytest.mark.parametrize("block", TABLES["good"])
def test_a_good_spec_has_no_mark(editor: Editor, block: str) -> None:
    assert editor.problems(f"{ORDERS}    {block}\n{SINK}") == []


@pytest.mark.parametrize(
    ("text", "word", "option"),
    [
        (ORDERS.replace("path", f"pa{CURSOR}th"), "json", "path"),
        (f"{ORDERS}  items:\n    connector: csv\n    delim{CURSOR}iter: ';'\n", "csv", "delimiter"),
    ],
)
def test_a_key_shows_what_the_author_of_its_connector_wrote(
    editor: Editor, text: str, word: str, option: str
) -> None:
    assert options_schema(connector(word))["properties"][option]["description"] in editor.hover(text + SINK)


@pytest.mark.parametrize("file", sorted((ROOT / "pipelines").glob("*.yaml")), ids=lambda file: file.name)
def test_every_shipped_spec_is_clean_by_its_own_first_line(server: LanguageServer, file: Path) -> None:
    text = file.read_text("utf-8")
    assert file.name.endswith(".test.yaml") or text.startswith(MODELINE)
    server.open(file, text)
    assert server.problems(file) == []


def test_the_spec_of_a_new_project_is_clean(editor: Editor) -> None:
    text = project_texts()[SPEC]
    assert text.startswith(MODELINE)
    assert editor.problems(text) == []


@pytest.mark.parametrize("name", SPECS)
def test_every_spec_of_the_documentation_is_clean(editor: Editor, name: str) -> None:
    assert editor.problems(SPECS[name]) == []


def test_the_editor_and_validate_have_one_verdict_on_the_shape_of_every_wrong_spec(editor: Editor) -> None:
    """But for texts of the right form that cannot be: a time zone that is none, more digits than there are, look-ahead."""
    verdicts = {}
    for file in sorted((DATA / "problems").glob("*/*.yaml")):
        source_map, _ = locate(file.read_bytes(), file.name)
        if source_map is not None:
            refused_here = [*shape_problems(source_map.value, SCHEMA)] != []
            verdicts[f"{file.parent.name}/{file.stem}"] = (
                refused_here,
                editor.problems(source_map.text) != [],
            )
    assert len(verdicts) > 120
    assert sum(refused_here for refused_here, _ in verdicts.values()) > 80
    differing = {name for name, (refused_here, marked) in verdicts.items() if refused_here != marked}
    assert differing == {
        "unknown-type/decimal_swapped_blind",
        "unknown-zone/unknown_time_zone_blind",
        "wrong-regex/looks_ahead",
    }


def test_the_locked_packages_come_from_no_host_in_particular() -> None:
    lock = json.loads((Path(__file__).parent / "package-lock.json").read_text("utf-8"))
    packages = [package for name, package in lock["packages"].items() if name]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert [package for package in packages if "resolved" in package] == []
