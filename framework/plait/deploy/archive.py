"""Write a folder as a zip whose bytes depend on the files alone, not on the time or the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from plait.deploy.requirements import find_uv
from plait.deploy.target import running_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.deploy.target import Target

ENTRY_DATE = (1980, 1, 1, 0, 0, 0)
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
    python = _find_python(target)
    if python is None:
        return False
    command = [python, "-I", "-S", "-m", "compileall", "-qq", "--invalidation-mode", "unchecked-hash"]
    command += ["-s", str(folder), "-p", home, str(folder)]
    subprocess.run(command, check=False)  # it fails where a module is of another age
    return True


def _find_python(target: Target) -> str | None:
    """Find a Python of the target's version that runs on this machine."""
    if target.python == running_target().python:
        return sys.executable
    candidates = [shutil.which(f"python{target.python}")]
    if uv := find_uv():
        candidates.append(_output([uv, "python", "find", "--no-python-downloads", target.python]))
    fitting = (p for p in candidates if p and _output([p, "-I", "-S", "-c", PRINT_VERSION]) == target.python)
    return next(fitting, None)


def _output(command: list[str]) -> str | None:
    """Run a command and return what it prints; None if it fails, as the shims of version managers do."""
    try:
        process = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return None
    return None if process.returncode else process.stdout.strip()


def write_zip(folder: Path, file: Path) -> None:
    """Write the zip of a folder and move it into place at once: a reader sees the old zip or the new one."""
    draft = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ENTRY_DATE)
                entry.create_system, entry.compress_type = (
                    3,
                    zipfile.ZIP_DEFLATED,
                )  # 3: Unix, for the permissions
                entry.external_attr = (0o755 if ".so" in entry.filename else 0o644) << 16
                archive.writestr(entry, path.read_bytes())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
