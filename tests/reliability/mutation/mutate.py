"""Change the framework a little, many times, and tell which changes no test notices: `mutate.py [module …]`."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from difflib import ndiff
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DIST = ROOT / "dist"
LEAST = 85
KILLED, TIMEOUT = (1, 3, -11), (-24, 24, 36, 152, 255)  # the codes of mutmut; a crash kills
SETTINGS = (HERE / "mutmut.toml").read_text(encoding="utf-8")


class Mutant(NamedTuple):
    """One change of one function, as the lines that were and are, and how the tests ended."""

    where: str
    was: str
    now: str
    code: int

    @property
    def noticed(self) -> bool:
        """Whether a test failed, or never ended."""
        return self.code in KILLED + TIMEOUT

    def __str__(self) -> str:
        return f"{self.where}\n  - {self.was}\n  + {self.now}"


def main() -> int:
    """Try modules, write the scores and survivors of all tried so far to `dist`, and fail where many survive."""
    modules: dict[str, list[str]] = yaml.safe_load((HERE / "modules.yaml").read_text(encoding="utf-8"))
    for module in sys.argv[1:] or modules:
        run(module, modules[module])
    tried = {module: [*mutants(module)] for module in modules if (DIST / "mutation" / module).exists()}
    scores = {module: score(module, changes) for module, changes in tried.items()}
    survivors = (mutant for changes in tried.values() for mutant in changes if not mutant.noticed)
    lines = [f"{mutant}\n  = {why(mutant)}".removesuffix("\n  = ") for mutant in survivors]
    (DIST / "mutation.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    (DIST / "mutation.txt").write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    print(*(f"{module}: {counts}" for module, counts in scores.items()), sep="\n")  # noqa: T201 - the answer
    return int(min(counts["percent"] for counts in scores.values()) < LEAST)


def run(module: str, tests: list[str]) -> None:
    """Have mutmut try all mutants of a module, on a copy of what the tests need."""
    folder = DIST / "mutation" / module
    shutil.rmtree(folder, ignore_errors=True)
    unwanted = shutil.ignore_patterns("node_modules", "__pycache__")
    for name, copied in {"framework": "src", "tests": "tests", "pipelines": "pipelines"}.items():
        shutil.copytree(ROOT / name, folder / copied, ignore=unwanted)
    settings = SETTINGS.replace("MODULE", module).replace("TESTS", json.dumps(tests))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(project + settings, encoding="utf-8")
    mutmut = str(Path(sys.executable).with_name("mutmut"))
    with (folder / "mutmut.log").open("wb") as log:
        command = [mutmut, "run", "--max-children", "1"]
        budget = os.environ | {"PLAIT_BUDGET": "mutation"}
        subprocess.run(command, cwd=folder, env=budget, stdout=log, stderr=log, check=True)


def mutated(module: str) -> Path:
    """The file with all mutants of a module."""
    return DIST / "mutation" / module / "mutants" / "src" / "plait" / f"{module}.py"


def notes(module: str) -> dict[str, Any]:
    """What mutmut noted of a module."""
    noted: dict[str, Any] = json.loads(mutated(module).with_suffix(".py.meta").read_text(encoding="utf-8"))
    return noted


def mutants(module: str) -> Iterator[Mutant]:
    """What became of each mutant of a module."""
    codes, path = notes(module)["exit_code_by_key"], mutated(module)
    text = path.read_text(encoding="utf-8")
    functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    sources = {f.name: ast.get_source_segment(text, f) or "" for f in functions}
    for key, code in codes.items():
        name = key.rpartition(".")[2]
        function = name.rpartition("__mutmut_")[0]
        before, after = (sources[n].splitlines()[1:] for n in (f"{function}__mutmut_orig", name))
        changes = [*ndiff(before, after)]
        was, now = (" ".join(c[2:].strip() for c in changes if c[0] == sign) for sign in "-+")
        place = f"{module.replace('/', '.')}.{function.removeprefix('x_').strip('xǁ').replace('ǁ', '.')}"
        yield Mutant(place, was, now, code)


def why(mutant: Mutant) -> str:
    """Why nobody could notice a mutant, as somebody found out; empty for one that a test should notice."""
    known = (HERE / "equivalent.txt").read_text(encoding="utf-8").strip().split("\n\n")
    reasons = dict(entry.split("\n  = ") for entry in known)
    return reasons.get(str(mutant), "")


def score(module: str, tried: list[Mutant]) -> dict[str, float]:
    """The counts of a module's mutants; `percent` takes the equivalent ones for survivors."""
    noticed = sum(mutant.noticed for mutant in tried)
    equivalent = sum(not mutant.noticed and bool(why(mutant)) for mutant in tried)
    return {
        "mutants": len(tried),
        "killed": noticed,
        "timeouts": sum(mutant.code in TIMEOUT for mutant in tried),
        "survived": len(tried) - noticed,
        "equivalent": equivalent,
        "percent": round(100 * noticed / len(tried), 1),
        "percent_without_equivalent": round(100 * noticed / (len(tried) - equivalent), 1),
        "seconds": round(sum(notes(module)["durations_by_key"].values())),
    }


if __name__ == "__main__":
    sys.exit(main())
