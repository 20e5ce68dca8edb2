"""`plait package`: the zip of a spec's function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plait.cli.common import CannotStart, aligned, output, print_json, unreadable
from plait.deploy.function import RUNTIME
from plait.deploy.package import UNZIPPED_LIMIT, package
from plait.deploy.target import GLIBC_MINOR, MACHINES, Target, running_target
from plait.language.validate import read_bytes, validate
from plait.pipeline.pipeline import InvalidSpec

if TYPE_CHECKING:
    from plait.deploy.package import Package
    from plait.deploy.target import Arch
    from plait.language.validate import Validated

PYTHON = RUNTIME.removeprefix("python")
MB = 1e6


@click.command("package")
@click.argument("spec")
@click.option("--out", metavar="FILE", help="The zip to write.  [default: the pipeline's name and .zip]")
@click.option(
    "--python", type=click.Choice([*GLIBC_MINOR]), help=f"Python of the function.  [default: {PYTHON}]"
)
@click.option("--arch", type=click.Choice([*MACHINES]), help="Processor of the function.  [default: x86_64]")
@click.option("--with-boto3", is_flag=True, help="Put boto3 in, instead of the one that the runtime has.")
@click.option(
    "--here", is_flag=True, help="For this machine's Python and system, as for an image built here."
)
@output("text", "json")
def command(  # noqa: PLR0913 - one for each option
    *,
    spec: str,
    out: str | None,
    python: str | None,
    arch: Arch | None,
    with_boto3: bool,
    here: bool,
    output: str,
) -> None:
    """Write the zip of a spec's function: the checked spec, its digest, and what its connectors need.

    The same spec and versions give the same bytes. Wheels for another Python or system are fetched by uv or pip.
    """
    target = _target(python, arch, here=here)
    text, found = _checked(spec)
    assert found.spec is not None and found.source_map is not None  # noqa: S101, PT018 - `_checked` looked
    file = Path(out or f"{found.spec.name}.zip")
    if not file.absolute().parent.is_dir():
        raise CannotStart(f"there is no folder `{file.parent}`", code="no-folder", help="make it first")
    made = package(found.spec, text, found.source_map.value, target, file, with_boto3=with_boto3)
    if not made.byte_code:
        help = f"install Python {target.python}, or run plait with it"
        click.echo(f"warning: without byte-code the function starts slowly; {help}", err=True)
    print_json(_json(made)) if output == "json" else click.echo(_text(made))


def _target(python: str | None, arch: Arch | None, *, here: bool) -> Target:
    if not here:
        return Target(python or PYTHON, arch or "x86_64")
    found = running_target()
    if python not in (None, found.python) or arch not in (None, found.arch):
        message = f"`--here` makes a package for Python {found.python} on {found.arch}"
        raise CannotStart(message, code="usage", help="leave out `--python` and `--arch`, or `--here`")
    return found


def _checked(file: str) -> tuple[bytes, Validated]:
    """The text and the valid spec, its parameters at their defaults, whatever the environment here."""
    try:
        text = read_bytes(file)
    except OSError as error:
        raise unreadable(file, error) from error
    found = validate(text, file)
    if found.spec is None:
        raise InvalidSpec(file, found.errors, found.text)
    return text, found


def _json(made: Package) -> dict[str, Any]:
    lock = made.lock
    return {
        "file": str(made.file),
        "sha256": made.sha256,
        "python": lock.python,
        "arch": lock.arch,
        "spec_digest": lock.digest,
        "zipped": made.zipped,
        "unzipped": made.unzipped,
        "limit": UNZIPPED_LIMIT,
        "byte_code": made.byte_code,
        "parts": dict(made.parts),
        "distributions": lock.distributions,
    }


def _text(made: Package) -> str:
    rows = [(name, f"{size / MB:7.1f} MB") for name, size in made.parts if size >= MB / 20]
    rest = sum(size for _, size in made.parts if size < MB / 20)
    rows += [
        ("other", f"{rest / MB:7.1f} MB"),
        ("unzipped", f"{made.unzipped / MB:7.1f} MB of {UNZIPPED_LIMIT / MB:.0f}"),
    ]
    head = f"{made.file}: Python {made.lock.python} on {made.lock.arch}, {made.zipped / MB:.1f} MB"
    return f"{head}\n{aligned(rows, indent='  ')}\nsha256 {made.sha256}"
