"""`plait check`: ask each source and the sink whether they can be reached with these credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.common import aligned, load, output, params, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.engine.probe import ProbeResult


@click.command("check")
@click.argument("spec")
@params
@output("text", "json")
@click.pass_context
def command(ctx: click.Context, spec: str, parameters: dict[str, str], output: str) -> None:
    """Ask every source and the sink what a run would ask, for something that is not there; nothing is written."""
    from plait.engine.context import Services
    from plait.engine.probe import reach

    found = [*reach(load(spec, parameters).spec, Services())]
    if output == "json":
        print_json({"blocks": [_plain(one) for one in found]})
    else:
        click.echo("\n".join(_lines(found)))
    ctx.exit(1 if any(one.error for one in found) else 0)


def _plain(one: ProbeResult) -> dict[str, object]:
    error = one.error and {"code": one.error.code, "message": one.error.message, "help": one.error.help}
    return {"block": one.block, "connector": one.connector or None, "facts": [*one.facts], "problem": error}


def _lines(found: Sequence[ProbeResult]) -> Iterator[str]:
    yield aligned(
        [(one.block, "cannot be used" if one.error else "ok", "; ".join(one.facts)) for one in found]
    )
    for one in found:
        if one.error:
            yield f"\n{one.block}: {one.error.message}"
            if one.error.help:
                yield f"  help: {one.error.help}"
