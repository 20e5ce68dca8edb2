"""Which distributions a function needs, and their files: as installed here, or fetched for the function's Python."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from plait.deploy.target import MACHINES
from plait.plugin import GiveUp
from plait.plugin.registry import offer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import PackagePath

    from plait.deploy.target import Target
    from plait.language.spec import Spec

PLAIT = "plait"
# What every function imports of the distributions that plait requires; a test compares it with the sources.
ALWAYS_NEEDED = ("google-re2", "msgspec", "obstore", "pluggy", "pyarrow", "tzdata")
AWS_SDK = ("boto3", "botocore", "s3transfer")
# Pairs of a distribution and a requirement that only type checkers use; msgspec would import it if it were there.
ONLY_FOR_TYPE_CHECKERS = {("obstore", "typing-extensions")}


def required_distributions(
    spec: Spec, target: Target, *, with_boto3: bool = False
) -> dict[str, Distribution]:
    """The installed distributions that the function imports, sorted by name; raises GiveUp if one is not installed.

    Of plait's own requirements, only those that a function imports; of another distribution with a connector of the
    spec, all that it requires. boto3, which Lambda's runtime has, is left out unless `with_boto3`.
    """
    required: dict[str, Distribution] = {}
    left_out = set() if with_boto3 else {*AWS_SDK}
    waiting = [Requirement(text) for text in _direct_requirements(spec, with_boto3=with_boto3)]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if name not in left_out and (name, extras) not in done:
            done.add((name, extras))
            required[name] = _installed(name, requirement)
            waiting += requirements_of(name, required[name], target, extras)
    return dict(sorted(required.items()))


def _direct_requirements(spec: Spec, *, with_boto3: bool) -> Iterator[str]:
    """The requirements of the function itself: plait, what it imports, and the spec's connectors."""
    yield from (PLAIT, *ALWAYS_NEEDED)
    if with_boto3:
        yield "boto3"
    if any(partition.function == "bucket" for partition in spec.partition_by):
        yield "mmh3"
    for block in spec.blocks:
        yield offer_of(block.connector.name).distribution
        yield from block.role.distributions


def _installed(name: str, requirement: Requirement) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        message = f"the function needs `{str(requirement)[:80]}`, which is not installed here"
        raise GiveUp(message, code="not-installed", help=f"install `{name}` beside plait") from None


def requirements_of(
    name: str, installed: Distribution, target: Target, extras: Iterable[str] = ()
) -> Iterator[Requirement]:
    """What a distribution requires on the target, with these of its extras; of plait only what its extras add."""
    for requirement in map(Requirement, installed.requires or ()):
        marker = requirement.marker
        if (name, canonicalize_name(requirement.name)) in ONLY_FOR_TYPE_CHECKERS:
            continue
        if name == PLAIT and "extra" not in str(marker):
            continue
        if not marker or any(marker.evaluate({**target.markers, "extra": extra}) for extra in ("", *extras)):
            yield requirement


def collect(required: Mapping[str, Distribution], target: Target, folder: Path) -> dict[str, Path]:
    """Find all files of the distributions, by their path in the package.

    If what is installed here does not run on the target, fitting wheels are fetched and unpacked into `folder`.
    Raises GiveUp if a wheel cannot be fetched, or if an installed file was changed.
    """
    to_fetch = [name for name, installed in required.items() if not _runs(installed, target)]
    if to_fetch:
        _fetch({name: required[name].version for name in to_fetch}, target, folder)
    copied = [installed for name, installed in required.items() if name not in to_fetch]
    fetched = distributions(path=[str(folder)]) if to_fetch else ()
    return {name: path for installed in (*copied, *fetched) for name, path in _files(installed)}


def _runs(installed: Distribution, target: Target) -> bool:
    """Whether a distribution runs on the target as it is here, by the tags of the wheel it was installed from."""
    lines = (installed.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag:").strip() for line in lines if line.startswith("Tag:")]
    return _is_editable(installed) or target.runs(tags)


def _is_editable(installed: Distribution) -> bool:
    """Whether the distribution is installed as a link to its sources."""
    text = installed.read_text("direct_url.json")
    return bool(text and json.loads(text).get("dir_info", {}).get("editable"))


def _files(installed: Distribution) -> Iterator[tuple[str, Path]]:
    """The files that the installer recorded, without scripts; of links to sources, the sources."""
    if installed.files is None:
        message = f"nothing tells which files belong to `{installed.metadata['Name']}`"
        raise GiveUp(message, code="not-installed", help="install it with pip or uv")
    editable = _is_editable(installed)
    for file in installed.files:
        name, path = file.as_posix(), Path(str(installed.locate_file(file)))
        script = file.is_absolute() or ".." in file.parts or file.parts[0] == "bin"
        if script or (editable and ".dist-info/" not in name) or not path.is_file():
            continue
        if not _has_recorded_hash(file, path):
            message = f"`{file}` of `{installed.metadata['Name']}` is not what was installed"
            raise GiveUp(message, code="changed-file", help="install it again")
        yield name, path
    if editable:
        yield from _sources(installed)


def _has_recorded_hash(file: PackagePath, path: Path) -> bool:
    """Whether a file has the hash that its installer recorded; true if none was recorded."""
    if file.hash is None or file.hash.mode not in hashlib.algorithms_guaranteed:
        return True
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, file.hash.mode).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value


def _sources(installed: Distribution) -> Iterator[tuple[str, Path]]:
    """The source files of the packages and modules that a distribution's entry points name."""
    for package in sorted({point.module.partition(".")[0] for point in installed.entry_points}):
        module = find_spec(package)
        if module and module.origin:
            origin = Path(module.origin)
            files = origin.parent.rglob("*") if module.submodule_search_locations else [origin]
            top = origin.parent.parent if module.submodule_search_locations else origin.parent
            yield from ((f.relative_to(top).as_posix(), f) for f in sorted(files) if f.is_file())


def _fetch(versions: Mapping[str, str], target: Target, folder: Path) -> None:
    """Unpack wheels of exactly these versions, by name, into a folder, by uv or else by pip; raises GiveUp if that fails."""
    wheels = f"`{', '.join(versions)}` for Python {target.python} on {target.arch}"
    command = _installer(target)
    if command is None:
        help = f"install `uv`, or run plait with Python {target.python} on Linux, {target.arch}"
        raise GiveUp(f"no uv and no pip is here to fetch {wheels}", code="no-installer", help=help)
    options = [
        "--target",
        str(folder),
        "--no-deps",
        "--only-binary",
        ":all:",
        "--python-version",
        target.python,
    ]
    pins = [f"{name}=={version}" for name, version in versions.items()]
    process = subprocess.run([*command, *options, *pins], capture_output=True, text=True, check=False)
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
        raise GiveUp(f"no wheels of {wheels} could be fetched: {reason[:200]}", code="no-wheels")


def _installer(target: Target) -> list[str] | None:
    """The command that installs for a target, of uv, else of pip; None without either."""
    if uv := find_uv():
        # uv takes a platform as "this or older", and knows Amazon Linux 2 only as manylinux2014.
        libc = "manylinux2014" if target.platforms[0].startswith("manylinux_2_26") else "manylinux_2_34"
        return [uv, "pip", "install", "--quiet", "--python-platform", f"{MACHINES[target.arch]}-{libc}"]
    if find_spec("pip") is None:
        return None
    platforms = [word for platform in target.platforms for word in ("--platform", platform)]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    return [*pip, "--implementation", "cp", *platforms]


def find_uv() -> str | None:
    """Find the uv on PATH, else the one beside the running Python, where `make setup` links its own."""
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
