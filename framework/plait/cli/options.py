"""The options that several commands have: `--param` and `--env`, `--object` and `--objects`, `--since` with `--until`, `--output`, and what gives exit code 1."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from plait.language.spec import Spec

ALLOWED = "plait.env"
Command = TypeVar("Command", bound="Callable[..., Any]")


def parameter_option(command: Command) -> Command:
    """Add `--param`, whose values the command gets as the mapping `parameters`, and `--env`, for `allowed_variables`."""
    help = "A parameter of the spec; wins over the environment. Repeatable."
    param = click.option(
        "--param", "parameters", multiple=True, metavar="NAME=VALUE", callback=_split_parameters, help=help
    )
    help = "An environment variable that parameters of the spec may read. Repeatable."
    env = click.option("--env", multiple=True, metavar="NAME", callback=_allow, expose_value=False, help=help)
    return param(env(command))


def allowed_variables() -> tuple[str, ...]:
    """The environment variables that `--env` of the running command allows to parameters."""
    ctx = click.get_current_context(silent=True)
    return ctx.meta.get(ALLOWED, ()) if ctx else ()


def object_options(command: Command) -> Command:
    """Add `--object` and `--objects`, whose URIs the command gets together as `objects`; None where neither is used."""
    help = "Over this object. Repeatable."
    by_name = click.option(
        "--object", multiple=True, metavar="URI", callback=_add_objects, expose_value=False, help=help
    )
    help = "Over the objects of this file, a URI a line, as `plait missing` and `plait list` print them; `-` is stdin."
    file = click.File(encoding="utf-8", errors="surrogateescape")
    by_list = click.option("--objects", type=file, callback=_add_objects, expose_value=False, help=help)
    return by_name(by_list(command))


def uris_in(lines: Iterable[str]) -> Iterator[str]:
    """The URIs of lines: each the text before a tab, or a text of JSON."""
    for line in lines:
        text = line.rstrip("\n").partition("\t")[0].removeprefix("\ufeff")  # which Windows puts first
        if text.startswith('"'):
            with suppress(ValueError):
                text = json.loads(text)
        if text:
            yield text


def max_rate_option(command: Command) -> Command:
    """Add `--max-rate`, which the command gets as the mapping `max_rates`."""
    help = "At most so many calls of a service a second, all workers together, such as `s3=500`. Repeatable."
    return click.option(
        "--max-rate", "max_rates", multiple=True, metavar="SERVICE=N", callback=_split_rates, help=help
    )(command)


def check_services(spec: Spec, rates: Mapping[str, float]) -> None:
    """Raise BadParameter if a rate is of a service that a spec does not call."""
    called = {each.operation.partition(":")[0] for block in spec.blocks for each in block.role.calls()}
    for service in rates:
        if service not in called:
            names = ", ".join(f"`{name}`" for name in sorted(called)) or "no service"
            raise click.BadParameter(
                f"`{service[:40]}` is not called: the spec calls {names}", param_hint="--max-rate"
            )


def parse_machine(text: str) -> str:
    """The ARN of a state machine, without a version or an alias."""
    if not re.fullmatch(r"arn:[a-z-]+:states:[a-z0-9-]+:[0-9]{12}:stateMachine:[^:\s]+", text):
        message = f"`{text[:40]}` is not the ARN of the state machine of the pipeline's stack: arn:aws:states:…:stateMachine:…"
        raise click.BadParameter(message)
    return text


def time_options(command: Command) -> Command:
    """Add `--since` and `--until`, which are times with a zone."""
    since_help, until_help = "Modified at or after this time, UTC.", "Modified before this time, UTC."
    until = click.option("--until", type=parse_time, metavar="TIME", callback=_check_order, help=until_help)
    since = click.option("--since", type=parse_time, metavar="TIME", is_eager=True, help=since_help)
    return since(until(command))


def given_option(command: Command) -> Command:
    """Add `--given`, a file of cases, which the command gets as `cases`."""
    help = "Take what sources hold from the `given` of this file of cases; the others are read for real."
    return click.option("--given", "cases", metavar="FILE", help=help)(command)


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


def runner_option(command: Command) -> Command:
    """Add `--for`, which the command gets as `runner`."""
    runners = click.Choice(["lambda", "spark"])
    return click.option(
        "--for", "runner", type=runners, default="lambda", show_default=True, help="What runs it."
    )(command)


def verbose_option(command: Command) -> Command:
    """Add `-v`."""
    help = "Show keys that a source has in another spelling, and a line that is no record."
    return click.option("-v", "--verbose", is_flag=True, help=help)(command)


def verdict_options(command: Command) -> Command:
    """Add `--all` and the formats of commands that answer with problems."""
    from plait.problems.render import MAX_SHOWN

    help = f"Show more than {MAX_SHOWN} problems."
    all_option = click.option("--all", "everything", is_flag=True, help=help)
    return all_option(output_option("text", "json", "github")(command))


def fail_level_option(command: Command) -> Command:
    """Add `--fail-level`, the mildest level of a problem that gives exit code 1."""
    return click.option(
        "--fail-level",
        type=click.Choice(["error", "warning"]),
        default="error",
        show_default=True,
        help="The mildest level that gives exit code 1.",
    )(command)


class QuarantineLimit(NamedTuple):
    """How many records may be quarantined: as it was written, and as a number, or a share of the records read."""

    text: str
    number: float
    is_share: bool

    def is_exceeded(self, quarantined: int, read: int) -> bool:
        """Whether so many of the records read are too many."""
        return quarantined > (self.number * read if self.is_share else self.number)


def verdict_of_run_options(command: Command) -> Command:
    """Add `--fail-level` and `--max-quarantined`, by which a run that went through has exit code 1."""
    help = "Exit code 1 if more records are quarantined: a number, or a share of those read."
    return click.option("--max-quarantined", type=parse_limit, metavar="N|N%", help=help)(
        fail_level_option(command)
    )


def parse_limit(text: str) -> QuarantineLimit:
    """Read a number of records, or a share of them in per cent."""
    match = re.fullmatch(r"([0-9]{1,18})|([0-9]{1,2}(?:\.[0-9]+)?|100)%", text)
    if not match:
        raise click.BadParameter(f"`{text[:40]}` is no number such as `20`, and no share such as `5%`")
    number, share = match.groups()
    return QuarantineLimit(text, int(number) if number else float(share) / 100, is_share=not number)


def parse_time(text: str) -> datetime:
    """Read an ISO date or timestamp; without a zone it is UTC."""
    try:
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        message = f"`{text[:40]}` is no date or time such as `2026-07-01` or `2026-07-01T13:00:00Z`"
        raise click.BadParameter(message) from None


def parse_folder(text: str) -> str:
    """A folder on S3 or here, in the one spelling of it."""
    from plait.problems.errors import SpecValueError
    from plait.values.paths import FolderPath, normal_path

    try:
        return normal_path(FolderPath.parse(text).text)
    except SpecValueError as error:
        raise click.BadParameter(f"{error}; write a local folder, or `s3://bucket/folder`") from None


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


def _split_rates(ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]) -> dict[str, float]:
    rates = {}
    for service, text in _split_parameters(ctx, param, texts).items():
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", text) or not float(text):
            raise click.BadParameter(f"`{text[:40]}` is no number of calls such as `500` or `0.5`")
        rates[service] = float(text)
    return rates


def _add_objects(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    objects = ctx.params.setdefault("objects", None)
    if value:
        uris = uris_in(value) if param.name == "objects" else value
        ctx.params["objects"] = [*(objects or ()), *uris]


def _allow(ctx: click.Context, _param: click.Parameter, names: tuple[str, ...]) -> None:
    for name in names:
        if not name.isidentifier():
            raise click.BadParameter(f"`{name[:40]}` is no name of an environment variable")
    ctx.meta[ALLOWED] = names


def _check_order(ctx: click.Context, _param: click.Parameter, until: datetime | None) -> datetime | None:
    since = ctx.params.get("since")
    if since and until and since >= until:
        raise click.BadParameter("it must be later than `--since`")
    return until
