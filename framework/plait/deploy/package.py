"""Write the zip of one pipeline's function: the checked spec, its lock, and what its connectors need."""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from plait import __version__
from plait.deploy.archive import add_byte_code, lay_out, write_zip
from plait.deploy.requirements import PLAIT, collect, required_distributions, requirements_of
from plait.deploy.trim import trim
from plait.language.lock import FORMAT_VERSION, Lock, LockedConnector, lock_file, lock_text, text_digest
from plait.plugin import GiveUp
from plait.plugin.registry import offer_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import Distribution

    from plait.deploy.target import Target
    from plait.language.spec import Spec

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""The bytes of a function with its layer, unzipped, that Lambda accepts."""
FUNCTION_HOME, LAYER_HOME = "/var/task", "/opt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zip:
    """A zip that was written: its bytes, and the bytes unzipped of each top-level folder or file, the largest first."""

    file: Path
    sha256: str
    zipped: int
    parts: tuple[tuple[str, int], ...]

    @property
    def unzipped(self) -> int:
        """The bytes of all parts together."""
        return sum(size for _, size in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
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
    needs = {
        need.name for name, installed in required.items() for need in requirements_of(name, installed, target)
    }

    def files(names: set[str], wheels: str) -> dict[str, Path]:
        chosen = {name: required[name] for name in sorted(names)}
        return trim(collect(chosen, target, Path(scratch, wheels)), datasets="pyarrow" in needs)

    with tempfile.TemporaryDirectory(prefix="plait-package-") as scratch:
        task, opt = Path(scratch, "task"), Path(scratch, "opt")
        lay_out(files(required.keys() - in_layer, "wheels of the function"), task)
        lay_out(own, task)
        byte_code = add_byte_code(task, target, FUNCTION_HOME)
        if layer:
            lay_out(files(in_layer, "wheels of the layer"), opt / "python")
            add_byte_code(opt, target, LAYER_HOME)
        task_parts, layer_parts = _parts(task), _parts(opt / "python")
        _check_size([*task_parts, *layer_parts])
        write_zip(task, out)
        if layer:
            write_zip(opt, layer)
    return Package(
        function=_zip(out, task_parts),
        layer=_zip(layer, layer_parts) if layer else None,
        lock=lock,
        byte_code=byte_code,
    )


def _parts(folder: Path) -> tuple[tuple[str, int], ...]:
    sizes: Counter[str] = Counter()
    for file in folder.rglob("*"):
        if file.is_file():
            sizes[file.relative_to(folder).parts[0]] += file.stat().st_size
    return tuple(sorted(sizes.items(), key=lambda part: (-part[1], part[0])))


def _check_size(parts: list[tuple[str, int]]) -> None:
    size = sum(size for _, size in parts)
    if size > UNZIPPED_LIMIT:
        message = f"the package has {size / 1e6:.0f} MB, and Lambda takes {UNZIPPED_LIMIT / 1e6:.0f}"
        largest = sorted(parts, key=lambda part: -part[1])[:3]
        texts = ", ".join(f"`{name}` {size / 1e6:.0f} MB" for name, size in largest)
        raise GiveUp(message, code="too-large", help=f"the largest parts are {texts}")


def _zip(file: Path, parts: tuple[tuple[str, int], ...]) -> Zip:
    content = file.read_bytes()
    return Zip(file=file, sha256=hashlib.sha256(content).hexdigest(), zipped=len(content), parts=parts)


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
            offer.word: LockedConnector(
                distribution=offer.distribution, version=offer.version, module=offer.module
            )
            for offer in offers
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
