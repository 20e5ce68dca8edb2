"""Build where rows go: the sink, the quarantine, the partition columns; and how the function runs."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from plait.language.build.connectors import named_connector
from plait.language.keys import DeployBlock, QuarantineBlock
from plait.language.spec import Deploy, Partition, Quarantine, Target
from plait.plugin import FolderPath
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plait.language.build.values import Reader

FUNCTION_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*\Z", re.DOTALL)
TIME_FUNCTIONS = ("date", "month", "hour")
FORMS_HELP = "write `date(c)`, `month(c)`, `hour(c)`, `bucket(16, c)`, or the column as it is"
BATCH_WITHOUT_WINDOW = 10  # Lambda's event source mapping takes more messages only within a window


def build_sink(block: Mapping[str, Any], reader: Reader) -> Target | None:
    """The sink of a block; None if its connector or options cannot be read."""
    connector = reader.call(("sink", "connector"), named_connector, block["connector"])
    options = connector and reader.struct(connector.options, block, ("sink",))
    return None if options is None or connector is None else Target(connector=connector, options=options)


def build_quarantine(block: Any, reader: Reader) -> Quarantine | None:
    """The quarantine of a path or a block; None without one."""
    if isinstance(block, dict):
        values = reader.struct(QuarantineBlock, block, ("quarantine",))
        return values and Quarantine(path=values.path.literal, payload=values.payload)
    folder = None if block is None else reader.call(("quarantine",), FolderPath.parse, block)
    return Quarantine(path=folder.literal) if folder else None


def build_deploy(block: Any, reader: Reader) -> Deploy:
    """How the function runs; a batch of more than ten gets a window of at least a second, as Lambda requires."""
    values = reader.struct(DeployBlock, block, ("deploy",)) if block is not None else None
    if values is None:
        return Deploy()
    shortest = timedelta(seconds=1) if values.batch > BATCH_WITHOUT_WINDOW else timedelta(0)
    return Deploy(
        memory=values.memory,
        timeout=values.timeout or Deploy().timeout,
        trigger=values.trigger,
        batch=values.batch,
        window=max(values.window or shortest, shortest),
        max_concurrency=values.max_concurrency,
    )


def build_partitions(texts: Mapping[str, str], reader: Reader) -> tuple[Partition, ...]:
    """The partition columns."""
    read = (reader.call(("partition_by", name), build_partition, name, text) for name, text in texts.items())
    return tuple(partition for partition in read if partition)


def build_partition(name: str, text: str) -> Partition:
    """The partition column of a text such as `date(ordered_at)`; raises SpecValueError."""
    call = FUNCTION_CALL.match(text)
    if call:
        return _partition_of_function(name, call[1], [argument.strip() for argument in call[2].split(",")])
    column = text.strip()
    if "(" in column or ")" in column:
        message = f"{excerpt(column)} has a bracket without its partner"
        raise SpecValueError(message, code="unknown-function", help=FORMS_HELP)
    if not column:
        raise SpecValueError("no column is named", code="unknown-function", help=FORMS_HELP)
    return Partition(name=name, function="column", column=column)


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
    message = f"no partition function is called {excerpt(word)}"
    words = (*TIME_FUNCTIONS, "bucket")
    raise SpecValueError(message, code="unknown-function", part=word, words=words)


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
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        message = f"no time zone is called {excerpt(zone)}"
        raise SpecValueError(message, code="unknown-zone", part=part or None) from None
