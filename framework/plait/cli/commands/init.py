"""`plait init`: a new project, whose spec validates, previews, runs and passes its cases at once; or a new connector."""

from __future__ import annotations

import json
import os
import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plait import __version__
from plait.cli.commands.schema import schema_text
from plait.cli.failures import CannotStart
from plait.cli.requirement import require_from_index, require_wheel
from plait.plugin.registry import offers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

    from plait.cli.requirement import PlaitRequirement

SPEC = "pipelines/orders.yaml"
SCHEMA = "pipelines/pipeline.schema.json"
REQUIREMENTS = "pipelines/requirements.txt"
HOOK = ".pre-commit-config.yaml"
CONNECTOR_NAME = re.compile("[a-z][a-z0-9_]*")
REQUIREMENT_TO_FILL_IN = f"""\
# No public index has plait, so the checks on GitHub fail until a line of this file says where it is, as one of these:
#   ./wheels/plait-{__version__}-py3-none-any.whl
#   plait @ https://example.com/plait-{__version__}-py3-none-any.whl
"""
NEXT_COMMANDS = ("plait validate", "plait test", f"plait preview {SPEC}", f"plait run {SPEC} --all")


@click.command("init")
@click.argument("words", metavar="DIR | connector NAME", nargs=-1, required=True)
@click.option(
    "--plait",
    metavar="WHERE",
    help="Where the project installs plait from: path or URL of a wheel, or git+https://…@REVISION.",
)
@click.option("--index-url", metavar="URL", help=f"The index that it installs plait {__version__} from.")
def command(words: Sequence[str], plait: str | None, index_url: str | None) -> None:
    """Write a new project into DIR: a spec, its cases, sample data, the schema for editors, checks for CI.

    No public index has plait: without `--plait` or `--index-url`, say in `pipelines/requirements.txt` where the checks
    on GitHub install it from. A wheel within DIR is named by its path there.

    `plait init connector NAME` writes into plait-NAME a distribution with a connector of that word and its test.
    """
    if plait is not None and index_url is not None:
        raise click.UsageError("give `--plait` or `--index-url`, not both")
    if words[0] == "connector" and not plait and not index_url:
        _write_connector(words[1:])
        return
    if len(words) > 1:
        raise click.UsageError("give DIR, or `connector` and its NAME alone")
    folder = Path(words[0])
    requirement = None if plait is None else require_wheel(plait, folder)
    if index_url is not None:
        requirement = require_from_index(index_url)
    _write_files(folder, project_texts(requirement), NEXT_COMMANDS)
    if requirement is None:
        click.echo(f"\nbefore a push\n  say in {REQUIREMENTS} where plait is installed from")
    elif requirement.warning:
        click.echo(f"warning: {requirement.warning}", err=True)


def _write_connector(names: Sequence[str]) -> None:
    if len(names) != 1 or not CONNECTOR_NAME.fullmatch(names[0]):
        raise click.UsageError(
            "give `connector` one NAME: a small letter, then small letters, digits and `_`"
        )
    name = names[0]
    if any(offer.word == name for offer in offers()):
        raise CannotStart(
            f"a connector is called `{name}` already", code="ambiguous-connector", help="choose another word"
        )
    commands = ("python -m pip install -e . pytest", "python -m pytest", f"plait connectors {name}")
    _write_files(Path(f"plait-{name}"), connector_texts(name), commands)


def connector_texts(name: str) -> dict[str, str]:
    """The text of each file of a new connector: the template's, with the name in place of `prices`."""
    words = {"prices": name, "Prices": "".join(part.capitalize() for part in name.split("_"))}

    def renamed(text: str) -> str:
        return re.sub("|".join(words), lambda match: words[match[0]], text)

    return {renamed(file): renamed(text) for file, text in _template_texts(files("plait.cli") / "connector")}


def _write_files(folder: Path, texts: Mapping[str, str], next_commands: Iterable[str]) -> None:
    """Write new files into a folder, and say which they are and what to do next."""
    taken = [f"`{folder / name}`" for name in texts if os.path.lexists(folder / name)]
    if taken:
        message = f"of the new files {len(taken)} are there already: {', '.join(taken[:4])}"
        help = "name a folder that has none of them, or move them away"
        raise CannotStart(message, code="file-exists", help=help)
    for name, text in texts.items():
        _write(folder / name, text)
    change_folder = [] if folder.resolve() == Path.cwd() else [f"cd {shlex.quote(str(folder))}"]
    click.echo("\n  ".join([f"wrote into {folder}", *texts]))
    click.echo("\n  ".join(["\nnext", *change_folder, *next_commands]))


def project_texts(requirement: PlaitRequirement | None = None) -> dict[str, str]:
    """The text of each file of a new project, by its name within the project's folder."""
    texts = {**dict(_template_texts(files("plait.cli") / "project")), SCHEMA: f"{schema_text()}\n"}
    lines = "".join(f"{line}\n" for line in requirement.arguments) if requirement else REQUIREMENT_TO_FILL_IN
    texts[REQUIREMENTS] = texts[REQUIREMENTS].replace("ORIGIN\n", lines)
    texts[HOOK] = _hook_text(texts[HOOK], requirement)
    return texts


def _hook_text(text: str, requirement: PlaitRequirement | None) -> str:
    """The hook installs plait by itself, unless the wheel lies in the project, from where pre-commit cannot install."""
    if requirement is None or requirement.relative:
        return text.replace("PLAIT", f"the plait of your environment, see {REQUIREMENTS}")
    dependencies = json.dumps(requirement.arguments, ensure_ascii=False)
    return text.replace("PLAIT", "a plait that pre-commit installs").replace(
        "language: system", f"language: python\n        additional_dependencies: {dependencies}"
    )


def _template_texts(folder: Traversable, above: str = "") -> Iterator[tuple[str, str]]:
    """Every file of the template by its name; a name that begins with `_` stands for one that begins with a dot."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        name = above + (f".{entry.name[1:]}" if entry.name.startswith("_") else entry.name)
        if entry.is_dir():
            yield from _template_texts(entry, f"{name}/")
        elif not name.endswith(".pyc"):  # which an installer puts beside the template's modules
            yield name, entry.read_text("utf-8")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        message, help = f"`{path}` cannot be written: {reason}", "name a folder that is yours and has room"
        raise CannotStart(message, code="unwritable-file", help=help) from error
