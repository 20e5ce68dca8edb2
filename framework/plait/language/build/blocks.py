"""The blocks beside the sources: from mappings to frozen values, or problems for the collector."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.build.columns import check_name
from plait.language.build.sources import read_connector
from plait.language.keys import QuarantineBlock
from plait.language.spec import Partition, Quarantine, Target
from plait.language.struct_fields import fields_of
from plait.language.structure import ProblemCollector, add_wrong_kind, read_keys, read_struct
from plait.plugin import FolderPath
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, nearest

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath

FUNCTION = re.compile(r"\s*(\w+)\s*\((.*)\)\s*\Z", re.DOTALL)
TIMES = ("date", "month", "hour")
ELSEWHERE = {"day": "date", "days": "date", "months": "month", "hours": "hour", "hash": "bucket"}
FORMS = "write `date(c)`, `month(c)`, `hour(c)`, `bucket(16, c)`, or the column as it is"


def read_sink(block: Any, collector: ProblemCollector) -> Target | None:
    """The `sink` block."""
    path: KeyPath = ("sink",)
    if not isinstance(block, dict):
        if block is not None or not collector.source_map.is_empty(path):
            add_wrong_kind(block, "a mapping", path, collector, "write its `connector` and `path` below it")
        return None
    found = read_connector(block, path, collector)
    if found is None:
        return None
    if found.sink is None:
        message, help = f"`{found.name}` cannot write", "`plait connectors` shows which can"
        collector.add_at((*path, "connector"), "not-a-sink", message, help=help)
        return None
    own = {key: value for key, value in block.items() if key != "connector"}
    options = read_struct(found.options, own, path, collector)
    return None if options is None else Target(connector=found, options=options)


def read_quarantine(block: Any, collector: ProblemCollector) -> Quarantine | None:
    """The `quarantine` key: a path, or a block."""
    path: KeyPath = ("quarantine",)
    if block is None:
        return None
    if isinstance(block, str):
        try:
            return Quarantine(path=FolderPath.parse(block).literal)
        except ValueError as error:
            collector.add_error(path, error)
            return None
    given = read_keys(
        fields_of(QuarantineBlock), block, path, collector, help="write the folder, or `path` below it"
    )
    if not given.complete:
        return None
    return Quarantine(path=given.get("path").literal, payload=given.values.get("payload", True))


def read_partitions(blocks: Any, collector: ProblemCollector) -> list[Partition]:
    """The `partition_by` block."""
    texts = blocks.items() if isinstance(blocks, dict) else ()
    read_all = [_partition(name, text, collector) for name, text in texts if isinstance(text, str)]
    return [partition for partition in read_all if partition]


def _partition(name: str, text: str, collector: ProblemCollector) -> Partition | None:
    path: KeyPath = ("partition_by", name)
    if not check_name(name, path, collector):
        return None
    found = FUNCTION.match(text)
    try:
        if not found:
            return _plain(name, text.strip())
        return _function(name, found[1], [one.strip() for one in found[2].split(",")])
    except SpecValueError as error:
        collector.add_error(path, error)
        return None


def _plain(name: str, text: str) -> Partition:
    if "(" in text or ")" in text:
        raise SpecValueError(
            f"{excerpt(text)} has a bracket without its partner", code="unknown-function", help=FORMS
        )
    if not text:
        raise SpecValueError("no column is named", code="unknown-function", help=FORMS)
    return Partition(name=name, function="column", column=text)


def _function(name: str, word: str, arguments: list[str]) -> Partition:
    if word in TIMES and len(arguments) in (1, 2) and all(arguments):
        zone = arguments[1].strip("\"'") if len(arguments) == 2 else "UTC"
        _check_zone(zone, arguments[-1])
        return Partition(name=name, function=word, column=arguments[0], zone=zone)  # type: ignore[arg-type]
    if word == "bucket" and len(arguments) == 2:
        return _bucket(name, *arguments)
    if word in (*TIMES, "bucket"):
        takes = "a number and a column" if word == "bucket" else "a column, or a column and a time zone"
        form = "bucket(16, c)" if word == "bucket" else f"{word}(c)` or `{word}(c, Europe/Madrid)"
        raise SpecValueError(f"`{word}` takes {takes}", code="wrong-function", help=f"write `{form}`")
    meant = ELSEWHERE.get(word.lower()) or nearest(word, [*TIMES, "bucket"])
    argument = f"16, {arguments[-1]}" if meant == "bucket" else arguments[0]
    help = f"did you mean `{meant}({argument[:40]})`?" if meant else FORMS
    message = f"no partition function is called {excerpt(word)}"
    raise SpecValueError(message, code="unknown-function", help=help, part=word)


def _bucket(name: str, number: str, column: str) -> Partition:
    whole = number.isascii() and number.isdecimal() and len(number) <= 10
    if whole and 0 < int(number) < 1 << 31 and column:
        return Partition(name=name, function="bucket", column=column, buckets=int(number))
    if column.isdecimal() and not number.isdecimal():
        message = "`bucket` takes the number first, then the column"
        help = f"did you mean `bucket({column[:20]}, {number[:40]})`?"
        raise SpecValueError(message, code="wrong-function", help=help)
    message = f"{excerpt(number)} is no number of buckets"
    raise SpecValueError(message, code="wrong-function", help="write `bucket(16, c)`", part=number or None)


def _check_zone(zone: str, part: str) -> None:
    if zone == "UTC":
        return
    from zoneinfo import ZoneInfo, available_timezones

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        meant = next((one for one in sorted(available_timezones()) if edited_once(zone, one)), None)
        help = (
            f"did you mean `{meant}`?" if meant else "write a name of the IANA list, such as `Europe/Madrid`"
        )
        message = f"no time zone is called {excerpt(zone)}"
        raise SpecValueError(message, code="unknown-zone", help=help, part=part or None) from None
