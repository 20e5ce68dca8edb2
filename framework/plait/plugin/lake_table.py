"""How a spec names the table of its sink in Glue's catalogue, and which partitions Athena shall see without asking Glue."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Self

from msgspec import Meta, Struct, field

from plait.plugin.roles import Options
from plait.problems.errors import SpecValueError
from plait.problems.problem import excerpt

NAME = "[a-z0-9_]{1,255}"


class TableName(Struct, frozen=True):
    """A table of Glue's catalogue, written `database.table`."""

    database: str
    table: str
    noun: ClassVar[str] = "the name of a table"
    json_schema: ClassVar[dict[str, Any]] = {
        "pattern": rf"^{NAME}\.{NAME}$",
        "patternErrorMessage": "a table is written `database.table`, in small letters, digits and `_`",
        "examples": ["shop.orders"],
    }

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `database.table`, with names that both Glue and Athena take; raises SpecValueError."""
        if re.fullmatch(rf"{NAME}\.{NAME}", text):
            return cls(*text.split("."))
        names = [re.sub("[^a-z0-9]+", "_", name.lower()).strip("_")[:40] for name in text.split(".")]
        is_meant = len(names) == 2 and all(names)
        raise SpecValueError(
            f"{excerpt(text)} is no name of a table in Glue and Athena",
            code="wrong-table",
            help=f"did you mean `{'.'.join(names)}`?" if is_meant else "write `database.table`",
        )

    def __str__(self) -> str:
        """The name as a spec writes it."""
        return f"{self.database}.{self.table}"

    @property
    def arns(self) -> tuple[str, ...]:
        """The catalogue, the database and the table, on all of which Glue wants a right to a table."""
        here = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}"
        return (
            f"{here}:catalog",
            f"{here}:database/{self.database}",
            f"{here}:table/{self.database}/{self.table}",
        )


class ProjectedColumn(Options, frozen=True, kw_only=True):
    """The values of a partition column."""

    from_: Annotated[
        str | None,
        Meta(description="first date, month or hour, as in the folder's name", examples=["2026-07-01"]),
    ] = field(name="from", default=None)
    values: Annotated[list[str | int], Meta(description="all values of a text or number")] = []  # noqa: RUF012


class Projection(Options, frozen=True, kw_only=True):
    """Athena computes which partitions there are."""

    projection: Annotated[
        dict[str, ProjectedColumn],
        Meta(description="each partition column but `bucket(…)` with its `from` or its `values`"),
    ]
