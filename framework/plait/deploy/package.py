"""The zip of one pipeline's function: the checked spec, its lock, and what its connectors need."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from plait import __version__
from plait.deploy.archive import add_byte_code, lay_out, sizes, write
from plait.deploy.collect import collect
from plait.deploy.distributions import connectors, needed
from plait.deploy.trim import trimmed
from plait.language.lock import FORMAT_VERSION, Lock, LockedConnector, lock_file, lock_text, text_digest
from plait.plugin import GiveUp
from plait.plugin.registry import offer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.deploy.distributions import Needed
    from plait.deploy.target import Target
    from plait.language.spec import Spec

LIMIT = 250 * 1024 * 1024
"""Bytes that Lambda takes unzipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A zip that was written; sizes are bytes, `parts` are those unzipped by what takes them, the largest first."""

    file: Path
    sha256: str
    lock: Lock
    zipped: int
    parts: tuple[tuple[str, int], ...]
    byte_code: bool

    @property
    def unzipped(self) -> int:
        """The bytes of all parts."""
        return sum(size for _, size in self.parts)


def package(
    spec: Spec, text: bytes, values: dict[str, Any], target: Target, out: Path, *, with_boto3: bool = False
) -> Package:
    """Write the zip of a valid spec, of which `text` is the file and `values` what it holds.

    Raises GiveUp where a distribution cannot be had, or the zip would be more than Lambda takes; then no file is
    written.
    """
    distributions = needed(spec, target, with_boto3=with_boto3)
    lock = _lock(spec, text, values, target, distributions)
    name = f"{spec.name}.yaml"
    with tempfile.TemporaryDirectory(prefix="plait-package-") as folder:
        fetched, staged = Path(folder, "wheels"), Path(folder, "package")
        files = trimmed(collect(distributions, target, fetched), distributions)
        lay_out(files | own_files(spec), {name: text, lock_file(name).name: lock_text(lock)}, staged)
        byte_code = add_byte_code(staged, target)
        parts = sorted(sizes(staged).items(), key=lambda part: (-part[1], part[0]))
        unzipped = sum(size for _, size in parts)
        if unzipped > LIMIT:
            message = f"the package has {unzipped / 1e6:.0f} MB, and Lambda takes {LIMIT / 1e6:.0f}"
            largest = ", ".join(f"`{part}` {size / 1e6:.0f} MB" for part, size in parts[:3])
            raise GiveUp(message, code="too-large", help=f"the largest parts are {largest}")
        write(staged, out)
    data = out.read_bytes()
    return Package(
        file=out,
        sha256=hashlib.sha256(data).hexdigest(),
        lock=lock,
        zipped=len(data),
        parts=tuple(parts),
        byte_code=byte_code,
    )


def _lock(
    spec: Spec, text: bytes, values: dict[str, Any], target: Target, distributions: Sequence[Needed]
) -> Lock:
    offers = [offer_of(connector.name) for connector in connectors(spec)]
    return Lock(
        format_version=FORMAT_VERSION,
        plait=__version__,
        python=target.python,
        arch=target.arch,
        digest=spec.digest,
        sha256=text_digest(text),
        connectors={
            o.word: LockedConnector(distribution=o.distribution, version=o.version, module=o.module)
            for o in offers
        },
        distributions={one.name: one.version for one in distributions},
        values=values,
    )


def own_files(spec: Spec) -> dict[str, Path]:
    """The local files that the options name, at the place where the function will look for them."""
    names = [name for block in spec.blocks for name in block.connector.files(block.options)]
    found = {}
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            message = f"`{name[:100]}` is not below the folder that is packaged"
            raise GiveUp(
                message, help="give it a path relative to the folder in which you run `plait package`"
            )
        if not Path(name).is_file():
            raise GiveUp(f"there is no file `{name[:100]}`", code="no-file")
        found[path.as_posix()] = Path(name)
    return found
