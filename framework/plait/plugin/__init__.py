"""All that the author of a connector imports.

A connector is one module that an entry point of the group `plait` names by its word. The module answers one
hook, `plait_connectors`, with descriptors. Values travel raw, as the source's own client gives them; plait
decodes them, casts them to the declared types and joins them, so a connector never sees a column's type.
"""

from plait.aws.errors import calling
from plait.plugin.contract import (
    Block,
    Calls,
    Connector,
    Context,
    Driver,
    File,
    Found,
    Item,
    Key,
    Lookup,
    Missing,
    Objects,
    Options,
    Put,
    Record,
    Sink,
    Statement,
    Unread,
    Use,
    Window,
    Written,
    hookimpl,
)
from plait.problems.errors import BadRecord, Changed, GiveUp, PlaitError, TryAgain
from plait.values.convert import Flag
from plait.values.secret import Secret, Secrets
from plait.values.strict_json import NotJson, parse_json
from plait.values.templates import DriverPath, FolderPath, LookupPath, Pattern, Unfit

__all__ = [
    "BadRecord",
    "Block",
    "Calls",
    "Changed",
    "Connector",
    "Context",
    "Driver",
    "DriverPath",
    "File",
    "Flag",
    "FolderPath",
    "Found",
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
    "Record",
    "Secret",
    "Secrets",
    "Sink",
    "Statement",
    "TryAgain",
    "Unfit",
    "Unread",
    "Use",
    "Window",
    "Written",
    "calling",
    "hookimpl",
    "parse_json",
]
