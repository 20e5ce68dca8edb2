"""`plait init`: a new project, whose spec validates, previews, runs and passes its cases at once."""

from __future__ import annotations

import shlex
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait import __version__
from plait.cli.commands.schema import schema_text
from plait.cli.common import CannotStart, aligned, coloured
from plait.problems.problem import Problem
from plait.problems.render import full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

SPEC = "pipelines/orders.yaml"
SCHEMA = "pipelines/pipeline.schema.json"
WORKFLOW = ".github/workflows/plait.yml"
ABOUT = {
    SPEC: "the pipeline",
    "pipelines/orders.test.yaml": "its cases",
    SCHEMA: "what your editor completes and checks by",
    "pipelines/README.md": "what is where",
    "sample/": "data to try it on",
    WORKFLOW: "the checks on GitHub",
    ".pre-commit-config.yaml": "the checks before a commit",
    ".gitignore": "leaves out what runs write",
}
ELSEWHERE = "name a folder that is yours and has room"
NEXT = ("plait validate", "plait test", f"plait preview {SPEC}", f"plait run {SPEC} --all")


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.pass_context
def command(ctx: click.Context, folder: Path) -> None:
    """Write a new project into DIR: a spec, its cases, sample data, the schema for editors, checks for CI."""
    texts = project()
    taken = [folder / name for name in texts if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        click.echo(full([_refusal(taken)], {}, coloured(sys.stderr)), err=True, color=True)
        ctx.exit(2)
    for name, text in texts.items():
        _write(folder / name, text)
    click.echo(f"wrote into {folder}\n{aligned(ABOUT.items(), indent='  ')}")
    begin = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
    click.echo("\nnext\n" + "\n".join(f"  {line}" for line in [*begin, *NEXT]))


def project() -> dict[str, str]:
    """The text of each file of a new project, by its name within the project's folder."""
    texts = {**dict(_texts(files("plait.cli") / "project")), SCHEMA: f"{schema_text()}\n"}
    texts[WORKFLOW] = texts[WORKFLOW].replace("plait==VERSION", f"plait=={__version__}")
    return texts


def _texts(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    """Every file of the template; a name that begins with `_` stands for one that begins with a dot."""
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        name = above + (f".{entry.name[1:]}" if entry.name.startswith("_") else entry.name)
        if entry.is_dir():
            yield from _texts(entry, f"{name}/")
        else:
            yield name, entry.read_text("utf-8")


def _refusal(taken: list[Path]) -> Problem:
    others = ", ".join(str(path) for path in taken[1:4])
    more = f" and {len(taken) - 4} more" if len(taken) > 4 else ""
    return Problem(
        code="file-exists",
        message=f"a file of the new project is there already: `{taken[0].name}`",
        file=str(taken[0]),
        help="name a folder that has none of these files, or move them away",
        note=f"so are {others}{more}" if others else None,
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise CannotStart(
            f"`{path}` cannot be written: {reason}", code="unwritable-file", help=ELSEWHERE
        ) from error
