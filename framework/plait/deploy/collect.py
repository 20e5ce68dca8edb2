"""Collect the files of distributions by their path in the package: from this installation, or from fetched wheels."""

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

    from plait.deploy.distributions import RequiredDistribution
    from plait.deploy.target import Target


def collect(required: Sequence[RequiredDistribution], target: Target, folder: Path) -> dict[str, Path]:
    """Find all files of the distributions, by their path in the package.

    If what is installed here does not run on the target, fitting wheels are fetched and unpacked into `folder`.
    Raises GiveUp if a wheel cannot be fetched, or if an installed file was changed.
    """
    to_fetch = [
        requirement
        for requirement in required
        if not requirement.editable and not target.runs(_wheel_tags(distribution(requirement.name)))
    ]
    if to_fetch:
        _fetch_wheels(to_fetch, target, folder)
    fetched_names = {requirement.name for requirement in to_fetch}
    files: dict[str, Path] = {}
    for requirement in required:
        if requirement.name not in fetched_names:
            installed = distribution(requirement.name)
            files.update(_editable_files(installed) if requirement.editable else _installed_files(installed))
    for fetched in distributions(path=[str(folder)]) if to_fetch else ():
        files.update(_installed_files(fetched))
    return files


def _wheel_tags(installed: Distribution) -> list[str]:
    """The tags of the wheel that a distribution was installed from."""
    lines = (installed.read_text("WHEEL") or "").splitlines()
    return [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]


def _installed_files(installed: Distribution) -> Iterator[tuple[str, Path]]:
    """The files that the installer recorded, without those outside of `site-packages`, such as scripts."""
    if installed.files is None:
        message = f"nothing tells which files belong to `{installed.metadata['Name']}`"
        raise GiveUp(message, code="not-installed", help="install it with pip or uv")
    for file in installed.files:
        path = Path(str(installed.locate_file(file)))
        if not file.is_absolute() and ".." not in file.parts and path.is_file():
            if not _has_recorded_hash(file, path):
                message = f"`{file}` of `{installed.metadata['Name']}` is not what was installed"
                raise GiveUp(message, code="changed-file", help="install it again")
            yield file.as_posix(), path


def _has_recorded_hash(file: PackagePath, path: Path) -> bool:
    """Whether a file has the hash that its installer recorded; true if none was recorded."""
    if file.hash is None or file.hash.mode not in hashlib.algorithms_guaranteed:
        return True
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, file.hash.mode).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value


def _editable_files(installed: Distribution) -> Iterator[tuple[str, Path]]:
    """The metadata of an editable distribution, and the source files of the packages that its entry points name."""
    yield from ((name, file) for name, file in _installed_files(installed) if ".dist-info/" in name)
    for package in sorted({point.module.partition(".")[0] for point in installed.entry_points}):
        module = find_spec(package)
        if module is None or module.origin is None:
            continue
        origin = Path(module.origin)
        if not module.submodule_search_locations:
            yield origin.name, origin
            continue
        for file in sorted(origin.parent.rglob("*")):
            if file.is_file():
                yield f"{package}/{file.relative_to(origin.parent).as_posix()}", file


def _fetch_wheels(to_fetch: Sequence[RequiredDistribution], target: Target, folder: Path) -> None:
    """Unpack wheels that run on the target into a folder; raises GiveUp if that fails."""
    command = _install_command(target, folder)
    names = ", ".join(requirement.name for requirement in to_fetch)
    wheels = f"`{names}` for Python {target.python} on {target.arch}"
    if command is None:
        help = f"install `uv`, or run plait with Python {target.python} on Linux, {target.arch}"
        raise GiveUp(f"no uv and no pip is here to fetch {wheels}", code="no-installer", help=help)
    process = subprocess.run(
        [*command, *(requirement.pin for requirement in to_fetch)],
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
        raise GiveUp(f"no wheels of {wheels} could be fetched: {reason[:200]}", code="no-wheels")


def _install_command(target: Target, folder: Path) -> list[str] | None:
    """The command of uv, else of pip, that installs wheels of the target into a folder; None without either."""
    options = [
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
        # uv takes a platform as "this or older", and knows Amazon Linux 2 only as manylinux2014.
        libc = "manylinux2014" if target.platforms[0].startswith("manylinux_2_26") else "manylinux_2_34"
        platform = f"{target.machine}-{libc}"
        return [uv, "pip", "install", "--quiet", *options, "--python-platform", platform]
    if find_spec("pip") is None:
        return None
    platforms = [word for platform in target.platforms for word in ("--platform", platform)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    return [*pip, *options, "--implementation", "cp", *platforms]
