"""`plait check`: ask each source and the sink whether they can be reached with these credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plait.cli.loading import load_pipeline
from plait.cli.options import output_option, parameter_option
from plait.cli.printing import print_answer
from plait.problems.display import aligned
from plait.problems.problem import as_json
from plait.problems.render import full

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.engine.probe import ProbeResult


@click.command("check")
@click.argument("spec")
@parameter_option
@output_option("text", "json")
@click.pass_context
def command(ctx: click.Context, spec: str, parameters: dict[str, str], output: str) -> None:
    """Ask every source and the sink what a run would ask, for something that is not there; nothing stays written.

    Where all can be used, the first twenty objects are read as by a preview, to tell what is never there, and the first
    folders of the sink are listed, to tell those whose partition is spelt otherwise now.
    """
    from plait.engine.probe import probe_blocks, sample
    from plait.pipeline.old_folders import old_folders

    engine = load_pipeline(spec, parameters).engine()
    results = [*probe_blocks(engine.spec, engine.services)]
    is_usable = not any(result.error for result in results)
    problems = [*old_folders(engine), *sample(engine)] if is_usable else []
    document = {"blocks": [_document(result) for result in results], "problems": as_json(problems)}
    texts = ["\n".join(_lines(results)), *([full(problems, {}, colour=True)] if problems else [])]
    print_answer(output, document, "\n\n".join(texts))
    ctx.exit(0 if is_usable else 1)


def _document(result: ProbeResult) -> dict[str, object]:
    error = result.error
    problem = error and {"code": error.code, "message": error.message, "help": error.help}
    return {
        "block": result.block,
        "connector": result.connector or None,
        "facts": [*result.facts],
        "problem": problem,
    }


def _lines(results: Sequence[ProbeResult]) -> Iterator[str]:
    yield aligned(
        [
            (result.block, "cannot be used" if result.error else "ok", "; ".join(result.facts))
            for result in results
        ]
    )
    for result in results:
        if result.error:
            yield f"\n{result.block}: {result.error.message}"
            if result.error.help:
                yield f"  help: {result.error.help}"
