"""Leave out files of distributions that a function never opens, and Arrow's libraries that nothing loads."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NEVER_OPENED = re.compile(r"(^|/)(__pycache__|tests)/|\.(pyc|pyi|pyx|pxd|pxi|c|cc|cpp|h|hpp|a)$|/py\.typed$")
NEEDED_METADATA = re.compile(
    r"/(METADATA|entry_points\.txt|(licen[cs]es?|NOTICE|COPYING)[^/]*(/.*)?)$", re.IGNORECASE
)
COMMAND_LINE_MODULES = (
    "plait/cli/*",
    "plait/deploy/*",
    "plait/testing/*",
    "plait_sandbox/*",
    "plait/language/checks/*",
    "plait/language/shape/*",
    "plait/problems/pages.*",
)
# What checks a spec; a function builds the one that was checked when its package was made.
CHECKERS = re.compile(
    r"plait/language/(document|finding|parameter_checks|schema|secret_checks|structure|validate|wording|yaml_errors"
    r"|yaml_reader)\.py"
)
# Parts of Arrow that neither plait nor its connectors import.
ARROW_PARTS = (
    "azurefs|benchmark|cffi|conftest|cuda|feather|flight|gandiva|gcsfs|hdfs|jvm|orc|parquet_encryption"
    "|pyarrow_cpp_tests|s3fs|substrait"
)
ARROW_DATASETS = "dataset(_orc|_parquet|_parquet_encryption)?"
ARROW_LIBRARY = re.compile(r"^pyarrow/(lib[a-z][^/]*\.so(\.\d+)*)$")


def trim(files: Mapping[str, Path], *, datasets: bool = False) -> dict[str, Path]:
    """Leave out the files, by their path in the package, that a function never opens; with `datasets` Arrow's stay."""
    parts = ARROW_PARTS if datasets else f"{ARROW_PARTS}|{ARROW_DATASETS}"
    unused = re.compile(rf"^pyarrow/(src/|(_|libarrow_python_)?({parts})\.)")
    return _without_unused_libraries(
        {name: file for name, file in files.items() if _is_opened(name) and not unused.match(name)}
    )


def _is_opened(name: str) -> bool:
    """Whether a function may open the file of this path in the package."""
    if name.partition("/")[0].endswith(".dist-info"):
        return NEEDED_METADATA.search(name) is not None
    if CHECKERS.fullmatch(name) or any(fnmatch(name, pattern) for pattern in COMMAND_LINE_MODULES):
        return False
    return NEVER_OPENED.search(name) is None


def _without_unused_libraries(files: Mapping[str, Path]) -> dict[str, Path]:
    """Leave out each library of Arrow that no extension module names, directly or through another library.

    The name of a library that is linked stands in the binary between two zero bytes.
    """
    libraries = {match[1]: name for name in files if (match := ARROW_LIBRARY.match(name))}
    waiting = [
        name
        for name in files
        if name.startswith("pyarrow/") and name.endswith(".so") and name not in libraries.values()
    ]
    loaded: set[str] = set()
    while waiting:
        data = files[waiting.pop()].read_bytes()
        linked = {name for short, name in libraries.items() if b"\0" + short.encode() + b"\0" in data}
        waiting += linked - loaded
        loaded |= linked
    unused = set(libraries.values()) - loaded
    return {name: file for name, file in files.items() if name not in unused}
