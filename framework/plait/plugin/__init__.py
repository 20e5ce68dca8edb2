"""All that the author of a connector imports.

A connector is one module that an entry point of the group `plait` names by its word. The module answers one
hook, `plait_connectors`, with descriptors. Values travel raw, as the source's own client gives them; plait
decodes them, casts them to the declared types and joins them, so a connector never sees a column's type.
"""

from plait.aws.errors import calling
from plait.plugin.contract import (
    Calls,
    Connector,
    Context,
    Driver,
    File,
    Item,
    Key,
    Lookup,
    Missing,
    Objects,
    Options,
    Put,
    ReadFailure,
    Record,
    RecordTable,
    Sink,
    Statement,
    StoredObject,
    Use,
    Window,
    Written,
    hookimpl,
)
from plait.problems.errors import BadRecord, Changed, GiveUp, PlaitError, TryAgain
from plait.values.convert import Flag
from plait.values.secret import Secret, Secrets
from plait.values.strict_json import NotJson, parse_json
from plait.values.templates import DriverPath, FolderPath, LookupPath, Pattern, UnsafePathValue

__all__ = [
    "BadRecord",
    "Calls",
    "Changed",
    "Connector",
    "Context",
    "Driver",
    "DriverPath",
    "File",
    "Flag",
    "FolderPath",
    "GiveUp",
    "Item",
    "Key",
    "Lookup",
    "LookupPath",
    "Missing",
    "NotJson",
    "Objects",
    "Options",
    "Pattern",
    "PlaitError",
    "Put",
    "ReadFailure",
    "Record",
    "RecordTable",
    "Secret",
    "Secrets",
    "Sink",
    "Statement",
    "StoredObject",
    "TryAgain",
    "UnsafePathValue",
    "Use",
    "Window",
    "Written",
    "calling",
    "hookimpl",
    "parse_json",
]
