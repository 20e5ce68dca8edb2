"""`plait init`: a new project, whose spec validates, previews, runs and passes its cases at once."""

from __future__ import annotations

import json
import shlex
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait import __version__
from plait.cli import origin as origins
from plait.cli.commands.schema import schema_text
from plait.cli.common import CannotStart, aligned, coloured
from plait.problems.problem import Problem
from plait.problems.render import full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

    from plait.cli.origin import Origin

SPEC = "pipelines/orders.yaml"
SCHEMA = "pipelines/pipeline.schema.json"
REQUIREMENTS = "pipelines/requirements.txt"
WORKFLOW = ".github/workflows/plait.yml"
HOOK = ".pre-commit-config.yaml"
ABOUT = {
    SPEC: "the pipeline",
    "pipelines/orders.test.yaml": "its cases",
    SCHEMA: "what your editor completes and checks by",
    "pipelines/README.md": "what is where",
    REQUIREMENTS: "where plait is installed from",
    "sample/": "data to try it on",
    WORKFLOW: "the checks on GitHub",
    HOOK: "the checks before a commit",
    ".gitignore": "leaves out what runs write",
}
ELSEWHERE = "name a folder that is yours and has room"
TO_SAY = f"""\
# No public index has plait, so the checks on GitHub fail until a line of this file says where it is, as one of these:
#   ./wheels/plait-{__version__}-py3-none-any.whl
#   plait @ https://example.com/plait-{__version__}-py3-none-any.whl
"""
NEXT = ("plait validate", "plait test", f"plait preview {SPEC}", f"plait run {SPEC} --all")


@click.command("init")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--plait",
    metavar="WHERE",
    help="Where the project installs plait from: path or URL of a wheel, or git+https://…@REVISION.",
)
@click.option("--index-url", metavar="URL", help=f"The index that it installs plait {__version__} from.")
@click.pass_context
def command(ctx: click.Context, folder: Path, plait: str | None, index_url: str | None) -> None:
    """Write a new project into DIR: a spec, its cases, sample data, the schema for editors, checks for CI.

    No public index has plait: without `--plait` or `--index-url`, say in `pipelines/requirements.txt` where the checks
    on GitHub install it from. A wheel within DIR is named by its path there.
    """
    origin = _origin(folder, plait, index_url)
    texts = project(origin)
    taken = [folder / name for name in texts if (folder / name).exists() or (folder / name).is_symlink()]
    if taken:
        click.echo(full([_refusal(taken)], {}, coloured(sys.stderr)), err=True, color=True)
        ctx.exit(2)
    for name, text in texts.items():
        _write(folder / name, text)
    click.echo(f"wrote into {folder}\n{aligned(ABOUT.items(), indent='  ')}")
    begin = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
    click.echo("\nnext\n" + "\n".join(f"  {line}" for line in [*begin, *NEXT]))
    if origin is None:
        click.echo(f"\nbefore a push\n  say in {REQUIREMENTS} where plait is installed from")
    elif origin.warning:
        click.echo(f"warning: {origin.warning}", err=True)


def _origin(folder: Path, plait: str | None, index_url: str | None) -> Origin | None:
    if plait is not None and index_url is not None:
        raise click.UsageError("give `--plait` or `--index-url`, not both")
    if index_url is not None:
        return origins.index(index_url)
    return None if plait is None else origins.wheel(plait, folder)


def project(origin: Origin | None = None) -> dict[str, str]:
    """The text of each file of a new project, by its name within the project's folder."""
    texts = {**dict(_texts(files("plait.cli") / "project")), SCHEMA: f"{schema_text()}\n"}
    lines = "".join(f"{line}\n" for line in origin.arguments) if origin else TO_SAY
    texts[REQUIREMENTS] = texts[REQUIREMENTS].replace("ORIGIN\n", lines)
    texts[HOOK] = _hook(texts[HOOK], origin)
    return texts


def _hook(text: str, origin: Origin | None) -> str:
    """The hook installs plait itself, but for a path within the project, which pre-commit cannot install from."""
    if origin is None or origin.relative:
        return text.replace("PLAIT", f"the plait of your environment, see {REQUIREMENTS}")
    dependencies = json.dumps(origin.arguments, ensure_ascii=False)
    return text.replace("PLAIT", "a plait that pre-commit installs").replace(
        "language: system", f"language: python\n        additional_dependencies: {dependencies}"
    )


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
