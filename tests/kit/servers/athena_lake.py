"""An AWS whose Athena runs queries over the tables of `athena_tables`, and look-ups that ask it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from kit.connect import single_records
from kit.paths import TESTS
from kit.servers.buckets import contents
from plait.engine.context import Services
from plait.plugin import FolderPath, Key
from plait_connectors._athena_options import AthenaOptions
from plait_connectors.athena import AthenaLookup
from plait_sandbox.aws import LocalAws, start_aws

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def athena() -> Iterator[LocalAws]:
    """The server with its tables."""
    from kit.servers.athena_tables import create_lake

    with contextlib.ExitStack() as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        server = started.enter_context(start_aws("kit.servers.athena_server"))
        for name, value in server.environment().items():
            patch.setenv(name, value)
        create_lake()
        patch.undo()
        yield server


@pytest.fixture
def at_athena(athena: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalAws]:
    """The server, which every client of this process finds by itself; a test leaves no answer there."""
    for name, value in {**athena.environment(), "PLAIT_BACKOFF": "0.01"}.items():
        monkeypatch.setenv(name, value)
    yield athena
    s3 = boto3.client("s3", endpoint_url=athena.endpoint)
    assert not contents(s3, "tmp"), "an answer was left"


def lookup(table: str, *fields: str, services: Services | None = None, **options: Any) -> AthenaLookup:
    """A look-up of a table of the database `lake`."""
    output = FolderPath.parse("s3://tmp/athena/")
    options = {"workgroup": "etl", **options}
    context = (services or Services()).context("s", fields or None)
    return AthenaLookup(AthenaOptions(table=f"lake.{table}", output=output, **options), context)


def fetch(lookup: AthenaLookup, *values: Any, name: str = "id") -> list[dict[str, Any]]:
    """The fields of the records that a look-up has for keys of one field."""
    records = single_records(lookup.fetch([Key(fields={name: value}) for value in values]))
    return [dict(record.fields) for record in records]
