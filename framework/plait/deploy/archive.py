"""A folder as a zip that has the same bytes whenever and wherever it is made."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from plait.deploy.target import running
from plait.deploy.uv import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plait.deploy.target import Target

EPOCH = (1980, 1, 1, 0, 0, 0)
TASK = "/var/task"
VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
# One process for all, in one order and with one seed: marshal's output depends on what its process has seen.
COMPILE = """
import py_compile, sys
for name in sys.stdin.read().splitlines():
    try:
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(name, dfile=f"{sys.argv[1]}/{name}", doraise=True, invalidation_mode=mode)
    except py_compile.PyCompileError:
        pass
"""


def lay_out(files: Mapping[str, Path], texts: Mapping[str, bytes], folder: Path) -> None:
    """Copy files, and write texts, to their paths below a folder."""
    for name, file in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
    for name, text in texts.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)


def add_byte_code(folder: Path, target: Target) -> bool:
    """Compile every module, to byte-code that is never compared with its source; False where that Python is not here."""
    python = _python(target)
    if python is None:
        return False
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.py"))
    command = [python, "-I", "-S", "-c", COMPILE, TASK]
    subprocess.run(
        command, input="\n".join(names), cwd=folder, env={"PYTHONHASHSEED": "0"}, text=True, check=True
    )
    return True


def _python(target: Target) -> str | None:
    """A Python of the target's version that runs here."""
    if target.python == running().python:
        return sys.executable
    found = [shutil.which(f"python{target.python}")]
    if uv := find_uv():
        found.append(_told([uv, "python", "find", "--no-python-downloads", target.python]))
    return next(
        (one for one in found if one and _told([one, "-I", "-S", "-c", VERSION]) == target.python), None
    )


def _told(command: list[str]) -> str | None:
    """What a command answers; None where it fails, as the stand-ins of version managers do."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return None
    return None if done.returncode else done.stdout.strip()


def sizes(folder: Path) -> dict[str, int]:
    """The bytes below each top of a folder."""
    found: dict[str, int] = {}
    for file in folder.rglob("*"):
        if file.is_file():
            top = file.relative_to(folder).parts[0]
            found[top] = found.get(top, 0) + file.stat().st_size
    return found


def write(folder: Path, file: Path) -> None:
    """Write the zip, at once: a reader of `file` sees the old one or the new."""
    draft = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                archive.writestr(_entry(path.relative_to(folder).as_posix()), path.read_bytes())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.create_system = 3
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o755 if ".so" in name else 0o644) << 16
    return entry
