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
MACHINES: dict[Arch, str] = {"x86_64": "x86_64", "arm64": "aarch64"}
DEFAULT_PYTHON = "3.12"
# The minor version of glibc 2 in each runtime: Amazon Linux 2 up to Python 3.11, Amazon Linux 2023 above.
GLIBC_MINOR = {"3.11": 26, "3.12": 34, "3.13": 34}
OLD_PLATFORMS = ["manylinux2014", "manylinux2010", "manylinux1"]


@dataclass(frozen=True)
class Target:
    """A Python such as `3.12` on a processor; `here` says that the package runs on this very machine."""

    python: str
    arch: Arch
    here: bool = False

    @property
    def platforms(self) -> list[str]:
        """The platform tags of wheels that the runtime accepts, the newest first."""
        names = [f"manylinux_2_{minor}" for minor in range(GLIBC_MINOR[self.python], 4, -1)]
        return [f"{name}_{MACHINES[self.arch]}" for name in names + OLD_PLATFORMS]

    @property
    def markers(self) -> dict[str, str]:
        """The values of PEP 508's environment markers on the target."""
        return {
            "os_name": "posix",
            "platform_machine": MACHINES[self.arch],
            "platform_system": "Linux",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }

    @cached_property
    def _tags(self) -> frozenset[Tag]:
        """The tags of the wheels that run on the target."""
        version = [int(number) for number in self.python.split(".")]
        native = cpython_tags(version, platforms=self.platforms)
        pure = compatible_tags(version, "cp" + self.python.replace(".", ""), self.platforms)
        return frozenset((*native, *pure))

    def runs(self, tags: Iterable[str]) -> bool:
        """Whether a wheel with one of these tags runs on the target."""
        return self.here or any(not self._tags.isdisjoint(parse_tag(tag)) for tag in tags)


def running_target() -> Target:
    """Return the target that is this machine and its Python."""
    arch: Arch = "arm64" if platform.machine().lower() in ("aarch64", "arm64") else "x86_64"
    return Target(f"{sys.version_info.major}.{sys.version_info.minor}", arch, here=True)
