"""A Python as Lambda's or Spark's: what these have, and nothing of this project."""

import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

RUNTIME = ("awslambdaric", "boto3")


def bare_python(folder: Path, runtime: tuple[str, ...] = RUNTIME) -> str:
    """Make a virtual environment with what a runtime has, Lambda's unless told, at the versions installed here; its Python."""
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python3*/site-packages")
    for name in with_requirements(runtime):
        link(name, packages)
    return str(folder / "bin" / Path(sys.executable).name)


def with_requirements(names: tuple[str, ...]) -> list[str]:
    """Distributions and all that they require, without extras."""
    distributions: dict[str, None] = {}
    waiting = [*names]
    while waiting:
        name = waiting.pop().lower()
        if name not in distributions:
            distributions[name] = None
            required = map(Requirement, distribution(name).requires or ())
            waiting += [r.name for r in required if not r.marker or r.marker.evaluate({"extra": ""})]
    return [*distributions]


def link(name: str, packages: Path) -> None:
    """Show an installed distribution in another folder of packages."""
    installed = distribution(name)
    for top in {
        file.parts[0] for file in installed.files or () if file.parts[0] not in ("..", "__pycache__")
    }:
        (packages / top).symlink_to(Path(str(installed.locate_file(top))))
