"""Read where rows go into frozen values: the sink, the quarantine and the partition columns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from plait.language.drafts.collector import ProblemCollector, add_wrong_kind, read_keys, read_struct
from plait.language.drafts.columns import check_name
from plait.language.drafts.connectors import read_connector
from plait.language.keys import QuarantineBlock
from plait.language.spec import Partition, Quarantine, Target
from plait.language.struct_fields import fields_of
from plait.plugin import FolderPath
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt
from plait.problems.suggest import edited_once, nearest

if TYPE_CHECKING:
    from plait.language.source_map import KeyPath

FUNCTION_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*\Z", re.DOTALL)
TIME_FUNCTIONS = ("date", "month", "hour")
OTHER_NAMES = {"day": "date", "days": "date", "months": "month", "hours": "hour", "hash": "bucket"}
FORMS_HELP = "write `date(c)`, `month(c)`, `hour(c)`, `bucket(16, c)`, or the column as it is"


def read_sink(block: Any, collector: ProblemCollector) -> Target | None:
    """Read the `sink` block; None after reporting its problems."""
    path: KeyPath = ("sink",)
    if not isinstance(block, dict):
        if block is not None or not collector.source_map.is_empty(path):
            add_wrong_kind(block, "a mapping", path, collector, "write its `connector` and `path` below it")
        return None
    connector = read_connector(block, path, collector)
    if connector is None:
        return None
    if connector.sink is None:
        message, help = f"`{connector.name}` cannot write", "`plait connectors` shows which can"
        collector.add_at((*path, "connector"), "not-a-sink", message, help=help)
        return None
    others = {key: value for key, value in block.items() if key != "connector"}
    options = read_struct(connector.options, others, path, collector)
    return None if options is None else Target(connector=connector, options=options)


def read_quarantine(block: Any, collector: ProblemCollector) -> Quarantine | None:
    """Read the `quarantine` key, which is a path or a block; None without it, or after reporting its problems."""
    path: KeyPath = ("quarantine",)
    if block is None:
        return None
    if isinstance(block, str):
        try:
            return Quarantine(path=FolderPath.parse(block).literal)
        except ValueError as error:
            collector.add_error(path, error)
            return None
    help = "write the folder, or `path` below it"
    values = read_keys(fields_of(QuarantineBlock), block, path, collector, help=help)
    if not values.complete:
        return None
    return Quarantine(path=values.get("path").literal, payload=values.values.get("payload", True))


def read_partitions(blocks: Any, collector: ProblemCollector) -> list[Partition]:
    """Read the `partition_by` block; partition columns that could not be read are left out."""
    texts = blocks.items() if isinstance(blocks, dict) else ()
    partitions = [_read_partition(name, text, collector) for name, text in texts if isinstance(text, str)]
    return [partition for partition in partitions if partition]


def _read_partition(name: str, text: str, collector: ProblemCollector) -> Partition | None:
    path: KeyPath = ("partition_by", name)
    if not check_name(name, path, collector):
        return None
    call = FUNCTION_CALL.match(text)
    try:
        if not call:
            return _partition_of_column(name, text.strip())
        arguments = [argument.strip() for argument in call[2].split(",")]
        return _partition_of_function(name, call[1], arguments)
    except SpecValueError as error:
        collector.add_error(path, error)
        return None


def _partition_of_column(name: str, text: str) -> Partition:
    if "(" in text or ")" in text:
        raise SpecValueError(
            f"{excerpt(text)} has a bracket without its partner", code="unknown-function", help=FORMS_HELP
        )
    if not text:
        raise SpecValueError("no column is named", code="unknown-function", help=FORMS_HELP)
    return Partition(name=name, function="column", column=text)


def _partition_of_function(name: str, word: str, arguments: list[str]) -> Partition:
    if word in TIME_FUNCTIONS and len(arguments) in (1, 2) and all(arguments):
        zone = arguments[1].strip("\"'") if len(arguments) == 2 else "UTC"
        _check_zone(zone, arguments[-1])
        return Partition(name=name, function=word, column=arguments[0], zone=zone)  # type: ignore[arg-type]
    if word == "bucket" and len(arguments) == 2:
        return _partition_of_bucket(name, *arguments)
    if word in (*TIME_FUNCTIONS, "bucket"):
        takes = "a number and a column" if word == "bucket" else "a column, or a column and a time zone"
        form = "bucket(16, c)" if word == "bucket" else f"{word}(c)` or `{word}(c, Europe/Madrid)"
        raise SpecValueError(f"`{word}` takes {takes}", code="wrong-function", help=f"write `{form}`")
    meant = OTHER_NAMES.get(word.lower()) or nearest(word, [*TIME_FUNCTIONS, "bucket"])
    argument = f"16, {arguments[-1]}" if meant == "bucket" else arguments[0]
    help = f"did you mean `{meant}({argument[:40]})`?" if meant else FORMS_HELP
    message = f"no partition function is called {excerpt(word)}"
    raise SpecValueError(message, code="unknown-function", help=help, part=word)


def _partition_of_bucket(name: str, number: str, column: str) -> Partition:
    is_number = number.isascii() and number.isdecimal() and len(number) <= 10
    if is_number and 0 < int(number) < 1 << 31 and column:
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
        meant = next((name for name in sorted(available_timezones()) if edited_once(zone, name)), None)
        help = (
            f"did you mean `{meant}`?" if meant else "write a name of the IANA list, such as `Europe/Madrid`"
        )
        message = f"no time zone is called {excerpt(zone)}"
        raise SpecValueError(message, code="unknown-zone", help=help, part=part or None) from None
