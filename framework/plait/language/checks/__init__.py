"""Check what the blocks of a complete spec mean together; each check is a function, and its code has a page in `problems/pages.md`.

`run_checks` runs them all; only `language.validate` calls it.
"""

from plait.language.checks import columns, decoding, lake_table, output, references, sources  # noqa: F401 - they register their checks
from plait.language.checks.registry import CHECKS, run_checks

__all__ = ["CHECKS", "run_checks"]
