"""`plait connectors`: which connectors are installed, and the options of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from plait.cli.failures import CannotStart
from plait.cli.options import output_option
from plait.cli.printing import print_answer
from plait.language.schema import options_schema
from plait.plugin.registry import ConnectorUnavailable, connector, offers
from plait.problems.display import aligned
from plait.problems.suggest import help_for

if TYPE_CHECKING:
    from plait.plugin import Connector
    from plait.plugin.registry import Offer

ABILITY_WORDS = {"driver": "drive", "lookup": "look up", "sink": "write"}
TYPE_WORDS = {"string": "text", "integer": "whole number", "object": "mapping", "boolean": "true/false"}


@click.command("connectors")
@click.argument("name", required=False)
@output_option("text", "json")
def command(name: str | None, output: str) -> None:
    """Show the installed connectors, or the options of one."""
    if name is not None:
        _show_connector(name, output)
        return
    documents = [_document(offer) for offer in offers()]
    text = aligned([("connector", "from", "can", "summary"), *map(_row, documents)])
    print_answer(output, {"connectors": documents}, text)


def _document(offer: Offer) -> dict[str, Any]:
    origin = {"name": offer.word, "distribution": offer.distribution, "version": offer.version}
    try:
        offered = connector(offer.word)
    except ConnectorUnavailable as error:
        return {**origin, "summary": None, "abilities": [], "problem": error.message}
    return {**origin, "summary": offered.summary, "abilities": _abilities(offered), "problem": None}


def _abilities(offered: Connector) -> list[str]:
    return [word for ability, word in ABILITY_WORDS.items() if getattr(offered, ability) is not None]


def _row(document: dict[str, Any]) -> tuple[str, str, str, str]:
    problem = document["problem"]
    summary = document["summary"] if problem is None else f"unusable: {problem}"
    distribution = f"{document['distribution']} {document['version']}"
    return (document["name"], distribution, ", ".join(document["abilities"]), summary)


def _show_connector(name: str, output: str) -> None:
    try:
        offered = connector(name)
    except ConnectorUnavailable as error:
        words = [offer.word for offer in offers()]
        help = help_for(name, words, "connector", "`plait connectors`") if name not in words else error.note
        raise CannotStart(error.message, code=error.code, help=help) from error
    schema = options_schema(offered)
    abilities = _abilities(offered)
    rows = [
        (
            key,
            _type_text(option),
            _default_text(key, option, schema["required"]),
            option.get("description", ""),
        )
        for key, option in schema["properties"].items()
    ]
    head = f"{name}: {offered.summary}\ncan {', '.join(abilities)}"
    table = f"\n\n{aligned([('option', 'type', 'default', 'description'), *rows])}" if rows else ""
    document = {"name": name, "summary": offered.summary, "abilities": abilities, "schema": schema}
    print_answer(output, document, head + table)


def _type_text(schema: dict[str, Any]) -> str:
    """The type of an option in words; the values to choose from where they are listed."""
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(map(_type_text, schema["anyOf"]))
    type_name = schema.get("type", "any")
    if isinstance(type_name, list):
        return " | ".join(_type_text({**schema, "type": name}) for name in type_name)
    if type_name == "array" and schema.get("items"):
        return f"list of {_type_text(schema['items'])}"
    return TYPE_WORDS.get(type_name, str(type_name))


def _default_text(name: str, schema: dict[str, Any], required: list[str]) -> str:
    if name in required:
        return "required"
    default = schema.get("default")
    return "" if default is None else str(default)
