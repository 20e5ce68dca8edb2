"""`plait sandbox`: a local AWS and MySQL with a shop's sample, or with what a spec needs."""

from __future__ import annotations

import shlex
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from plait.cli.options import allowed_variables, parameter_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait_sandbox.contents import Contents
    from plait_sandbox.mysql import LocalMysql


@click.command("sandbox", short_help="Start a local AWS and MySQL with sample data, or with your own.")
@click.argument("spec", required=False)
@click.option("--seed", metavar="FILE", help="What the sources of SPEC hold: the `given` of a file of cases.")
@parameter_option
@click.option("--detach", is_flag=True, help='Run in the background: eval "$(plait sandbox SPEC --detach)".')
@click.option("--stop", is_flag=True, help="Stop the sandbox of this shell; where it has none, all of yours.")
def command(spec: str | None, seed: str | None, parameters: dict[str, str], detach: bool, stop: bool) -> None:
    """Start a local AWS and MySQL, print how to use them, and wait until Ctrl-C.

    They have the buckets, tables, log groups and secrets that SPEC names, with what `--seed` puts there; without SPEC, a
    shop's sample data.
    """
    from plait_sandbox.aws import ENVIRONMENT
    from plait_sandbox.background import VARIABLE, run_in_background, stop_sandboxes

    with _failure_for_shell() if detach or stop else nullcontext():
        if seed is not None and spec is None:
            raise click.UsageError("`--seed` needs SPEC")
        if stop:
            click.echo("stopped" if stop_sandboxes() else "no sandbox runs", err=True)
            click.echo(f"unset {' '.join([*ENVIRONMENT, VARIABLE])}")
        elif detach:
            options = [f"--param={name}={value}" for name, value in parameters.items()]
            options += [f"--env={name}" for name in allowed_variables()]
            options += [f"--seed={seed}"] if seed else []
            run_in_background([*options, *(["--", spec] if spec else [])])
        else:
            _serve(_contents(spec, seed, parameters) if spec is not None else None)


@contextmanager
def _failure_for_shell() -> Iterator[None]:
    """Print `false` where the command fails: a shell's `eval` of what it prints fails too."""
    try:
        yield
    except BaseException:
        click.echo("false")
        raise


def _contents(spec: str, seed: str | None, parameters: dict[str, str]) -> Contents:
    from plait.cli.loading import load_given, load_pipeline
    from plait.cli.printing import print_problems_on_stderr
    from plait_sandbox.seed import read_contents

    loaded = load_pipeline(spec, parameters).spec
    given = load_given(seed, loaded) if seed is not None else None
    contents = read_contents(loaded, given)
    if given and contents.warnings:
        print_problems_on_stderr(contents.warnings, {given.file: given.text})
    return contents


def _serve(contents: Contents | None) -> None:
    """Start the servers with these contents, or with the shop, and wait until they are stopped."""
    import secrets

    from plait_sandbox.background import VARIABLE, stoppable_folder, wait_for_stop
    from plait_sandbox.guard import end_on_sigterm
    from plait_sandbox.sample_data import sample
    from plait_sandbox.sandbox import shop_contents, start_sandbox

    end_on_sigterm()
    with stoppable_folder() as folder, start_sandbox(password=secrets.token_hex(8)) as sandbox:
        if contents is None:
            sandbox.fill(sample())
        else:
            sandbox.create_buckets(contents)
            sandbox.put(contents)
        for note in _notes(sandbox.mysql, contents or shop_contents(sample())):
            click.echo(note, err=True)
        for name, value in {**sandbox.environment(), VARIABLE: str(folder)}.items():
            click.echo(f"export {name}={shlex.quote(value)}")
        wait_for_stop(folder)


def _notes(mysql: LocalMysql, contents: Contents) -> Iterator[str]:
    """What is where, and how to change it."""
    from plait.cli.printing import plural

    for bucket in sorted(contents.buckets):
        number = sum(uri.startswith(f"s3://{bucket}/") for uri in contents.objects)
        yield f"s3://{bucket}: {plural(number, 'object')}"
    for (database, name), table in contents.mysql.items():
        yield f"MySQL, {database}.{name}: {plural(len(table.rows), 'row')}"
    for name, items in contents.dynamodb.items():
        yield f"DynamoDB, {name}: {plural(len(items.items), 'item')} by {', '.join(items.keys)}"
    for group, lines in contents.logs.items():
        yield f"CloudWatch Logs, {group}: {plural(len(lines), 'line')}"
    for secret in contents.secrets:
        yield f"Secrets Manager, {secret}: the login of MySQL's reader"
    if mysql.flavour == "mariadb":
        yield f"MySQL may be written by: mysql -h {mysql.host} -P {mysql.port} -u {mysql.user} -p{mysql.password}"
    else:
        yield "MySQL is mysql-mimic: read by one column of texts or numbers; with MariaDB installed it is a whole one"
    yield "the sandbox runs until Ctrl-C or `plait sandbox --stop`"
