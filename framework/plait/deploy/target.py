"""The Python and the processor of Lambda that a package is made for, and which wheels run there."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from packaging.tags import compatible_tags, cpython_tags, parse_tag

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

Arch = Literal["x86_64", "arm64"]
DEFAULT_PYTHON = "3.12"
MACHINES: dict[Arch, str] = {"x86_64": "x86_64", "arm64": "aarch64"}
# The minor version of glibc 2 in each runtime: Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 above.
GLIBC_MINOR = {"3.11": 26, "3.12": 34, "3.13": 34}
OLDEST_GLIBC_MINOR = 5
OLD_PLATFORM_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True)
class Target:
    """A Python such as `3.12` on a processor; `here` says that the package runs on this very machine."""

    python: str
    arch: Arch
    here: bool = False

    @property
    def machine(self) -> str:
        """The processor as tags of wheels name it."""
        return MACHINES[self.arch]

    @property
    def version(self) -> tuple[int, int]:
        """The Python's version as two numbers."""
        major, minor = self.python.split(".")
        return int(major), int(minor)

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of wheels that the runtime accepts, the newest first."""
        platforms = []
        for minor in range(GLIBC_MINOR[self.python], OLDEST_GLIBC_MINOR - 1, -1):
            platforms.append(f"manylinux_2_{minor}_{self.machine}")
            if minor in OLD_PLATFORM_NAMES:
                platforms.append(f"{OLD_PLATFORM_NAMES[minor]}_{self.machine}")
        return tuple(platforms)

    @property
    def markers(self) -> dict[str, str]:
        """The values of PEP 508's environment markers on the target."""
        return {
            "implementation_name": "cpython",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @cached_property
    def tags(self) -> frozenset[Tag]:
        """The tags of the wheels that run on the target."""
        platforms = self.platforms
        native = cpython_tags(self.version, platforms=platforms)
        return frozenset(
            (*native, *compatible_tags(self.version, "cp" + self.python.replace(".", ""), platforms))
        )

    def runs(self, tags: Iterable[str]) -> bool:
        """Whether a wheel with one of these tags runs on the target."""
        return self.here or any(not self.tags.isdisjoint(parse_tag(tag)) for tag in tags)


def running_target() -> Target:
    """Return the target that is this machine and its Python."""
    machine = platform.machine().lower()
    arch: Arch = "arm64" if machine in ("aarch64", "arm64") else "x86_64"
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", arch, here=True)
