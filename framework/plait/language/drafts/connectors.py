"""Find the connector that a block names, or report why it cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from plait.language.drafts.collector import ProblemCollector, add_wrong_kind
from plait.language.keys import SourceBlock
from plait.language.misplaced_keys import synonym
from plait.language.struct_fields import fields_of
from plait.plugin.registry import ConnectorUnavailable, connector, offers
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, help_for, nearest

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath
    from plait.plugin import Connector

CONNECTOR_HELP = "the word of an installed connector, as in `connector: json`"


def read_connector(block: dict[str, Any], path: KeyPath, collector: ProblemCollector) -> Connector | None:
    """Find the connector that a block names; None after reporting why there is none."""
    word = block.get("connector")
    connector_path = (*path, "connector")
    if "connector" not in block:
        _add_missing_connector(block, path, collector)
        return None
    if not isinstance(word, str):
        add_wrong_kind(word, "text", connector_path, collector, CONNECTOR_HELP)
        return None
    try:
        return usable_connector(word)
    except ConnectorUnavailable as error:
        help = "`plait connectors` tells more"
        if error.code == "unknown-connector":
            words = sorted({offer.word for offer in offers()})
            help = help_for(word, words, "connector", "`plait connectors`")
        elif error.code == "ambiguous-connector":
            help = "uninstall one of them"
        collector.add_at(connector_path, error.code, error.message, help=help, note=error.note)
        return None


def _add_missing_connector(block: dict[str, Any], path: KeyPath, collector: ProblemCollector) -> None:
    """Report that `connector` is missing, at the key that was likely meant for it if there is one."""
    words = {offer.word for offer in offers()}
    other_keys = [key for key in block if key not in fields_of(SourceBlock)]
    for key in other_keys:
        value = block[key] if isinstance(block[key], str) else ""
        if edited_once(key, "connector") or value in words or synonym(key, ["connector"]):
            word = nearest(value, words) or "json"
            help = f"did you mean `connector: {word}`?"
            collector.add_at_key((*path, key), "unknown-key", f"unknown key {excerpt(key)}", help=help)
            return
    collector.add_at_key(path, "missing-key", "`connector` is missing", help=CONNECTOR_HELP)


def usable_connector(word: str) -> Connector:
    """Load the connector of a word.

    Raises ConnectorUnavailable, also if msgspec cannot read its options, or one of them is a key of the language.
    """
    loaded = connector(word)
    try:
        msgspec.convert({}, loaded.options)
    except msgspec.ValidationError:
        pass
    except (Exception, SystemExit) as error:
        message = f"the options of the connector `{word}` cannot be read: {str(error)[:200]}"
        raise ConnectorUnavailable("broken-connector", message) from error
    clash = sorted(fields_of(SourceBlock).keys() & fields_of(loaded.options).keys())
    if clash:
        message = f"the connector `{word}` has an option `{clash[0]}`, which is a key of the language"
        raise ConnectorUnavailable("broken-connector", message)
    return loaded
