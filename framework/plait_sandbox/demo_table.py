"""The lake of the demo as a table of Glue's catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from plait_sandbox.sandbox import Sandbox

TABLE = "shop.transactions"


def with_table(spec: Path, folder: Path) -> Path:
    """A copy of the demo's spec whose sink is a table of Glue's catalogue."""
    copy = folder / spec.name
    text = spec.read_text(encoding="utf-8")
    copy.write_text(text.replace("\nsink:\n", f"\nsink:\n  table: {TABLE}\n"), encoding="utf-8")
    return copy


def make_table(console: Console, spec: Path) -> None:
    """Make the table of a spec, and print what changed for it."""
    from plait.cli.loading import load_pipeline
    from plait.deploy.lake_table import apply
    from plait.engine.context import Services

    console.rule(f"plait table {spec.name} --apply")
    for change in apply(load_pipeline(str(spec), {}).plan(), Services()).changes:
        console.print(change, markup=False)


def print_partitions(console: Console, sandbox: Sandbox) -> None:
    """Print the values of the partitions that Glue has."""
    database, table = TABLE.split(".")
    answer = sandbox.client("glue").get_partitions(DatabaseName=database, TableName=table)
    console.rule(f"the partitions of {TABLE}, as Athena finds them")
    console.print(", ".join(sorted(partition["Values"][0] for partition in answer["Partitions"])))
