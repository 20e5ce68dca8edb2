"""Check what the blocks of a complete spec mean together; each check is a function, and its docstring the page of its code.

`run_checks` runs them all; only `language.validate`, and what shows the pages, call it.
"""

from plait.language.checks import columns, decode, names, options, output, references, roles, waiting
from plait.language.checks.registry import CHECKS, run_checks

__all__ = [
    "CHECKS",
    "columns",
    "decode",
    "names",
    "options",
    "output",
    "references",
    "roles",
    "run_checks",
    "waiting",
]
