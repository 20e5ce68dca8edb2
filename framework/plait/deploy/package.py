"""Write the zip of one pipeline's function: the checked spec, its lock, and what its connectors need."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec
from packaging.utils import canonicalize_name

from plait import __version__
from plait.deploy.archive import Zip, add_byte_code, lay_out, top_level_sizes, write_zip
from plait.deploy.requirements import PLAIT, collect, required_distributions, requirements_of
from plait.deploy.trim import trim
from plait.language.lock import FORMAT_VERSION, Lock, LockedConnector, lock_file, lock_text, text_digest
from plait.plugin import GiveUp
from plait.plugin.registry import offer_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import Distribution

    from plait.deploy.requirements import Target
    from plait.language.spec import Spec

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""The bytes of a function with its layer, unzipped, that Lambda accepts."""


class Package(msgspec.Struct, frozen=True):
    """What was written; `layer` is None where none was asked for, `byte_code` says whether the modules were compiled."""

    function: Zip
    layer: Zip | None
    lock: Lock
    byte_code: bool


def package(  # noqa: PLR0913 - a spec as text, as values and as a Spec, and how to package it
    spec: Spec,
    text: bytes,
    values: dict[str, Any],
    target: Target,
    out: Path,
    *,
    layer: Path | None = None,
    with_boto3: bool = False,
) -> Package:
    """Write the zip of a valid spec to `out`; `text` is the spec's file, `values` the document that was read from it.

    With `layer`, that zip gets plait and all that is required; with the spec stay only connectors of other
    distributions. Raises GiveUp, and writes no file, if a distribution cannot be had or Lambda accepts no such size.
    """
    required = required_distributions(spec, target, with_boto3=with_boto3)
    lock = make_lock(spec, text, values, target, required)
    name = f"{spec.name}.yaml"
    own: dict[str, Path | bytes] = {name: text, lock_file(name).name: lock_text(lock), **option_files(spec)}
    foreign = {canonicalize_name(locked.distribution) for locked in lock.connectors.values()} - {PLAIT}
    in_layer = required.keys() - foreign if layer else set()
    needs = {r.name for name in required for r in requirements_of(name, required[name], target)}

    def files(names: set[str], wheels: str) -> dict[str, Path]:
        chosen = {name: required[name] for name in required if name in names}
        return trim(
            collect(chosen, target, Path(scratch, wheels)), datasets="pyarrow" in needs, backfill=target.spark
        )

    with tempfile.TemporaryDirectory(prefix="plait-package-") as scratch:
        function_folder, layer_folder = Path(scratch, "function"), Path(scratch, "layer")
        lay_out(files(required.keys() - in_layer, "wheels of the function"), function_folder)
        lay_out(own, function_folder)
        byte_code = add_byte_code(function_folder, target, "/var/task")
        if layer:
            lay_out(files(in_layer, "wheels of the layer"), layer_folder)
            add_byte_code(layer_folder, target, "/opt/python")
        if not target.spark:
            _check_size([*top_level_sizes(function_folder), *top_level_sizes(layer_folder)])
        return Package(
            function=write_zip(function_folder, out),
            layer=write_zip(layer_folder, layer, "python/") if layer else None,
            lock=lock,
            byte_code=byte_code,
        )


def _check_size(parts: list[tuple[str, int]]) -> None:
    size = sum(size for _, size in parts)
    if size > UNZIPPED_LIMIT:
        message = f"the package has {size / 1e6:.0f} MB, and Lambda takes {UNZIPPED_LIMIT / 1e6:.0f}"
        largest = sorted(parts, key=lambda part: -part[1])[:3]
        texts = ", ".join(f"`{name}` {size / 1e6:.0f} MB" for name, size in largest)
        raise GiveUp(message, code="too-large", help=f"the largest parts are {texts}")


def make_lock(
    spec: Spec, text: bytes, values: dict[str, Any], target: Target, required: Mapping[str, Distribution]
) -> Lock:
    """What was checked and packaged, so that the function need not check it again."""
    offers = [offer_of(word) for word in sorted({block.connector.name for block in spec.blocks})]
    return Lock(
        format_version=FORMAT_VERSION,
        plait=__version__,
        python=target.python,
        arch=target.arch,
        digest=spec.digest,
        sha256=text_digest(text),
        connectors={
            offer.word: msgspec.convert(offer, LockedConnector, from_attributes=True) for offer in offers
        },
        distributions={name: installed.version for name, installed in required.items()},
        values=values,
    )


def option_files(spec: Spec) -> dict[str, Path]:
    """The local files that the connectors' options name, by their path in the package.

    The function looks for them at the same relative path. Raises GiveUp if one is missing, or outside of the folder.
    """
    names = [name for block in spec.blocks for name in block.role.local_files()]
    files = {}
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            message = f"`{name[:100]}` is not below the folder that is packaged"
            raise GiveUp(
                message, help="give it a path relative to the folder in which you run `plait package`"
            )
        if not Path(name).is_file():
            raise GiveUp(f"there is no file `{name[:100]}`", code="no-file")
        files[path.as_posix()] = Path(name)
    return files
