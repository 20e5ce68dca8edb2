"""Declarative extraction on AWS: `plait.load(spec).run()` braids the strands of a record into one row."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plait.pipeline.pipeline import Pipeline

__version__ = "0.1.0"
__all__ = ["load"]


def load(spec: str, **parameters: str) -> Pipeline:
    """Load a spec for Python and notebooks; raises `plait.pipeline.pipeline.InvalidSpec` with every problem."""
    from plait.pipeline.pipeline import Pipeline

    return Pipeline.load(spec, parameters)
