"""Partitions of a table in Glue's catalogue, one for each folder of files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from plait.plugin import GiveUp, PlaitError, calling

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plait.plugin import Context, TableName

MOST_AT_ONCE = 100  # partitions that one BatchCreatePartition takes
IS_THERE = "AlreadyExistsException"


class PartitionRegister:
    """Registers the folders below a table's location; those that it registered are remembered.

    A partition has the columns of the table, as one has that Athena's own statements make.
    """

    def __init__(self, table: TableName, location: str, context: Context) -> None:
        self._table, self._location, self._context = table, location, context
        self._registered: set[str] = set()

    def register(self, folders: Iterable[str]) -> dict[str, PlaitError]:
        """Make a partition of each folder, such as `date=2026-07-01/`; return the error of each that has none by now."""
        new = sorted({*folders} - self._registered)
        errors: dict[str, PlaitError] = {}
        if new:
            try:
                storage = self._storage(new[0])
                for start in range(0, len(new), MOST_AT_ONCE):
                    errors |= self._create(new[start : start + MOST_AT_ONCE], storage)
            except PlaitError as error:
                return dict.fromkeys(new, error)
            self._registered.update(folder for folder in new if folder not in errors)
        return errors

    def find(self) -> tuple[list[str], dict[str, Any]]:
        """Return the partition columns of the table, and its storage; raises GiveUp, TryAgain."""
        with self._calling():
            glue = self._context.client("glue")
            answer = glue.get_table(DatabaseName=self._table.database, Name=self._table.table)
        keys = [key["Name"] for key in answer["Table"].get("PartitionKeys", ())]
        return keys, answer["Table"].get("StorageDescriptor", {})

    def _storage(self, folder: str) -> dict[str, Any]:
        """What a partition has of its table; raises GiveUp where the table is parted by others than the folder."""
        keys, storage = self.find()
        names = [name for name, _ in _parts(folder)]
        if keys != names:
            message = (
                f"the table `{self._table}` is parted by {listed(keys)}, and the files by {listed(names)}"
            )
            raise GiveUp(message, code="wrong-table", help="see what `plait table` says of it")
        return storage

    def _create(self, folders: Sequence[str], storage: dict[str, Any]) -> dict[str, PlaitError]:
        by_values = {tuple(value for _, value in _parts(folder)): folder for folder in folders}
        partitions = [
            {"Values": [*values], "StorageDescriptor": {**storage, "Location": self._location + folder}}
            for values, folder in by_values.items()
        ]
        with self._calling():
            answer = self._context.client("glue").batch_create_partition(
                DatabaseName=self._table.database,
                TableName=self._table.table,
                PartitionInputList=partitions,
            )
        refusals = {
            tuple(error["PartitionValues"]): error["ErrorDetail"] for error in answer.get("Errors", ())
        }
        return {
            by_values[values]: self._error(detail)
            for values, detail in refusals.items()
            if detail["ErrorCode"] != IS_THERE
        }

    def _error(self, detail: dict[str, str]) -> PlaitError:
        """What Glue's refusal of one partition means."""
        from botocore.exceptions import ClientError

        answer: Any = {"Error": {"Code": detail["ErrorCode"], "Message": detail.get("ErrorMessage", "")}}
        try:
            with self._calling():
                raise ClientError(answer, "BatchCreatePartition")
        except PlaitError as error:
            return error

    def _calling(self) -> Any:
        helps = {
            "not-found": "make it by `plait table --apply`",
            "wrong-request": "see what `plait table` says of it",
        }
        return calling(f"table `{self._table}`", service="glue", helps=helps)


def _parts(folder: str) -> list[tuple[str, str]]:
    """The names and values in a folder's path."""
    pairs = (part.partition("=") for part in folder.rstrip("/").split("/"))
    return [(unquote(name), unquote(value)) for name, _, value in pairs]


def listed(names: Sequence[str]) -> str:
    """Name partition columns in a message."""
    return ", ".join(f"`{name}`" for name in names) or "nothing"
