"""The options that several commands have: `--param`, `--since` with `--until`, `--output`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plait.problems.render import MAX_SHOWN

if TYPE_CHECKING:
    from collections.abc import Callable

Command = TypeVar("Command", bound="Callable[..., Any]")


def parameter_option(command: Command) -> Command:
    """Add `--param`, whose values the command gets as the mapping `parameters`."""
    help = "A parameter of the spec; wins over the environment. Repeatable."
    return click.option(
        "--param", "parameters", multiple=True, metavar="NAME=VALUE", callback=_split_parameters, help=help
    )(command)


def time_options(command: Command) -> Command:
    """Add `--since` and `--until`, which are times with a zone."""
    since_help, until_help = "Modified at or after this time, UTC.", "Modified before this time, UTC."
    until = click.option("--until", type=parse_time, metavar="TIME", callback=_check_order, help=until_help)
    since = click.option("--since", type=parse_time, metavar="TIME", is_eager=True, help=since_help)
    return since(until(command))


def output_option(*formats: str) -> Callable[[Command], Command]:
    """Add `--output` with these formats, of which the first is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="How to print.",
    )


def verdict_options(command: Command) -> Command:
    """Add `--all` and the formats of commands that answer with problems."""
    help = f"Show more than {MAX_SHOWN} problems."
    all_option = click.option("--all", "everything", is_flag=True, help=help)
    return all_option(output_option("text", "json", "github")(command))


def parse_time(text: str) -> datetime:
    """Read an ISO date or timestamp; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"`{text[:40]}` is no date or time such as `2026-07-01` or `2026-07-01T13:00:00Z`"
        raise click.BadParameter(message) from None


def _split_parameters(
    _ctx: click.Context, _param: click.Parameter, assignments: tuple[str, ...]
) -> dict[str, str]:
    parameters = dict[str, str]()
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"`{assignment[:40]}` is not `name=value`")
        parameters[name] = value
    return parameters


def _check_order(ctx: click.Context, _param: click.Parameter, until: datetime | None) -> datetime | None:
    since = ctx.params.get("since")
    if since and until and since >= until:
        raise click.BadParameter("it must be later than `--since`")
    return until
