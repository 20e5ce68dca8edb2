"""`plait explain`: what a problem means, with a mistake and its cure."""

from __future__ import annotations

import sys
from itertools import groupby

import click

from plait.cli.failures import CannotStart
from plait.cli.printing import coloured
from plait.problems.display import aligned
from plait.problems.pages import Page, pages
from plait.problems.problem import excerpt
from plait.problems.suggest import help_for


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Tell what a problem means, with a mistake and its cure; without CODE, list all codes."""
    if code is None:
        rows = ((page.code, page.summary) for page in pages().values())
        table = zip(pages().values(), aligned(rows, "  ").splitlines(), strict=True)
        for chapter, lines in groupby(table, key=lambda line: line[0].chapter):
            click.echo("\n".join([chapter, *(line for _, line in lines), ""]))
    elif page := pages().get(code):
        _print(page)
    else:
        message, help = (
            f"no problem has the code {excerpt(code)}",
            help_for(code, pages(), "code", "`plait explain`"),
        )
        raise CannotStart(message, code="unknown-code", help=help)


def _print(page: Page) -> None:
    """Print a page as Markdown, on a terminal as that looks."""
    examples = (f"{mark}:\n\n```{page.language}\n{page.variant(mark)}\n```" for mark in ("wrong", "right"))
    text = "\n\n".join([f"## {page.code}", page.meaning, *examples])
    if not coloured(sys.stdout):
        click.echo(text)
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console(file=sys.stdout).print(Markdown(text))
