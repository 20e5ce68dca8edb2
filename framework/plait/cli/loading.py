"""Load the spec that a command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.cli.failures import unreadable_file
from plait.cli.printing import print_problems_on_stderr
from plait.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping


def load_pipeline(file: str, parameters: Mapping[str, str]) -> Pipeline:
    """The pipeline of a spec file, whose warnings are printed; raises CannotStart, or InvalidSpec with its problems."""
    try:
        pipeline = Pipeline.load(file, parameters)
    except OSError as error:
        raise unreadable_file(file, error) from error
    if pipeline.warnings:
        print_problems_on_stderr(pipeline.warnings, {file: pipeline.text})
    return pipeline
