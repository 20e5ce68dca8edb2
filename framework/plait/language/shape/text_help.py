"""Say what to write in place of a text that does not parse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plait.language.build.output import FORMS_HELP, FUNCTION_CALL, TIME_FUNCTIONS
from plait.language.wording import correction
from plait.problems.suggest import edited_once, help_for, nearest
from plait.values import types

if TYPE_CHECKING:
    from plait.problems.errors import SpecValueError

NOUNS = {
    "unknown-connector": ("connector", "`plait connectors`"),
    "unknown-step": ("step", None),
    "wrong-word": ("word", None),
}
CONNECTOR_HELPS = {
    "ambiguous-connector": "uninstall one of them",
    "broken-connector": "`plait connectors` tells more",
}
FUNCTIONS = (*TIME_FUNCTIONS, "bucket")
FUNCTIONS_OF_OTHERS = {"day": "date", "days": "date", "months": "month", "hours": "hour", "hash": "bucket"}


def help_for_text(error: SpecValueError, text: str) -> str | None:
    """What to write in place of a text, or of the part of it that is wrong: the nearest word that there is."""
    part = error.part or ""
    if error.code in OWN_HELPS and not error.help:
        return OWN_HELPS[error.code](text, part)
    if error.code in NOUNS and error.words:
        noun, listing = NOUNS[error.code]
        return help_for(part, error.words, noun, listing)
    if meant := nearest(part, error.words):
        return f"did you mean `{meant}`?"
    return error.help or CONNECTOR_HELPS.get(error.code)


def _function_help(text: str, _part: str) -> str:
    """Suggest the partition function that was meant, with its arguments."""
    call = FUNCTION_CALL.match(text)
    word, arguments = (call[1], call[2].split(",")) if call else ("", [""])
    meant = FUNCTIONS_OF_OTHERS.get(word.lower()) or nearest(word, FUNCTIONS)
    argument = f"16, {arguments[-1].strip()}" if meant == "bucket" else arguments[0].strip()
    return f"did you mean `{meant}({argument[:40]})`?" if meant else FORMS_HELP


def _zone_help(_text: str, part: str) -> str:
    from zoneinfo import available_timezones

    meant = next(
        (name for name in sorted(available_timezones()) if edited_once(part.strip("\"'"), name)), None
    )
    return f"did you mean `{meant}`?" if meant else "write a name of the IANA list, such as `Europe/Madrid`"


def _default_help(text: str, _part: str) -> str | None:
    """How to write a default that is true or false."""
    return correction("true or false", text)


def _type_help(_text: str, part: str) -> str:
    """Suggest the type that was meant; if brackets follow, one that takes brackets."""
    base = types.FIRST_WORD.match(part)
    rest = part[base.end() :] if base else ""
    if base and rest[:1] in ("<", "(") and (meant := nearest(base[0], types.BRACKETED)):
        return f"did you mean `{meant}{rest[:40]}`?"
    return help_for(part, types.FORMS, "type", None)


OWN_HELPS = {
    "unknown-function": _function_help,
    "unknown-type": _type_help,
    "unknown-zone": _zone_help,
    "wrong-default": _default_help,
}
