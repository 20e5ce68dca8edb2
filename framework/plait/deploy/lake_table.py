"""Bring the table of a plan in Glue's catalogue to what the plan means, beside others who do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec import Struct

from plait.engine.partition import is_projected
from plait.plan.lake_table import table_input
from plait.plan.table_changes import TableChanges, changes_of
from plait.plugin import GiveUp, Item, Settled, TryAgain, Written, calling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from plait.engine.context import Services
    from plait.plan.plan import Plan
    from plait.plugin import TableName

TRIES = 8
MOST_AT_ONCE = 100  # partitions that one BatchUpdatePartition takes
NO_TABLE = "the sink of `{name}` has no table in Glue's catalogue"


class Comparison(Struct):
    """What is there of a table of this name against what is meant: `version` is None where there is none.

    `folders` has a file of each folder that is no partition of the table yet, `outdated` are partitions that have other
    columns than the table shall have: by those Athena would read files of both types.
    """

    name: TableName
    found: TableChanges
    version: str | None
    has_database: bool
    folders: dict[str, Item]
    outdated: list[dict[str, Any]]

    @property
    def changes(self) -> list[str]:
        """All that `apply` does, a line each."""
        number, changes = len(self.folders), [*self.found.changes]
        if self.outdated:
            changes.append(f"give the columns of the table to {len(self.outdated)} of its partitions")
        if number:
            changes.append(f"register {number} partition{'s' * (number > 1)}, such as `{min(self.folders)}`")
        return changes


def compare(plan: Plan, services: Services) -> Comparison:
    """Compare the table, and the folders of its files, with a plan; raises GiveUp where the plan has no table."""
    meant = table_input(plan)
    if meant is None or plan.table is None:
        help = "name one by `table: database.table`, where `path` is on S3"
        raise GiveUp(NO_TABLE.format(name=plan.spec.name), code="no-table", help=help)
    client, database, name = services.client("glue"), plan.table.database, plan.table.table
    with calling(f"table `{plan.table}`", service="glue"):
        there = _found(client, lambda: client.get_table(DatabaseName=database, Name=name)["Table"])
        has_database = bool(there or _found(client, lambda: client.get_database(Name=database)))
        partitions = [*_partitions(client, database, name)] if there else []
    registered = {tuple(part["Values"]): part["StorageDescriptor"] for part in partitions}
    found = changes_of(there, meant) if there else TableChanges(meant, [f"make the table `{plan.table}`"])
    if not has_database:
        found.changes.insert(0, f"make the database `{database}`")
    folders = _folders(plan, services)
    if plan.projection is not None:
        if hidden := [folder for folder in folders if not _is_projected(plan, folder, services.now())]:
            found.refused.append(
                f"Athena would not see {len(hidden)} of its folders, such as `{min(hidden)}`"
            )
        folders = {}
    new = {folder: item for folder, item in folders.items() if _values(folder) not in registered}
    base = meant["StorageDescriptor"]["Location"]
    for folder in folders:
        place = registered.get(_values(folder), {}).get("Location", base + folder)
        if place.rstrip("/") != (base + folder).rstrip("/"):
            found.refused.append(f"its partition of `{folder}` lies at `{place}`: remove it from the table")
    wanted = _types(found.table["StorageDescriptor"])
    outdated = [part for part in partitions if _types(part["StorageDescriptor"]) != wanted]
    return Comparison(plan.table, found, there and there["VersionId"], has_database, new, outdated)


def apply(plan: Plan, services: Services) -> Comparison:
    """Make the changes, as they are by now; raises GiveUp if one is refused, TryAgain if others never let us."""
    client = services.client("glue")
    for attempt in range(1, TRIES + 1):
        comparison = compare(plan, services)
        if refused := comparison.found.refused:
            help = "see `plait table` for all of it" if len(refused) > 1 else None
            raise GiveUp(
                f"the table `{plan.table}` stays as it is: {refused[0]}", code="breaking-change", help=help
            )
        busy = (client.exceptions.AlreadyExistsException, client.exceptions.ConcurrentModificationException)
        with calling(f"table `{plan.table}`", service="glue"):
            try:
                _make(comparison, client)
                _update(comparison, client)
            except busy:
                services.pause(attempt)
                continue
        _register(plan, comparison.folders, services)
        return comparison
    raise TryAgain(f"the table `{plan.table}` is changed by others all the time")


def _found(client: Any, ask: Callable[[], Any]) -> Any:
    """What Glue answers, None if there is no such thing."""
    try:
        return ask()
    except client.exceptions.EntityNotFoundException:
        return None


def _partitions(client: Any, database: str, table: str) -> Any:
    pages = client.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table)
    return (partition for page in pages for partition in page["Partitions"])


def _folders(plan: Plan, services: Services) -> dict[str, Item]:
    """A file of each folder that rows of the plan may lie in, by the folder's path below the sink."""
    base = f"{(plan.sink_path or '').rstrip('/')}/"
    names, suffix = [partition.name for partition in plan.partitions], plan.spec.sink.role.suffix
    folders: dict[str, Item] = {}
    for item in services.objects.list(base) if names else ():
        folder, slash, file = item.uri.removeprefix(base).rpartition("/")
        if file.endswith(suffix) and [part.partition("=")[0] for part in folder.split("/")] == names:
            folders.setdefault(folder + slash, item)
    return folders


def _is_projected(plan: Plan, folder: str, now: datetime) -> bool:
    parts = zip(plan.partitions, _values(folder), strict=True)
    columns = plan.projection or {}
    return all(is_projected(text, columns.get(part.name), now) for part, text in parts)


def _values(folder: str) -> tuple[str, ...]:
    return tuple(unquote(part.partition("=")[2]) for part in folder.rstrip("/").split("/"))


def _make(comparison: Comparison, client: Any) -> None:
    """Make or change database and table, as they were compared."""
    database, table = comparison.name.database, comparison.found.table
    if not comparison.has_database:
        client.create_database(DatabaseInput={"Name": database})
    if comparison.version is None:
        client.create_table(DatabaseName=database, TableInput=table)
    elif comparison.found.changes:
        members = client.meta.service_model.shape_for("TableInput").members
        changed = {name: value for name, value in table.items() if name in members}
        client.update_table(DatabaseName=database, TableInput=changed, VersionId=comparison.version)


def _types(storage: Mapping[str, Any]) -> dict[str, str]:
    return {column["Name"]: column["Type"] for column in storage.get("Columns", ())}


def _update(comparison: Comparison, client: Any) -> None:
    """Give the columns of the table to its partitions."""
    columns = comparison.found.table["StorageDescriptor"]["Columns"]
    for start in range(0, len(comparison.outdated), MOST_AT_ONCE):
        entries = [
            {
                "PartitionValueList": partition["Values"],
                "PartitionInput": {
                    "Values": partition["Values"],
                    "Parameters": partition.get("Parameters", {}),
                    "StorageDescriptor": {**partition["StorageDescriptor"], "Columns": columns},
                },
            }
            for partition in comparison.outdated[start : start + MOST_AT_ONCE]
        ]
        answer = client.batch_update_partition(
            DatabaseName=comparison.name.database, TableName=comparison.name.table, Entries=entries
        )
        if errors := answer.get("Errors"):
            code = errors[0]["ErrorDetail"]["ErrorCode"]
            raise TryAgain(f"{len(errors)} partitions of `{comparison.name}` keep their columns: {code}")


def _register(plan: Plan, folders: Mapping[str, Item], services: Services) -> None:
    """Let the sink register folders, as it does after a batch that wrote into them."""
    sink = plan.spec.sink.open(services.context("sink", None))
    written = {
        folder: Written(uri=item.uri, rows=0, bytes=item.size or 0) for folder, item in folders.items()
    }
    settled = [Settled(item=folders[folder], files=(file,)) for folder, file in written.items()]
    for error in sink.commit(settled):
        if error is not None:
            raise error
