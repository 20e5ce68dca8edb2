"""`plait policy`: the smallest IAM policy under which a spec runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from plait.cli.common import aligned, load, output, params
from plait.deploy.policy import fill_pseudo_parameters, grants, policy_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.deploy.policy import Grant


@click.command("policy")
@click.argument("spec")
@click.option("--account", metavar="ID", help="Account of the function, twelve digits.")
@click.option("--region", metavar="NAME", help="Region of the function.")
@click.option("--partition", default="aws", show_default=True, metavar="NAME", help="Partition of AWS.")
@params
@output("json", "text")
def command(
    spec: str,
    account: str | None,
    region: str | None,
    partition: str,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Print the IAM policy that the function of a spec needs; `-o text` gives the reason for each line.

    Without `--account` and `--region` the ARNs have `${AWS::AccountId}` and `${AWS::Region}` in them, as
    CloudFormation's Fn::Sub reads them.
    """
    granted = grants(load(spec, parameters).spec)
    values = {"AWS::Partition": partition, "AWS::AccountId": account, "AWS::Region": region}
    names = {name: value for name, value in values.items() if value}
    if output == "json":
        click.echo(json.dumps(policy_document(granted, names), indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(_paragraphs(granted, names)))


def _paragraphs(granted: Sequence[Grant], names: Mapping[str, str]) -> Iterator[str]:
    for grant in granted:
        reasons = aligned([(block, why) for block, why in grant.reasons], indent="  ")
        yield f"{grant.action} on {fill_pseudo_parameters(grant.resource, names)}\n{reasons}"
