"""`plait template`: the CloudFormation template of a spec's function."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from plait.cli.failures import CannotStart
from plait.cli.loading import load_pipeline
from plait.cli.options import allowed_variables, output_option, parameter_option
from plait.deploy.stack import read_stack, stack_text
from plait.language.validate import validate_for_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.spec import Spec


@click.command("template")
@click.argument("spec")
@parameter_option
@output_option("yaml", "json")
def command(spec: str, parameters: dict[str, str], output: str) -> None:
    """Print the CloudFormation template of a spec: rule, queue, dead letters, function, role and alarms.

    The spec's parameters become the stack's, with the values given here as their defaults.
    """

    def spec_with(values: Mapping[str, str]) -> Spec | None:
        return validate_for_run(spec, {**parameters, **values}, env=allowed_variables()).spec

    pipeline = load_pipeline(spec, parameters)
    without_variable = [name for name in parameters if name not in pipeline.spec.variables]
    if without_variable:
        message = (
            f"the parameter `{without_variable[0]}` has no `env`, so a function cannot be given its value"
        )
        raise CannotStart(message, code="no-variable", help="add `env: NAME` to it in the spec")
    text = stack_text(pipeline.spec, spec_with)
    if output == "json":
        text = json.dumps(read_stack(text), indent=2, ensure_ascii=False) + "\n"
    click.echo(text, nl=False)
