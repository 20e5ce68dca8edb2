"""The repository keeps the shape that CONTRIBUTING promises: small files, one word per connector, no stray folders."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.paths import ROOT

SOURCES = sorted(path for folder in ("framework", "plugins") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
CONNECTORS = ROOT / "plugins" / "plait_connectors"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENTRY_POINTS: dict[str, str] = PROJECT["project"]["entry-points"]["plait"]
LOCKS = [ROOT / "uv.lock", ROOT / "tests" / "benchmarks" / "peers" / "uv.lock"]
INDEX, FILES = "https://pypi.org/simple", "https://files.pythonhosted.org/packages/"
FOLDERS = {".ci", "framework", "pipelines", "plugins", "tests"}
WORKPLACE = re.compile(rb"/(work|root)/|\bsub-?agent|\bthis\s+session\b", re.IGNORECASE)
LINES_OF_FILE, LINES_OF_FUNCTION, WORDS_OF_NAME, MODULES_OF_FOLDER = 250, 50, 4, 20

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def _tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_newcomer_reads_each_file_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_OF_FILE


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_each_function_fits_on_one_screen(path: Path) -> None:
    sizes = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in _functions(path)}
    assert {name: size for name, size in sizes.items() if size > LINES_OF_FUNCTION} == {}


def test_no_folder_has_more_modules_than_a_reader_takes_in() -> None:
    """Commands aside, which are a list."""
    folders = {path.parent for path in SOURCES} - {ROOT / "framework/plait/cli/commands"}
    counts = {_name(folder): len([*folder.glob("[a-z]*.py")]) for folder in folders}
    assert {name: count for name, count in counts.items() if count > MODULES_OF_FOLDER} == {}


@pytest.mark.parametrize("word", ENTRY_POINTS)
def test_the_word_of_a_connector_is_its_module_and_its_test(word: str) -> None:
    assert ENTRY_POINTS[word] == f"plait_connectors.{word}"
    assert (CONNECTORS / f"{word}.py").is_file()
    assert (ROOT / "tests" / "connectors" / f"test_{word}.py").is_file()


def test_every_public_connector_module_is_registered() -> None:
    modules = {path.stem for path in CONNECTORS.glob("*.py") if not path.stem.startswith("_")}
    assert modules == set(ENTRY_POINTS)


@pytest.mark.parametrize("folder", ["framework", "plugins"])
def test_the_folder_that_holds_a_package_is_not_one(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_each_test_says_in_a_sentence_what_is_promised(path: Path) -> None:
    tests = (node for node in _functions(path) if node.name.startswith("test_"))
    terse = [t.name for t in tests if not ast.get_docstring(t) and len(t.name.split("_")) <= WORDS_OF_NAME]
    assert terse == []


def test_no_tracked_file_speaks_of_where_it_was_written() -> None:
    texts = ((name, (ROOT / name).read_bytes()) for name in _tracked() if not name.endswith("uv.lock"))
    assert [(name, match[0]) for name, text in texts if (match := WORKPLACE.search(text))] == []


def test_the_top_level_has_only_the_folders_that_we_know() -> None:
    assert {name.split("/")[0] for name in _tracked() if "/" in name} <= FOLDERS


def test_set_up_says_what_it_does_before_each_step_that_takes_long() -> None:
    """In the order in which a new machine takes them."""
    command = [
        "make",
        "--dry-run",
        "--always-make",
        "--no-print-directory",
        "setup",
        "tests/integration/editor/node_modules/.package-lock.json",
    ]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    steps = (
        "Fetching uv",
        "pip install",
        "Making .venv",
        "sync --quiet",
        "Fetching the language server",
        "npm ci",
    )
    places = [done.stdout.find(step) for step in steps]
    assert places == sorted(places), done.stdout
    assert places[0] >= 0


@pytest.mark.fault("S14")
@pytest.mark.parametrize("lock", LOCKS, ids=_name)
def test_every_file_of_a_lock_has_its_hash_and_comes_from_one_index(lock: Path) -> None:
    """The project itself is the only exception."""
    locked = tomllib.loads(lock.read_text("utf-8"))["package"]
    fetched = [package for package in locked if package["name"] not in ("plait", "peers")]
    assert [package["name"] for package in fetched if package["source"] != {"registry": INDEX}] == []
    assert [
        package["name"] for package in fetched if not package.get("wheels") and "sdist" not in package
    ] == []
    files = [file for package in fetched for file in package.get("wheels", [])]
    files += [package["sdist"] for package in fetched if "sdist" in package]
    assert [file["url"] for file in files if not file["url"].startswith(FILES)] == []
    assert [file["url"] for file in files if not re.fullmatch(r"sha256:.{64}", file["hash"])] == []


@pytest.mark.fault("S14")
def test_the_project_is_set_up_from_the_lock_alone() -> None:
    """The project sets no index, source or file of its own for uv."""
    assert "$(UV) sync --quiet --frozen" in (ROOT / "Makefile").read_text("utf-8")
    assert PROJECT["tool"]["uv"].keys() == {"default-groups"}


def test_the_modules_whose_every_branch_and_mutant_is_tried_exist() -> None:
    """They are named by hand, and a module that moved would end `make coverage` and `make mutation` before they begin."""
    makefile = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", "")
    named = " ".join(re.findall(r"^(?:WHOLE :=|MODULES \?=)(.*)$", makefile, re.MULTILINE)).split()
    tried = (ROOT / "tests/reliability/mutation/modules.yaml").read_text("utf-8")
    named += re.findall(r"^(\S+):$", tried, re.MULTILINE)
    assert len(named) > 20
    assert [module for module in named if not (ROOT / f"framework/plait/{module}.py").exists()] == []
