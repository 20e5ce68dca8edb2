"""Every way that a spec can be wrong, as a file with what is said of it.

`tests/data/problems/<code>/<case>.yaml` is a wrong spec, `<case>.txt` all that a terminal shows of it. Where the first line
is a command, `# $ VARIABLE=value plait run --param name=value`, its variables and parameters count. `<case>.beside.yaml` is a second spec of the
folder. Cases that end in `_blind` were written by someone who had not read the checks.

PLAIT_UPDATE=1 rewrites the texts; read them as a user would.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from kit.paths import DATA, ROOT
from kit.problems import CHAPTERS_OF_RUNS
from plait.language.validate import (
    Validated,
    duplicate_names,
    missing_parameters,
    refused_parameters,
    validate,
)
from plait.language.yaml_reader import locate
from plait.plugin import registry
from plait.problems.pages import pages
from plait.problems.problem import Problem, Span, as_json
from plait.problems.render import concise, full, github

FOLDER = DATA / "problems"
CASES = sorted(file for file in FOLDER.glob("*/*.yaml") if not file.name.endswith(".beside.yaml"))
CODES = sorted({file.parent.name for file in CASES})
COMMAND = re.compile(r"# \$ ((?:[A-Z_]+=\S+ )*)plait (\w+)(.*)")
KEBAB = re.compile(r"[a-z]+(-[a-z0-9]+)+")
SECRETS = ("Winter2024!", "p4ss word!", "AKIAIOSFODNN7EXAMPLE", "hunter2")
NOT_CODES = {"utf-8"}
REPORTED_BY_RUNS = {"problems.errors", "plugin.body", "aws.retries", "aws.errors"}
NAMED_BY_AUTHOR = re.compile(r"(sources|columns|decode|parameters|partition_by)")


@pytest.fixture
def installed(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Install the distributions of somebody else, whose connectors cannot be used, for the cases that name them."""
    case: Path = request.getfixturevalue("case")
    if case.parent.name not in ("ambiguous-connector", "broken-connector"):
        yield
        return
    monkeypatch.syspath_prepend(str(shutil.copytree(DATA / "strangers", tmp_path / "strangers")))
    _forget()
    yield
    monkeypatch.undo()
    for module in ("plait_broken", "plait_clash"):
        sys.modules.pop(module, None)
    _forget()


def _forget() -> None:
    invalidate_caches()
    registry._entry_points.cache_clear()
    registry._installed_offers.cache_clear()
    registry.connector.cache_clear()


def outcome(case: Path) -> Validated:
    """The outcome of the command that a case names, else of `plait validate`; the file has no folder in its name."""
    data = case.read_bytes()
    command = COMMAND.match(data.decode("utf-8", "replace"))
    words = shlex.split(command[3]) if command else []
    parameters = dict(word.split("=", 1) for word in words if "=" in word)
    validated = validate(data, case.name, parameters)
    if command and command[2] == "run":
        environment = dict(word.split("=", 1) for word in shlex.split(command[1]))
        refused = refused_parameters(validated, parameters, environment)
        return Validated(None, tuple(refused or missing_parameters(validated)), validated.text)
    beside = case.with_suffix(".beside.yaml")
    if beside.exists():
        files = {beside.name: validate(beside.read_bytes(), beside.name), case.name: validated}
        return Validated(None, tuple(duplicate_names(files)), validated.text)
    return validated


def shown(case: Path) -> str:
    """What a terminal shows of a case."""
    validated = outcome(case)
    return full(validated.problems, {case.name: validated.text}, limit=None) + "\n"


def golden(file: Path, text: str) -> str:
    """The text of a golden file; with PLAIT_UPDATE set, it is renewed first."""
    if os.environ.get("PLAIT_UPDATE"):
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.fault("S1")
@pytest.mark.fault("S2")
@pytest.mark.fault("S3")
@pytest.mark.fault("S4")
@pytest.mark.fault("S5")
@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("case", CASES, ids=_name)
def test_a_wrong_spec_is_explained_as_it_was_when_somebody_read_it(case: Path) -> None:
    """The whole text, and at least one problem of the folder's code; each has a place and something to do."""
    problems = outcome(case).problems
    assert case.parent.name in {problem.code for problem in problems}
    assert [problem.code for problem in problems if problem.span is None or not problem.help] == []
    assert shown(case) == golden(case.with_suffix(".txt"), shown(case))


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("case", {file.parent: file for file in reversed(CASES)}.values(), ids=_name)
def test_each_code_looks_alike_to_editors_to_github_and_in_logs(case: Path) -> None:
    """The three other renderings of the first case of each code."""
    problems = [problem for problem in outcome(case).problems if problem.code == case.parent.name]
    lines = [concise(problems), github(problems), *map(json.dumps, as_json(problems))]
    text = "\n".join(lines) + "\n"
    assert golden(case.parent / "renderings.txt", text) == text


@pytest.mark.fault("S10")
@pytest.mark.parametrize("case", sorted((FOLDER / "literal-secret").glob("*.yaml")), ids=_name)
def test_a_secret_that_stands_in_a_spec_is_shown_nowhere(case: Path) -> None:
    """Neither as a message nor as a line of the source, also where another problem is on that line."""
    text = case.read_text(encoding="utf-8")
    secrets = [secret for secret in SECRETS if secret in text]
    broken = text.replace("connector: mysql", "connector: mysqll").replace("table: ", "tabel: ")
    for spec in (text, broken, f"{text}\n  - broken"):
        validated = validate(spec, case.name)
        texts = full(validated.problems, {case.name: validated.text}, limit=None)
        texts += json.dumps(as_json(validated.problems))
        assert secrets
        assert [secret for secret in secrets if secret in texts] == []


def _file(module: str) -> Path:
    path = ROOT / "framework" / "plait" / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _imported(module: str, seen: set[str]) -> set[str]:
    """The modules of plait that a module imports, and those that they import."""
    file = _file(module)
    if module in seen or not file.exists():
        return seen
    seen.add(module)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("plait."):
            imported = str(node.module).removeprefix("plait.")
            _imported(imported, seen)
            for alias in node.names:
                _imported(f"{imported}.{alias.name}", seen)
    return seen


def _codes(module: str) -> Iterator[str]:
    """The words of a module that are written as codes are, and the one-word codes of checks."""
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and KEBAB.fullmatch(node.value):
            yield node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check":
            code = node.args[0]
            assert isinstance(code, ast.Constant)
            yield str(code.value)


def test_every_code_has_its_cases_and_its_page_and_there_are_no_others() -> None:
    modules = _imported("language.validate", set()) - REPORTED_BY_RUNS
    codes = {code for module in modules for code in _codes(module)} - NOT_CODES
    assert len(modules) > 25
    assert sorted(codes) == CODES
    of_specs = [page.code for page in pages().values() if page.chapter not in CHAPTERS_OF_RUNS]
    assert sorted(of_specs) == CODES


def test_every_page_of_what_a_run_may_end_with_is_of_a_code_that_runs_report() -> None:
    files = [*(ROOT / "framework/plait").rglob("*.py"), *(ROOT / "plugins/plait_connectors").glob("*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    of_runs = [page.code for page in pages().values() if page.chapter in CHAPTERS_OF_RUNS]
    assert [code for code in of_runs if f'"{code}"' not in text] == []


def test_there_are_many_cases_and_sixty_of_them_by_another_hand() -> None:
    """A case is blind if somebody wrote it who had not read the check."""
    assert len(CASES) >= 120
    assert len([case for case in CASES if case.stem.endswith("_blind")]) >= 60


@pytest.mark.parametrize("code", CODES)
def test_no_two_cases_of_a_code_are_at_the_same_place_of_the_spec(
    code: str,
) -> None:
    places = defaultdict(list)
    for case in (FOLDER / code).glob("*.yaml"):
        problem = next((problem for problem in outcome(case).problems if problem.code == code), None)
        if problem is not None:
            places[_place(case, problem)].append(case.stem)
    assert [names for names in places.values() if len(names) > 1] == []


def _place(case: Path, problem: Problem) -> str:
    """The path of a problem's place, without the names that its author chose; the text there, where nothing was read."""
    assert problem.span is not None
    source_map, _ = locate(case.read_bytes(), case.name)
    if source_map is None:
        return f"{problem.message} at {problem.span.line}"
    holding = [(span, path) for path, span in source_map.value_spans.items() if _holds(span, problem.span)]
    keys = [(span, (*path, "key")) for path, span in source_map.key_spans.items() if span == problem.span]
    path = keys[0][1] if keys else max(holding)[1] if holding else ()
    steps = [
        "*" if n and NAMED_BY_AUTHOR.fullmatch(str(path[n - 1])) else str(step) for n, step in enumerate(path)
    ]
    return ".".join(steps)


def _holds(span: Span, other: Span) -> bool:
    return span <= other and (other.end_line, other.end_column) <= (span.end_line, span.end_column)
