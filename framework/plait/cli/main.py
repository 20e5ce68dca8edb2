"""The entry point `plait`: its commands, each loaded when it is called, and the exit codes."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from importlib import import_module
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

import click

from plait import __version__
from plait.problems.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMANDS = {
    "init": "Write a new project, with a spec, its cases, sample data, checks for CI; or a new connector.",
    "validate": "Find every problem of specs, offline.",
    "explain": "Tell what a problem means, with a mistake and its cure.",
    "plan": "Show what a run would do: joins, schema, partitions.",
    "list": "List the objects that a run would take.",
    "guess": "Guess the columns of sources, as the block to paste into a spec.",
    "preview": "Read and join for real, write nothing, show the rows.",
    "why": "Tell where each cell of an object's rows came from, and why it is null if it is.",
    "test": "Run the cases beside specs, without AWS, network or clock.",
    "run": "Run over the objects of an event, of a list, of a time, or over all.",
    "backfill": "Run over history by a plan of batches, which resumes where it was ended.",
    "missing": "List the objects that never arrived, ready to be run.",
    "quarantine": "Show what is in quarantine: by code and column, or one record.",
    "replay": "Run what is in quarantine again, and remove what now succeeds.",
    "connectors": "Show the installed connectors, or the options of one.",
    "schema": "Print the JSON Schema of the language, for editors.",
    "check": "Ask every source and the sink whether they can be reached.",
    "query": "Ask the lake by SQL, and show the rows.",
    "table": "Show or make the table of the sink in Glue's catalogue.",
    "policy": "Print the smallest IAM policy under which a spec runs.",
    "template": "Print the CloudFormation template of a spec's function.",
    "package": "Write the zip of a spec's Lambda function.",
    "sandbox": "Start a local AWS and MySQL with sample data, or with your own.",
    "demo": "Show the whole job on the sandbox.",
}
MODULES = {"sandbox": "plait_sandbox.command", "demo": "plait_sandbox.demo"}  # all else is below `commands`


class Terminated(KeyboardInterrupt):
    """SIGTERM came; everything ends as it does on Ctrl-C."""


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM interrupt a command, so that nothing half-written stays."""
    if current_thread() is not main_thread():
        yield
        return

    def terminate(*_: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Commands(click.Group):
    """The commands, each loaded when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names in the order of the work."""
        return [*COMMANDS]

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of a name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module = MODULES.get(cmd_name, f"plait.cli.commands.{cmd_name}")
        command: click.Command = import_module(module).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for an unknown name, say which one was probably meant."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            meant = nearest(args[0], self.list_commands(ctx))
            ctx.fail(
                f"no command is called `{args[0][:40]}`" + (f"; did you mean `{meant}`?" if meant else "")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an expected failure is printed as one problem, a bug keeps its traceback."""
        try:
            with _ended_by_signals():
                return super().invoke(ctx)
        except KeyboardInterrupt as error:
            number = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
            click.echo("terminated" if number == signal.SIGTERM else "interrupted", err=True)
            ctx.exit(128 + number)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except Exception as error:
            from plait.cli.failures import print_failure

            code = print_failure(error)
            if code is None:
                raise
            ctx.exit(code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="plait")
@click.option(
    "--debug", is_flag=True, help="Show where a connector fails: its traceback, with any values in it."
)
@click.pass_context
def main(ctx: click.Context, debug: bool) -> None:
    """Braid the strands of a record that lives in several AWS services into one Parquet row."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # it is closed, so what is printed goes nowhere
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
    if debug:
        from plait.plugin.isolation import tracebacks_shown

        ctx.with_resource(tracebacks_shown())
