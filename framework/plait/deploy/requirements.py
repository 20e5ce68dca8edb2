"""Which distributions a function needs, and their files: as installed here, or fetched for the function's Python."""

from __future__ import annotations

import base64
import hashlib
import json
import platform
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from plait.plugin import GiveUp
from plait.plugin.registry import offer_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import PackagePath

    from plait.language.spec import Spec

Arch = Literal["x86_64", "arm64"]
MACHINES: dict[Arch, str] = {"x86_64": "x86_64", "arm64": "aarch64"}
DEFAULT_PYTHON = "3.12"
# The minor version of glibc 2 that wheels may need: Lambda has Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 above.
GLIBC_MINOR = {"3.11": 17, "3.12": 34, "3.13": 34}
# EMR 7 and Glue 5 have Amazon Linux 2023, with Python 3.11.
SPARK_PYTHON, SPARK_GLIBC_MINOR = "3.11", 34
PLAIT = "plait"
# What every function imports of the distributions that plait requires; a test compares it with the sources.
ALWAYS_NEEDED = ("google-re2", "msgspec", "obstore", "pluggy", "pyarrow", "tzdata")
AWS_SDK = ("boto3", "botocore", "s3transfer")
# Pairs of a distribution and a requirement that only type checkers use; msgspec would import it if it were there.
ONLY_FOR_TYPE_CHECKERS = {("obstore", "typing-extensions")}


class Target(Struct, frozen=True):
    """A Python such as `3.12` on a processor, of Lambda or of Spark; `here` says that it is this very machine's."""

    python: str
    arch: Arch
    here: bool = False
    spark: bool = False

    @property
    def markers(self) -> dict[str, str]:
        """The values of PEP 508's environment markers on the target, as far as machines differ in them."""
        return {
            "os_name": "posix",
            "platform_machine": MACHINES[self.arch],
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def running_target() -> Target:
    """Return the target that is this machine and its Python."""
    arch: Arch = "arm64" if platform.machine().lower() in ("aarch64", "arm64") else "x86_64"
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", arch, here=True)


def required_distributions(
    spec: Spec, target: Target, *, with_boto3: bool = False
) -> dict[str, Distribution]:
    """The installed distributions that the function imports, sorted by name; raises GiveUp if one is not installed.

    Of plait's own requirements, only those that a function imports; of another distribution with a connector of the
    spec, all that it requires. boto3, which Lambda's runtime has, is left out unless `with_boto3`, or for Spark.
    """
    required: dict[str, Distribution] = {}
    left_out = set() if with_boto3 or target.spark else {*AWS_SDK}
    waiting = [*map(Requirement, _direct_requirements(spec)), Requirement("boto3")]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if name not in left_out and (name, extras) not in done:
            done.add((name, extras))
            required[name] = _installed(name, requirement)
            waiting += requirements_of(name, required[name], target, extras)
    return dict(sorted(required.items()))


def _direct_requirements(spec: Spec) -> Iterator[str]:
    """The requirements of the function itself: plait, what it imports, and the spec's connectors."""
    yield from (PLAIT, *ALWAYS_NEEDED)
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

    What is pure Python is taken as it is installed here; of the rest, wheels that fit the target are fetched and unpacked
    into `folder`, unless the target is this machine. Raises GiveUp if a wheel cannot be fetched, or if an installed file
    was changed.
    """
    copied = [
        d for d in required.values() if target.here or "Root-Is-Purelib: true" in (d.read_text("WHEEL") or "")
    ]
    versions = {name: installed.version for name, installed in required.items() if installed not in copied}
    if versions:
        _fetch(versions, target, folder)
    fetched = distributions(path=[str(folder)]) if versions else ()
    return {name: path for installed in (*copied, *fetched) for name, path in _files(installed)}


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
        path = Path(str(installed.locate_file(file)))
        script = file.is_absolute() or file.parts[0] in ("..", "bin")
        if script or not path.is_file() or (editable and ".dist-info" not in file.parts[0]):
            continue
        if not _has_recorded_hash(file, path):
            message = f"`{file}` of `{installed.metadata['Name']}` is not what was installed"
            raise GiveUp(message, code="changed-file", help="install it again")
        yield file.as_posix(), path
    if editable:
        yield from _sources(installed)


def _has_recorded_hash(file: PackagePath, path: Path) -> bool:
    """Whether a file has the hash that its installer recorded; true if none was recorded."""
    if file.hash is None or file.hash.mode not in hashlib.algorithms_guaranteed:
        return True
    digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value


def _sources(installed: Distribution) -> Iterator[tuple[str, Path]]:
    """The source files of the packages and modules that a distribution's entry points name."""
    for name in sorted({point.module.partition(".")[0] for point in installed.entry_points}):
        module = find_spec(name)
        if module and module.origin:
            origin, package = Path(module.origin), module.submodule_search_locations
            top = origin.parent.parent if package else origin.parent
            files = sorted(origin.parent.rglob("*")) if package else [origin]
            yield from ((file.relative_to(top).as_posix(), file) for file in files if file.is_file())


def _fetch(versions: Mapping[str, str], target: Target, folder: Path) -> None:
    """Unpack wheels of exactly these versions, by name, into a folder, by uv or else by pip; raises GiveUp."""
    wheels = f"`{', '.join(versions)}` for Python {target.python} on {target.arch}"
    machine = MACHINES[target.arch]
    glibc = SPARK_GLIBC_MINOR if target.spark else GLIBC_MINOR[target.python]
    if uv := find_uv():
        command = [uv, "pip", "install", "--python-platform", f"{machine}-manylinux_2_{glibc}"]
    elif find_spec("pip"):
        names = [*(f"manylinux_2_{minor}" for minor in range(glibc, 4, -1)), "manylinux2014", "manylinux1"]
        platforms = [f"--platform={name}_{machine}" for name in names]
        command = [sys.executable, "-m", "pip", "install", "--no-compile", "--implementation=cp", *platforms]
        command.append("--disable-pip-version-check")
    else:
        help = "install `uv`; on a machine like the function's, `--here` takes what is installed"
        raise GiveUp(f"no uv and no pip is here to fetch {wheels}", code="no-installer", help=help)
    command += ["--quiet", "--target", str(folder), "--no-deps", "--only-binary", ":all:"]
    command += ["--python-version", target.python, *(f"{name}=={versions[name]}" for name in versions)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
        help = "on a machine like the function's, `--here` takes what is installed"
        raise GiveUp(f"no wheels of {wheels} could be fetched: {reason[:200]}", code="no-wheels", help=help)


def find_uv() -> str | None:
    """Find the uv on PATH, else the one beside the running Python, where `make setup` links its own."""
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
