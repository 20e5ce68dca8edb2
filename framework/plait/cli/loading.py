"""Load the spec that a command names, and what is given for its sources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from plait.cli.failures import CannotStart
from plait.cli.options import allowed_variables
from plait.cli.printing import print_problems_on_stderr
from plait.pipeline.invalid_spec import InvalidSpec
from plait.pipeline.pipeline import Pipeline

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.engine.engine import Engine
    from plait.language.spec import Spec
    from plait.testing.cases.case import GivenFile


def load_pipeline(file: str, parameters: Mapping[str, str], *, infers: bool = False) -> Pipeline:
    """The pipeline of a spec file, whose warnings are printed; raises OSError, or InvalidSpec with its problems.

    A spec without `columns` is invalid unless the command `infers` them.
    """
    pipeline = Pipeline.load(file, parameters, env=allowed_variables())
    if not infers:
        pipeline.require_columns()
    if pipeline.warnings:
        print_problems_on_stderr(pipeline.warnings, {file: pipeline.text})
    return pipeline


def engine_of(pipeline: Pipeline, cases: str | None) -> Engine:
    """An engine for a pipeline, in which a file of cases stands in for the sources that its `given` names."""
    engine = pipeline.engine()
    if cases is not None:
        from plait.testing.cases.stand_ins import OfflineServices, stand_in

        inputs = load_given(cases, pipeline.spec).inputs
        stand_in(engine, inputs, OfflineServices(engine.services.now(), inputs))
    return engine


def load_with_quarantine(file: str, parameters: Mapping[str, str]) -> Pipeline:
    """The pipeline of a spec file; raises CannotStart if it has no quarantine."""
    from plait.engine.quarantine import NO_QUARANTINE

    pipeline = load_pipeline(file, parameters)
    if pipeline.spec.quarantine is None:
        raise CannotStart(NO_QUARANTINE, code="no-quarantine", help="add `quarantine` to the spec")
    return pipeline


def load_given(file: str, spec: Spec) -> GivenFile:
    """What a file of cases gives for the spec's sources; raises OSError, or InvalidSpec with the file's problems."""
    from plait.engine.context import utc_now
    from plait.testing.cases.read import read_given

    given = read_given(Path(file).read_bytes(), file, spec, utc_now())
    if any(problem.level == "error" for problem in given.problems):
        raise InvalidSpec(file, given.problems, given.text)
    if given.problems:
        print_problems_on_stderr(given.problems, {file: given.text})
    return given
