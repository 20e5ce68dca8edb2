"""The options of the connector `athena`, and what they need of AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from plait.plugin import FolderPath, Options, Statement
from plait_connectors._aws import arn

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = r'[^.\s"]+'


class AthenaOptions(Options, frozen=True, kw_only=True):
    """Options of the connector `athena`."""

    table: Annotated[
        str,
        Meta(
            pattern=rf"^{NAME}\.{NAME}$",
            description="`database.table` of the catalogue",
            examples=["lake.orders"],
        ),
    ]
    output: Annotated[
        FolderPath,
        Meta(
            description="folder on S3 for answers, such as `s3://shop-tmp/athena/`; each is deleted once it is read"
        ),
    ]
    workgroup: Annotated[str, Meta(min_length=1, description="the workgroup of the queries")] = "primary"
    location: (
        Annotated[
            FolderPath, Meta(description="folder of the table's files, which the policy allows to read")
        ]
        | None
    ) = None
    partitions: Annotated[
        dict[str, str],
        Meta(
            description="partitions of the table, each with the column of the row that it equals",
            examples=[{"day": "order_date"}],
        ),
    ] = {}  # noqa: RUF012 - msgspec copies it
    max_scanned_bytes: Annotated[
        int, Meta(ge=10_000_000, description="a query that scans more bytes is an error")
    ] = 10_000_000_000
    max_rows: Annotated[int, Meta(ge=1, description="a key with more rows is a bad record")] = 100_000

    def __post_init__(self) -> None:
        """Raise ValueError for a folder that is not on S3, unless a parameter without a value begins it."""
        for name, folder in (("output", self.output), ("location", self.location)):
            if folder and not folder.text.startswith(("s3://", "${")):
                raise ValueError(
                    f"`{name}` is no folder on S3, such as `s3://bucket/folder/`, as Athena needs it"
                )

    def permissions(self) -> Iterator[Statement]:
        """Yield the rights to run queries, to read the table and its files, and to write, read and delete answers."""
        database, _, table = self.table.partition(".")
        workgroup = arn("athena", f"workgroup/{self.workgroup}")
        actions = ("StartQueryExecution", "GetQueryExecution", "StopQueryExecution")
        yield Statement(
            actions=tuple(f"athena:{action}" for action in actions), resources=(workgroup,), why="run queries"
        )
        of_glue = ("catalog", "database/default", f"database/{database}", f"table/{database}/{table}")
        yield Statement(
            actions=(
                "glue:GetDatabase",
                "glue:GetTable",
                "glue:GetPartition",
                "glue:GetPartitions",
                "glue:BatchGetPartition",
            ),
            resources=tuple(arn("glue", resource) for resource in of_glue),
            why="know the columns and partitions of the table; Athena asks for them in the role's name, and for the database `default`",
        )
        if self.location:
            yield from _bucket_permissions(self.location, ("s3:GetObject",), "read the table's files")
        actions_on_answers = (
            "s3:PutObject",
            "s3:GetObject",
            "s3:DeleteObject",
            "s3:AbortMultipartUpload",
            "s3:ListMultipartUploadParts",
        )
        yield from _bucket_permissions(self.output, actions_on_answers, "write, read and delete answers")

    def remarks(self) -> Iterator[str]:
        """Tell what a query costs, and what the policy lacks."""
        yield f"each query may scan {self.max_scanned_bytes:,} bytes, which AWS charges by the TB; the plan counts 10 MB"
        if not self.location:
            yield "the policy allows to read no files of the table: set `location`, unless Lake Formation lends them"


def _bucket_permissions(path: FolderPath, actions: tuple[str, ...], why: str) -> Iterator[Statement]:
    """Yield the rights on a folder's objects, and to list its bucket."""
    yield Statement(actions=actions, resources=(f"{path.object_arn.rstrip('/')}/*",), why=why)
    yield Statement(
        actions=("s3:ListBucket", "s3:GetBucketLocation"),
        resources=(path.bucket_arn,),
        why=f"{why}: find them; Athena asks for the bucket's region",
    )
