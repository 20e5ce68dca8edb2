"""A session of botocore that reads the models of services fast, which is most of what its first client costs."""

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
    data_path = session.get_config_variable("data_path") or ""
    paths = [os.path.expandvars(Path(path).expanduser()) for path in data_path.split(os.pathsep) if path]
    session.register_component("data_loader", ModelLoader(paths, ModelFiles()))
    return session


class ModelLoader(Loader):
    """Opens the model of a service at its path, without listing the folders of all services first."""

    def list_available_services(self, _type_name: str) -> Any:
        """A container of every name: botocore only asks whether a name is in it, and fails later if it has no model."""
        return AlwaysContains()


class ModelFiles(JSONFileLoader):
    """Reads the files of models with a fast decoder."""

    def load_file(self, file_path: str) -> Any:
        """The JSON document at a path without extension, plain or packed by gzip, or None if there is no file."""
        plain, packed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return json.decode(plain.read_bytes())
        return json.decode(gzip.decompress(packed.read_bytes())) if packed.is_file() else None


class AlwaysContains:
    """A container that claims to hold every name, and lists none."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())
