"""Load the connector that a block names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from plait.language.keys import SourceBlock
from plait.plugin.registry import ConnectorUnavailable, connector, offers
from plait.problems.errors import SpecValueError

if TYPE_CHECKING:
    from plait.plugin import Connector


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
    clash = sorted({*_words(SourceBlock)} & {*_words(loaded.options)})
    if clash:
        message = f"the connector `{word}` has an option `{clash[0]}`, which is a key of the language"
        raise ConnectorUnavailable("broken-connector", message)
    return loaded


def named_connector(word: str) -> Connector:
    """The usable connector of a word; raises SpecValueError."""
    try:
        return usable_connector(word)
    except ConnectorUnavailable as unavailable:
        words = sorted({offer.word for offer in offers()}) if unavailable.code == "unknown-connector" else []
        error = SpecValueError(unavailable.message, code=unavailable.code, part=word, words=tuple(words))
        error.note = unavailable.note
        raise error from unavailable


def _words(cls: type[msgspec.Struct]) -> list[str]:
    """The keys of a struct, as a spec writes them."""
    return list(cls.__struct_encode_fields__)
