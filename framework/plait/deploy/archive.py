"""Write a folder as a zip whose bytes depend on the files alone, not on the time or the machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from plait.deploy.target import running_target
from plait.deploy.uv import find_uv

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from plait.deploy.target import Target

ENTRY_DATE = (1980, 1, 1, 0, 0, 0)
FUNCTION_FOLDER = "/var/task"
PRINT_VERSION = "import sys; print('%d.%d' % sys.version_info[:2])"
# One process compiles all modules, in one order and with one seed: marshal's output depends on what its process
# has seen before.
COMPILE_ALL = """
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
    for name, source in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)


def add_byte_code(folder: Path, target: Target) -> bool:
    """Compile every module to byte-code that Python never compares with the source.

    Returns False, and compiles nothing, if no Python of the target's version runs on this machine.
    """
    python = _find_python(target)
    if python is None:
        return False
    names = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*.py"))
    command = [python, "-I", "-S", "-c", COMPILE_ALL, FUNCTION_FOLDER]
    subprocess.run(
        command, input="\n".join(names), cwd=folder, env={"PYTHONHASHSEED": "0"}, text=True, check=True
    )
    return True


def _find_python(target: Target) -> str | None:
    """Find a Python of the target's version that runs on this machine."""
    if target.python == running_target().python:
        return sys.executable
    candidates = [shutil.which(f"python{target.python}")]
    if uv := find_uv():
        candidates.append(_output([uv, "python", "find", "--no-python-downloads", target.python]))
    return next(
        (
            python
            for python in candidates
            if python and _output([python, "-I", "-S", "-c", PRINT_VERSION]) == target.python
        ),
        None,
    )


def _output(command: list[str]) -> str | None:
    """Run a command and return what it prints; None if it fails, as the shims of version managers do."""
    try:
        process = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return None
    return None if process.returncode else process.stdout.strip()


def top_level_sizes(folder: Path) -> dict[str, int]:
    """The bytes below each top-level entry of a folder."""
    sizes: dict[str, int] = {}
    for file in folder.rglob("*"):
        if file.is_file():
            top = file.relative_to(folder).parts[0]
            sizes[top] = sizes.get(top, 0) + file.stat().st_size
    return sizes


def write_zip(folder: Path, file: Path) -> None:
    """Write the zip of a folder and move it into place at once: a reader sees the old zip or the new one."""
    draft = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.writestr(_zip_entry(path.relative_to(folder).as_posix()), path.read_bytes())
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _zip_entry(name: str) -> zipfile.ZipInfo:
    """The header of a file in the zip, with a fixed date and Unix permissions."""
    entry = zipfile.ZipInfo(name, ENTRY_DATE)
    entry.create_system = 3
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o755 if ".so" in name else 0o644) << 16
    return entry
