"""The tables of `pipelines/VALUES.md`, made of the kinds that the tests try."""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from integration.values.cells import WORDS, family
from kit.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from integration.values.cells import Kind
    from integration.values.kinds import KeyKind
    from integration.values.limits import Limit

PAGE = ROOT / "pipelines" / "VALUES.md"
TABLE = re.compile(r"^<!-- (\w+) -->\n(.*?)^<!-- end -->$", re.DOTALL | re.MULTILINE)
HEADS = {word: (family(word),) for word in WORDS if "<" not in word} | {
    "array, map, struct": ("array", "map", "struct")
}


def renewed(page: str, tables: Mapping[str, str]) -> str:
    """The page with each of its tables as it must be."""
    return TABLE.sub(lambda marker: f"<!-- {marker[1]} -->\n{tables[marker[1]]}<!-- end -->", page)


def cells_table(kinds: Sequence[Kind], *, but: str = "") -> str:
    """A row for each kind of value; only the columns of types that one of them fits, and not `but`."""
    heads = [head for head in HEADS if head != but and any(_cell(kind, head) for kind in kinds)]
    rows = [
        [kind.name or _shown(kind.source), *(_cell(kind, head) or "–" for head in heads)] for kind in kinds
    ]
    return table(["", *(f"`{head.replace(', ', '`, `')}`" for head in heads)], rows)


def texts_table(kinds: Sequence[Kind]) -> str:
    """The texts that are something else too, and the others in a line; each is itself as `string`."""
    only = [kind for kind in kinds if [*kind.fits] == ["string"]]
    others = [kind for kind in kinds if kind not in only]
    listed = ", ".join(_shown(kind.source) for kind in only)
    return f"{cells_table(others, but='string')}\nNothing but `string`: {listed}.\n"


def names_table(kinds: Sequence[Kind]) -> str:
    """The names of kinds that are never a row."""
    return "".join(f"- {kind.name}\n" for kind in kinds)


def keys_table(kinds: Sequence[KeyKind]) -> str:
    """A row for each type of key: how it is asked for, and what is equal to it."""
    rows = [
        [
            f"`{kind.type}`",
            _shown(kind.value),
            f"`{kind.path}`" if kind.path else "a bad record",
            " ".join(f"`{name}` {_shown(value)}" for name, value in (kind.attribute or {}).items()) or "a bad record",
            ", ".join(map(_shown, kind.equal)) or "–",
            ", ".join(map(_shown, kind.other)),
        ]
        for kind in kinds
    ]  # fmt: skip
    return table(
        ["key", "its value", "in a path", "in DynamoDB", "texts that match", "and that do not"], rows
    )


def limits_table(limits: Sequence[Limit]) -> str:
    """A row for each limit."""
    rows = [[limit.what, limit.most, limit.beyond, limit.raised or "–"] for limit in limits]
    return table(["", "at most", "beyond it", "raised by"], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(kind: Kind, head: str) -> str:
    if head in kind.fits:
        return _shown(kind.fits[head])
    fits = [(word, value) for word, value in kind.fits.items() if family(word) in HEADS[head]]
    if len({_shown(value) for _, value in fits}) == 1 and all(word in WORDS for word, _ in fits):
        return _shown(fits[0][1])
    return "<br>".join(f"{_shown(value)} as `{word}`" for word, value in fits)


def _shown(value: Any) -> str:
    text = _plain(value).replace("|", "\\|")
    return f"`{text}`" if "`" not in text else f"`` {text} ``"


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return (plain.rstrip("0").rstrip(".") if "." in plain else plain) or "0"
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {_plain(part)}' for name, part in value.items())}}}"
    text = str(value) if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
    return "".join(f"\\u{ord(c):04x}" if unicodedata.combining(c) else c for c in text)
