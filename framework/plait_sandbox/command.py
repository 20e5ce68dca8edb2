"""`plait sandbox`: a local AWS and MySQL with sample data, until Ctrl-C."""

from __future__ import annotations

import shlex
import threading

import click


@click.command("sandbox", short_help="Start a local AWS and MySQL with sample data.")
def command() -> None:
    """Start a local AWS and MySQL with sample data, print how to use it, and wait until Ctrl-C."""
    from plait_sandbox.sample_data import sample
    from plait_sandbox.sandbox import RAW, Sandbox

    with Sandbox() as sandbox:
        sandbox.fill(sample())
        for name, value in sandbox.environment().items():
            click.echo(f"export {name}={shlex.quote(value)}")
        click.echo(f"MySQL is {sandbox.mysql.flavour}; the sample lies in s3://{RAW}", err=True)
        click.echo("the sandbox runs until Ctrl-C", err=True)
        threading.Event().wait()
