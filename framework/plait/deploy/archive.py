"""Write a folder as a zip whose bytes depend on the files alone, not on the time or the machine."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL
from typing import TYPE_CHECKING

from msgspec import Struct

from plait.deploy.requirements import find_uv, running_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.deploy.requirements import Target

ENTRY_DATE = (1980, 1, 1, 0, 0, 0)
UNIX = 3
PRINT_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"


def lay_out(files: Mapping[str, Path | bytes], folder: Path) -> None:
    """Write files to their paths below a folder: copies, or these bytes."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.read_bytes() if isinstance(content, Path) else content)


def add_byte_code(folder: Path, target: Target, home: str) -> bool:
    """Compile every module to byte-code that Python never compares with the source; `home` is where the folder will lie.

    Returns False, and compiles nothing, if no Python of the target's version runs on this machine. One process compiles
    all modules in one order, since what marshal writes depends on what its process has seen before.
    """
    python = _find_python(target.python)
    if python is None:
        return False
    command = [python, "-I", "-S", "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash"]
    subprocess.run(
        [*command, "-s", folder, "-p", home, folder], check=False
    )  # fails for a module of another age
    return True


def _find_python(version: str) -> str | None:
    """Find a Python of a version that runs on this machine; version managers have shims that do not."""
    if version == running_target().python:
        return sys.executable
    candidates = [f"python{version}"]
    if uv := find_uv():
        candidates.append(_output(uv, "python", "find", "--no-python-downloads", version))
    return next((p for p in candidates if _output(p, "-I", "-S", "-c", PRINT_VERSION) == version), None)


def _output(*command: str) -> str:
    """Run a command and return what it prints; nothing if it fails."""
    with suppress(OSError, subprocess.CalledProcessError):
        return subprocess.check_output(command, stdin=DEVNULL, stderr=DEVNULL, text=True).strip()
    return ""


class Zip(Struct, frozen=True):
    """A zip that was written: its bytes, and the bytes unzipped of each top-level folder or file, the largest first."""

    file: Path
    sha256: str
    zipped: int
    parts: tuple[tuple[str, int], ...]

    @property
    def unzipped(self) -> int:
        """The bytes of all parts together."""
        return sum(size for _, size in self.parts)


def top_level_sizes(folder: Path) -> tuple[tuple[str, int], ...]:
    """The bytes below each top-level entry of a folder, the largest first."""
    sizes: Counter[str] = Counter()
    for file in _files(folder):
        sizes[file.relative_to(folder).parts[0]] += file.stat().st_size
    return tuple(sorted(sizes.items(), key=lambda part: (-part[1], part[0])))


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def write_zip(folder: Path, file: Path, prefix: str = "") -> Zip:
    """Write the zip of a folder and move it into place at once: a reader sees the old zip or the new one.

    `prefix` begins the path of each file in the zip.
    """
    draft = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(draft, "w", compresslevel=6) as archive:
            for path in _files(folder):
                entry = zipfile.ZipInfo(prefix + path.relative_to(folder).as_posix(), ENTRY_DATE)
                entry.create_system = UNIX
                entry.external_attr = (0o755 if ".so" in entry.filename else 0o644) << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
        content = draft.read_bytes()
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    return Zip(file, hashlib.sha256(content).hexdigest(), len(content), top_level_sizes(folder))
