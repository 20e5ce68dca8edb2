"""The bad record of a document, or of a file with a header, that has none of the fields that a spec takes from it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from plait.problems.errors import BadRecord
from plait.problems.problem import MAX_EXCERPT, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_NAMES = 8
FIELD, COLUMN = ("field", "document", "no-such-field"), ("column", "header", "no-such-column")
PLAIN_PLACE = r'[^$.\[\]"\s]([^.\[\]"]*[^.\[\]"\s])?'
VALUE = r"\s*[-+]?\d|\s*\Z|.+@"  # a number, a time, nothing, or an address


def no_such_field(
    names: Iterable[str], wanted: Sequence[str], *, of_header: bool = False, help: str | None = None
) -> BadRecord:
    """The bad record of a document with these names, or of a file with this header, that has none of the `wanted` fields.

    A field in another case, or with spaces around it, is named. `help` is what else there is to do. Names that look like
    values, as those of a first line that is no header, are in the quarantine only.
    """
    what, where, code = COLUMN if of_header else FIELD
    plural = "s" * (len(wanted) > 1)
    message = f"none of the {what}s" if plural else f"no {what}"
    message += f" {_listed(wanted)} is in the {where}, which "
    present = [*names]
    shown = f"has {_listed(present)}" if present else "is empty"
    values = any(map(looks_like_value, present))
    help = (
        _near(present, wanted) or help or "take a field that is there by `from: …`, or write `optional: true`"
    )
    bare = f"{message}has {len(present)} names that look like values" if values else f"{message}{shown}"
    return BadRecord(f"{message}{shown}", code=code, help=help, bare=bare)


def looks_like_value(name: str) -> bool:
    """Whether the name of a field, or what stands in place of one, looks like a value."""
    return re.match(VALUE, name) is not None


def place_of(field_name: str) -> str:
    """A field as `from` names it."""
    if re.fullmatch(PLAIN_PLACE, field_name):
        return field_name
    return '"' + re.sub(r'(["\\])', r"\\\1", field_name) + '"'


def _listed(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(map(excerpt, islice(names, MOST_NAMES))) + (f" and {more} more" if more > 0 else "")


def _near(names: Iterable[str], wanted: Iterable[str]) -> str | None:
    by_look = {_look(name): name for name in wanted}
    for name in names:
        meant = by_look.get(_look(name))
        if meant is not None and len(name) <= MAX_EXCERPT:
            place = place_of(name)
            place = f"'{place}'" if place.startswith('"') else place
            return f"write `from: {place}` for {excerpt(meant)}: case and spaces count"
    return None


def _look(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()
