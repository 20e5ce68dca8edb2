"""`plait package`: the zip of a spec's function."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from plait.cli.failures import CannotStart
from plait.cli.options import output_option, runner_option
from plait.cli.printing import print_answer
from plait.deploy.package import UNZIPPED_LIMIT, package
from plait.deploy.requirements import (
    DEFAULT_PYTHON,
    GLIBC_MINOR,
    MACHINES,
    SPARK_PYTHON,
    Target,
    running_target,
)
from plait.language.validate import read_bytes, validate
from plait.pipeline.invalid_spec import InvalidSpec
from plait.problems.display import aligned

if TYPE_CHECKING:
    from plait.deploy.archive import Zip
    from plait.deploy.package import Package
    from plait.deploy.requirements import Arch
    from plait.language.lock import Lock
    from plait.language.validate import Validated

MEGABYTE = 10**6
SMALLEST_SHOWN = MEGABYTE // 20


@click.command("package")
@click.argument("spec")
@click.option("--out", metavar="FILE", help="The zip to write.  [default: the pipeline's name and .zip]")
@runner_option
@click.option(
    "--python",
    type=click.Choice([*GLIBC_MINOR]),
    help=f"Python of the function.  [default: {DEFAULT_PYTHON}; of Spark {SPARK_PYTHON}]",
)
@click.option("--arch", type=click.Choice([*MACHINES]), help="Processor of the function.  [default: x86_64]")
@click.option("--layer", is_flag=True, help="Put what is required into a layer, a zip of its own beside it.")
@click.option("--with-boto3", is_flag=True, help="Put boto3 in, instead of the one that the runtime has.")
@click.option(
    "--here", is_flag=True, help="For this machine's Python and system, as for an image built here."
)
@output_option("text", "json")
def command(  # noqa: PLR0913 - one for each option
    *,
    spec: str,
    out: str | None,
    runner: str,
    python: str | None,
    arch: Arch | None,
    layer: bool,
    with_boto3: bool,
    here: bool,
    output: str,
) -> None:
    """Write the zip of a spec's function: the checked spec, its digest, and what its connectors need.

    With --layer, plait and what the connectors need go into NAME-layer.zip, which an edited spec leaves as it is.
    The same spec and versions give the same bytes. Wheels for another Python or system are fetched by uv or pip.
    With --for spark the zip is for the executors of `plait backfill --on spark`, and beside it lies their main.
    """
    for_spark = runner == "spark"
    if for_spark and layer:
        raise click.UsageError("`--layer` is for Lambda")
    target = _target(python, arch, here=here, spark=for_spark)
    text, validated = _validate(spec)
    assert validated.spec is not None  # noqa: S101 - `_validate` raises without one
    assert validated.source_map is not None  # noqa: S101 - a valid spec has a source map
    file = Path(out or validated.spec.name + ("-spark.zip" if for_spark else ".zip"))
    if not file.absolute().parent.is_dir():
        raise CannotStart(f"there is no folder `{file.parent}`", code="no-folder", help="make it first")
    layer_file = file.with_name(f"{file.stem}-layer.zip") if layer else None
    made = package(
        validated.spec,
        text,
        validated.source_map.value,
        target,
        file,
        layer=layer_file,
        with_boto3=with_boto3,
    )
    if not made.byte_code:
        help = f"install Python {target.python}, or run plait with it"
        click.echo(f"warning: without byte-code the function starts slowly; {help}", err=True)
    zips = [made.function, made.layer] if made.layer else [made.function]
    texts = [_text(zipped, made.lock, has_limit=not for_spark) for zipped in zips]
    if for_spark:
        main = file.with_suffix(".py")
        main.write_bytes(resources.files("plait.backfill").joinpath("spark_main.py").read_bytes())
        texts.append(f"{main}: what `spark-submit` starts")
    print_answer(output, _document(made), "\n\n".join(texts))


def _target(python: str | None, arch: Arch | None, *, here: bool, spark: bool) -> Target:
    if not here:
        default = SPARK_PYTHON if spark else DEFAULT_PYTHON
        return Target(python or default, arch or "x86_64", spark=spark)
    machine = replace(running_target(), spark=spark)
    if python not in (None, machine.python) or arch not in (None, machine.arch):
        message = f"`--here` makes a package for Python {machine.python} on {machine.arch}"
        raise CannotStart(message, code="usage", help="leave out `--python` and `--arch`, or `--here`")
    return machine


def _validate(file: str) -> tuple[bytes, Validated]:
    """Read a spec with its parameters at their defaults, since the environment here is not the function's."""
    text = read_bytes(file)
    validated = validate(text, file)
    if validated.spec is None:
        raise InvalidSpec(file, validated.errors, validated.text)
    return text, validated


def _document(package: Package) -> dict[str, Any]:
    lock, layer = package.lock, package.layer
    return {
        **_zip_document(package.function),
        "python": lock.python,
        "arch": lock.arch,
        "spec_digest": lock.digest,
        "limit": UNZIPPED_LIMIT,
        "byte_code": package.byte_code,
        "distributions": lock.distributions,
        "layer": _zip_document(layer) if layer else None,
    }


def _zip_document(zipped: Zip) -> dict[str, Any]:
    return {
        "file": str(zipped.file),
        "sha256": zipped.sha256,
        "zipped": zipped.zipped,
        "unzipped": zipped.unzipped,
        "parts": dict(zipped.parts),
    }


def _text(zipped: Zip, lock: Lock, *, has_limit: bool) -> str:
    large_parts = [(name, size) for name, size in zipped.parts if size >= SMALLEST_SHOWN]
    others_size = zipped.unzipped - sum(size for _, size in large_parts)
    limit = f" of {UNZIPPED_LIMIT / MEGABYTE:.0f} MB" if has_limit else ""
    rows = [
        *((name, f"{_size(size):>10}") for name, size in large_parts),
        ("other", f"{_size(others_size):>10}"),
        ("unzipped", f"{_size(zipped.unzipped):>10}{limit}"),
    ]
    head = f"{zipped.file}: Python {lock.python} on {lock.arch}, {_size(zipped.zipped)}"
    return f"{head}\n{aligned(rows, indent='  ')}\nsha256 {zipped.sha256}"


def _size(size: int) -> str:
    return f"{size / MEGABYTE:.1f} MB" if size >= SMALLEST_SHOWN else f"{size / 1000:.1f} kB"
