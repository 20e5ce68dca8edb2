"""`plait connectors`: what is installed, and what one connector takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from plait.cli.common import CannotStart, aligned, output, print_json
from plait.language.option_schema import options_schema
from plait.plugin.registry import ConnectorUnavailable, connector, offers
from plait.problems.suggest import help_for

if TYPE_CHECKING:
    from plait.plugin import Connector
    from plait.plugin.registry import Offer

ABILITIES = {"driver": "drive", "lookup": "look up", "sink": "write"}


@click.command("connectors")
@click.argument("name", required=False)
@output("text", "json")
def command(name: str | None, output: str) -> None:
    """Show the installed connectors, or the options of one."""
    if name is not None:
        _one(name, output)
        return
    described = [_described(offer) for offer in offers()]
    if output == "json":
        print_json({"connectors": described})
    elif described:
        click.echo(aligned([("connector", "from", "can", "summary"), *map(_line, described)]))


def _described(offer: Offer) -> dict[str, Any]:
    told: dict[str, Any] = {"name": offer.word, "distribution": offer.distribution, "version": offer.version}
    try:
        found = connector(offer.word)
    except ConnectorUnavailable as error:
        return {**told, "summary": None, "abilities": [], "problem": error.message}
    return {**told, "summary": found.summary, "abilities": _abilities(found), "problem": None}


def _abilities(found: Connector) -> list[str]:
    return [word for ability, word in ABILITIES.items() if getattr(found, ability) is not None]


def _line(told: dict[str, Any]) -> tuple[str, str, str, str]:
    summary = told["summary"] if told["problem"] is None else f"unusable: {told['problem']}"
    return (told["name"], f"{told['distribution']} {told['version']}", ", ".join(told["abilities"]), summary)


def _one(name: str, output: str) -> None:
    try:
        found = connector(name)
    except ConnectorUnavailable as error:
        words = [offer.word for offer in offers()]
        help = help_for(name, words, "connector", "`plait connectors`") if name not in words else error.note
        raise CannotStart(error.message, code=error.code, help=help) from error
    schema = options_schema(found)
    abilities = _abilities(found)
    if output == "json":
        print_json({"name": name, "summary": found.summary, "abilities": abilities, "schema": schema})
        return
    click.echo(f"{name}: {found.summary}\ncan {', '.join(abilities)}")
    required = schema.get("required", [])
    rows = [
        (option, _kind(one), _default(option, one, required), one.get("description", ""))
        for option, one in schema["properties"].items()
    ]
    if rows:
        click.echo("\n" + aligned([("option", "type", "default", "description"), *rows]))


def _kind(schema: dict[str, Any]) -> str:
    """The type in words; the words to choose from where there are any."""
    if "enum" in schema:
        return " | ".join(str(word) for word in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(map(_kind, schema["anyOf"]))
    if isinstance(schema.get("type"), list):
        return " | ".join(_kind({**schema, "type": word}) for word in schema["type"])
    words = {"string": "text", "integer": "whole number", "object": "mapping", "boolean": "true/false"}
    word = words.get(schema.get("type", ""), schema.get("type", "any"))
    return f"list of {_kind(schema['items'])}" if word == "array" and schema.get("items") else word


def _default(option: str, schema: dict[str, Any], required: list[str]) -> str:
    if option in required:
        return "required"
    default = schema.get("default")
    return "" if default is None else str(default)
