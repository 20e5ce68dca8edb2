"""What has to change in a table of Glue's catalogue so that it has what a plan means, and what must not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from plait.problems.errors import SpecValueError
from plait.values.types import INTEGERS, Type

if TYPE_CHECKING:
    from collections.abc import Mapping

FLOATS = ("float", "double")
OTHER_FILES = "its files so far would no longer be in the table"
OTHER_VALUES = "files so far have other values"
OTHER_PARTITIONS = "its partitions so far, and what asks for them, would break"


class TableChanges(Struct):
    """The table as Glue is to have it, what changes for that, and what is refused with what it would break."""

    table: dict[str, Any]
    changes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def changes_of(there: Mapping[str, Any], meant: Mapping[str, Any]) -> TableChanges:
    """Compare a table of Glue with the one that is meant; columns and fields that are there alone stay."""
    before, after = there.get("StorageDescriptor", {}), meant["StorageDescriptor"]
    storage = {**before, "Columns": [dict(column) for column in before.get("Columns", ())]}
    table = {**there, "StorageDescriptor": storage, "Parameters": dict(there.get("Parameters", {}))}
    answer = TableChanges(table)
    if _format(there) != _format(meant):
        answer.refused.append("it is no table of plain Parquet files: write to another table")
        return answer
    if before.get("Location", "").rstrip("/") != after["Location"].rstrip("/"):
        answer.refused.append(f"it lies at `{before.get('Location')}`: {OTHER_FILES}")
    keys = [_keys(table.get("PartitionKeys", ())) for table in (there, meant)]
    if keys[0] != keys[1]:
        answer.refused.append(
            f"it is parted by {keys[0] or 'nothing'}, not {keys[1] or 'nothing'}: {OTHER_PARTITIONS}"
        )
    names = {column["Name"].lower(): column for column in storage["Columns"]}
    for column in after["Columns"]:
        if column["Name"] in names:
            _change_column(answer, names[column["Name"]], column)
        else:
            storage["Columns"].append(column)
            answer.changes.append(f"add the column `{column['Name']}` {column['Type']}")
    if meant["Description"] and meant["Description"] != there.get("Description"):
        table["Description"] = meant["Description"]
        answer.changes.append("comment the table")
    _change_projection(answer, meant["Parameters"])
    return answer


def _format(table: Mapping[str, Any]) -> tuple[str | None, ...]:
    """How files are read, and whose tables they are: those of Hudi and Delta are called Parquet too."""
    storage, parameters = table.get("StorageDescriptor", {}), table.get("Parameters", {})
    kind = parameters.get("table_type") or parameters.get("spark.sql.sources.provider") or "parquet"
    library = storage.get("SerdeInfo", {}).get("SerializationLibrary")
    return library, storage.get("InputFormat"), kind.lower()


def _keys(columns: Any) -> str:
    return ", ".join(f"`{column['Name']}` {column['Type']}" for column in columns)


def _change_column(answer: TableChanges, there: dict[str, Any], meant: Mapping[str, Any]) -> None:
    name, before, after = there["Name"], there["Type"], meant["Type"]
    kind = _wider_text(before, after)
    if kind is None:
        answer.refused.append(
            f"`{name}` is {before}, not {after}: {OTHER_VALUES}, so give the column another name"
        )
    elif kind != before:
        there["Type"] = kind
        answer.changes.append(f"widen `{name}` from {before} to {kind}")
    if meant.get("Comment", there.get("Comment")) != there.get("Comment"):
        there["Comment"] = meant["Comment"]
        answer.changes.append(f"comment `{name}`")


def _change_projection(answer: TableChanges, meant: Mapping[str, str]) -> None:
    """Let Athena compute the partitions as it is meant, or no longer; other parameters stay."""
    parameters = answer.table["Parameters"]
    before, after = (
        {name: text for name, text in texts.items() if name.startswith("projection.")}
        for texts in (parameters, meant)
    )
    if before != after:
        for name in before:
            del parameters[name]
        parameters.update(after)
        texts = [f"{name}={text}" for name, text in after.items() if before.get(name) != text]
        answer.changes.append(
            f"project the partitions: {', '.join(texts)}" if after else "project no partitions"
        )


def _wider_text(there: str, meant: str) -> str | None:
    """The type that has the values of both, None if none has; a type that is not of the language stays as it is."""
    if there == meant:
        return there
    try:
        kind = wider(Type.parse(there), Type.parse(meant))
    except SpecValueError:
        return None
    return None if kind is None else str(kind)


def wider(there: Type, meant: Type) -> Type | None:
    """The type by which readers of Parquet read files of both types; None if there is none.

    >>> str(wider(Type.parse("struct<a:int>"), Type.parse("struct<b:date,a:bigint>")))
    'struct<a:bigint,b:date>'
    """
    for words in (tuple(INTEGERS), FLOATS):
        if there.word in words and meant.word in words:
            return max(there, meant, key=lambda kind: words.index(kind.word))
    if there.word != meant.word or there.scale != meant.scale:
        return None
    if there.word != "struct" and len(there.fields) != len(meant.fields):
        return None
    fields = dict(there.fields)
    for name, kind in meant.fields:
        both = wider(fields[name], kind) if name in fields else kind
        if both is None:
            return None
        fields[name] = both
    return Type(there.word, max(there.precision, meant.precision), there.scale, tuple(fields.items()))
