"""`plait policy`: the smallest IAM policy under which a spec runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option, runner_option
from plait.deploy.policy import fill_pseudo_parameters, grants, policy_document
from plait.problems.display import aligned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.deploy.policy import Grant


@click.command("policy")
@click.argument("spec")
@runner_option
@click.option("--account", metavar="ID", help="Account of the function, twelve digits.")
@click.option("--region", metavar="NAME", help="Region of the function.")
@click.option("--partition", default="aws", show_default=True, metavar="NAME", help="Partition of AWS.")
@parameter_option
@output_option("json", "text")
def command(  # noqa: PLR0913, PLR0917 - each option is a parameter
    spec: str,
    runner: str,
    account: str | None,
    region: str | None,
    partition: str,
    parameters: dict[str, str],
    output: str,
) -> None:
    """Print the IAM policy that the function of a spec needs; `-o text` gives the reason for each line.

    Without `--account` and `--region` the ARNs have `${AWS::AccountId}` and `${AWS::Region}` in them, as
    CloudFormation's Fn::Sub reads them. With --for spark it is that of a backfill on Spark, whose state lies beside the sink.
    """
    needed = grants(load_pipeline(spec, parameters).spec, on_spark=runner == "spark")
    values = {"AWS::Partition": partition, "AWS::AccountId": account, "AWS::Region": region}
    variables = {name: value for name, value in values.items() if value}
    if output == "json":
        click.echo(json.dumps(policy_document(needed, variables), indent=2, ensure_ascii=False))
    else:
        click.echo("\n\n".join(_paragraphs(needed, variables)))


def _paragraphs(needed: Sequence[Grant], variables: Mapping[str, str]) -> Iterator[str]:
    for grant in needed:
        reasons = aligned([(block, why) for block, why in grant.reasons], indent="  ")
        yield f"{grant.action} on {fill_pseudo_parameters(grant.resource, variables)}\n{reasons}"
