"""Write the zip of one pipeline's function: the checked spec, its lock, and what its connectors need."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from plait import __version__
from plait.deploy.archive import add_byte_code, lay_out, top_level_sizes, write_zip
from plait.deploy.collect import collect
from plait.deploy.distributions import connectors_of, required_distributions
from plait.deploy.trim import trim
from plait.language.lock import FORMAT_VERSION, Lock, LockedConnector, lock_file, lock_text, text_digest
from plait.plugin import GiveUp
from plait.plugin.registry import offer_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plait.deploy.distributions import RequiredDistribution
    from plait.deploy.target import Target
    from plait.language.spec import Spec

UNZIPPED_LIMIT = 250 * 1024 * 1024
"""The bytes of an unzipped package that Lambda accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A zip that was written.

    `zipped` is the size of the file in bytes, `parts` the bytes unzipped of each top-level folder or file, the largest
    first. `byte_code` says whether the modules were compiled.
    """

    file: Path
    sha256: str
    lock: Lock
    zipped: int
    parts: tuple[tuple[str, int], ...]
    byte_code: bool

    @property
    def unzipped(self) -> int:
        """The bytes of all parts together."""
        return sum(size for _, size in self.parts)


def package(
    spec: Spec, text: bytes, values: dict[str, Any], target: Target, out: Path, *, with_boto3: bool = False
) -> Package:
    """Write the zip of a valid spec to `out`; `text` is the spec's file, `values` the document that was read from it.

    Raises GiveUp, and writes no file, if a distribution cannot be had or the package is larger than Lambda accepts.
    """
    distributions = required_distributions(spec, target, with_boto3=with_boto3)
    lock = make_lock(spec, text, values, target, distributions)
    name = f"{spec.name}.yaml"
    with tempfile.TemporaryDirectory(prefix="plait-package-") as folder:
        wheels, staged = Path(folder, "wheels"), Path(folder, "package")
        files = trim(collect(distributions, target, wheels), distributions)
        lay_out(files | option_files(spec), {name: text, lock_file(name).name: lock_text(lock)}, staged)
        byte_code = add_byte_code(staged, target)
        parts = sorted(top_level_sizes(staged).items(), key=lambda part: (-part[1], part[0]))
        unzipped = sum(size for _, size in parts)
        if unzipped > UNZIPPED_LIMIT:
            message = f"the package has {unzipped / 1e6:.0f} MB, and Lambda takes {UNZIPPED_LIMIT / 1e6:.0f}"
            largest = ", ".join(f"`{part}` {size / 1e6:.0f} MB" for part, size in parts[:3])
            raise GiveUp(message, code="too-large", help=f"the largest parts are {largest}")
        write_zip(staged, out)
    data = out.read_bytes()
    return Package(
        file=out,
        sha256=hashlib.sha256(data).hexdigest(),
        lock=lock,
        zipped=len(data),
        parts=tuple(parts),
        byte_code=byte_code,
    )


def make_lock(
    spec: Spec,
    text: bytes,
    values: dict[str, Any],
    target: Target,
    distributions: Sequence[RequiredDistribution],
) -> Lock:
    """What was checked and packaged, so that the function need not check it again."""
    offers = [offer_of(connector.name) for connector in connectors_of(spec)]
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
        distributions={required.name: required.version for required in distributions},
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
