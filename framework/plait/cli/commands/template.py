"""`plait template`: the CloudFormation template of a spec's function."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import yaml

from plait.cli.common import CannotStart, load, output, params
from plait.deploy.template import template
from plait.language.validate import validate_for_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.spec import Spec


@click.command("template")
@click.argument("spec")
@params
@output("yaml", "json")
def command(spec: str, parameters: dict[str, str], output: str) -> None:
    """Print the CloudFormation template of a spec: rule, queue, dead letters, function, role and alarms.

    The spec's parameters become the stack's, with the values given here as their defaults.
    """

    def marked(values: Mapping[str, str]) -> Spec | None:
        return validate_for_run(spec, {**parameters, **values}).spec

    pipeline = load(spec, parameters)
    lost = [name for name in parameters if name not in pipeline.spec.variables]
    if lost:
        message = f"the parameter `{lost[0]}` has no `env`, so a function cannot be given its value"
        raise CannotStart(message, code="no-variable", help="add `env: NAME` to it in the spec")
    made = template(pipeline.spec, marked)
    if output == "json":
        click.echo(json.dumps(made, indent=2, ensure_ascii=False))
    else:
        # A copy through JSON shares no parts, which YAML would write as aliases.
        plain = json.loads(json.dumps(made))
        click.echo(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110), nl=False)
