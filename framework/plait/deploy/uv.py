"""Find uv, which fetches wheels and finds Pythons."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def find_uv() -> str | None:
    """Find the uv on PATH, else the one beside the running Python, where `make setup` links its own."""
    return shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
