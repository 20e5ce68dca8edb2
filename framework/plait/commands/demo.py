"""`plait demo`: the whole main job on the sandbox."""

from __future__ import annotations

from importlib import import_module

import click


@click.command("demo")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show the whole job on the sandbox."""
    ctx.exit(import_module("plait.sandbox.demo").main())
