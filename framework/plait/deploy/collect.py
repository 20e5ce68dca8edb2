"""The files of distributions by their path in the package: as installed here, or from wheels for the target."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from importlib.metadata import Distribution, distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from plait.deploy.uv import find_uv
from plait.plugin import GiveUp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import PackagePath

    from plait.deploy.distributions import Needed
    from plait.deploy.target import Target


def collect(needed: Sequence[Needed], target: Target, folder: Path) -> dict[str, Path]:
    """All files, by their path in the package; wheels that this machine has no fitting one of go to `folder`.

    Raises GiveUp where a wheel cannot be had.
    """
    foreign = [one for one in needed if not one.editable and not target.runs(_tags(distribution(one.name)))]
    if foreign:
        _download(foreign, target, folder)
    names = {one.name for one in foreign}
    found: dict[str, Path] = {}
    for one in needed:
        if one.name not in names:
            here = distribution(one.name)
            found.update(_sources(here) if one.editable else _files(here))
    for fetched in distributions(path=[str(folder)]) if foreign else ():
        found.update(_files(fetched))
    return found


def _tags(one: Distribution) -> list[str]:
    lines = (one.read_text("WHEEL") or "").splitlines()
    return [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]


def _files(one: Distribution) -> Iterator[tuple[str, Path]]:
    """What the installer wrote down, without what lies beside the packages, as scripts do."""
    if one.files is None:
        message = f"nothing tells which files belong to `{one.metadata['Name']}`"
        raise GiveUp(message, code="not-installed", help="install it with pip or uv")
    for file in one.files:
        path = Path(str(one.locate_file(file)))
        if not file.is_absolute() and ".." not in file.parts and path.is_file():
            if not _as_installed(file, path):
                message = f"`{file}` of `{one.metadata['Name']}` is not what was installed"
                raise GiveUp(message, code="changed-file", help="install it again")
            yield file.as_posix(), path


def _as_installed(file: PackagePath, path: Path) -> bool:
    """Whether a file has the hash that its installer wrote down, where it wrote one."""
    if file.hash is None or file.hash.mode not in hashlib.algorithms_guaranteed:
        return True
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, file.hash.mode).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() == file.hash.value


def _sources(one: Distribution) -> Iterator[tuple[str, Path]]:
    """The packages that its entry points name, where they are imported from, and its metadata."""
    yield from ((name, file) for name, file in _files(one) if ".dist-info/" in name)
    for package in sorted({point.module.partition(".")[0] for point in one.entry_points}):
        found = find_spec(package)
        if found is None or found.origin is None:
            continue
        origin = Path(found.origin)
        if not found.submodule_search_locations:
            yield origin.name, origin
            continue
        for file in sorted(origin.parent.rglob("*")):
            if file.is_file():
                yield f"{package}/{file.relative_to(origin.parent).as_posix()}", file


def _download(foreign: Sequence[Needed], target: Target, folder: Path) -> None:
    command = _installer(target, folder)
    names = ", ".join(one.name for one in foreign)
    told = f"`{names}` for Python {target.python} on {target.arch}"
    if command is None:
        help = f"install `uv`, or run plait with Python {target.python} on Linux, {target.arch}"
        raise GiveUp(f"no uv and no pip is here to fetch {told}", code="no-installer", help=help)
    done = subprocess.run(
        [*command, *(one.pin for one in foreign)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
        raise GiveUp(f"no wheels of {told} could be fetched: {said[:200]}", code="no-wheels")


def _installer(target: Target, folder: Path) -> list[str] | None:
    common = [
        "--target",
        str(folder),
        "--no-deps",
        "--only-binary",
        ":all:",
        "--python-version",
        target.python,
    ]
    uv = find_uv()
    if uv:
        # uv takes a platform for all that are older, and knows Amazon Linux 2 only as manylinux2014.
        libc = "manylinux2014" if target.platforms[0].startswith("manylinux_2_26") else "manylinux_2_34"
        platform = f"{target.machine}-{libc}"
        return [uv, "pip", "install", "--quiet", *common, "--python-platform", platform]
    if find_spec("pip") is None:
        return None
    platforms = [word for one in target.platforms for word in ("--platform", one)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    return [*pip, *common, "--implementation", "cp", *platforms]
