"""The Python and the processor of Lambda that a package is made for."""

from __future__ import annotations

import platform
import sys
from typing import Literal

from msgspec import Struct

Arch = Literal["x86_64", "arm64"]
MACHINES: dict[Arch, str] = {"x86_64": "x86_64", "arm64": "aarch64"}
DEFAULT_PYTHON = "3.12"
# The minor version of glibc 2 that wheels may need: Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 above.
GLIBC_MINOR = {"3.11": 17, "3.12": 34, "3.13": 34}


class Target(Struct, frozen=True):
    """A Python such as `3.12` on a processor; `here` says that the package runs on this very machine."""

    python: str
    arch: Arch
    here: bool = False

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
