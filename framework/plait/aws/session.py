"""A session of botocore that finds and reads the models of services fast, most of what its first client costs."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader, Loader
from botocore.session import Session
from msgspec import json


def open_session() -> Session:
    """A session whose clients are those of boto3, without what boto3 adds: resources, and transfers for S3."""
    session = Session()
    told = session.get_config_variable("data_path") or ""
    paths = [os.path.expandvars(Path(path).expanduser()) for path in told.split(os.pathsep) if path]
    session.register_component("data_loader", Models(paths, Files()))
    return session


class Models(Loader):
    """Looks for a service where its model would lie, and not through the folders of all services first."""

    def list_available_services(self, _type_name: str) -> Any:
        """What botocore asks only to see whether a name is in it; a name that is not is missed when it is read."""
        return AlwaysContains()


class Files(JSONFileLoader):
    """The files of models, read by a fast decoder."""

    def load_file(self, file_path: str) -> Any:
        """What the file of a path without extension holds; None where there is none."""
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return json.decode(plain.read_bytes())
        return json.decode(gzip.decompress(packed.read_bytes())) if packed.is_file() else None


class AlwaysContains:
    """Holds whatever one asks for."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())
