"""`plait table`: the table of the sink in Glue's catalogue, as it is and as the spec means it."""

from __future__ import annotations

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option
from plait.cli.printing import print_answer


@click.command("table")
@click.argument("spec")
@click.option("--apply", is_flag=True, help="Make the table, or change it as shown.")
@parameter_option
@output_option("text", "json")
@click.pass_context
def command(ctx: click.Context, spec: str, apply: bool, parameters: dict[str, str], output: str) -> None:
    """Show what is to change in the table of the sink in Glue's catalogue; with --apply, change it.

    Columns, fields of structs, wider types, comments and partitions are added; what would break the table is refused.
    """
    from plait.deploy import lake_table
    from plait.engine.context import Services

    plan = load_pipeline(spec, parameters).plan()
    comparison = (lake_table.apply if apply else lake_table.compare)(plan, Services())
    changes, refused = comparison.changes, comparison.found.refused
    document = {"table": str(plan.table), "applied": apply, "changes": changes, "refused": refused}
    lines = [f"refused: {text}" for text in refused]
    lines += [*changes] or ([] if refused else ["nothing is to change"])
    print_answer(
        output, document, "\n".join([f"{plan.table}: {plan.sink_path}", *(f"  {line}" for line in lines)])
    )
    ctx.exit(1 if refused else 0)
