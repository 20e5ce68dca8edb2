"""All that the author of a connector imports, and how plait finds and loads a connector.

A connector is one module that an entry point of the group `plait` names by its word. The module implements one
hook, `plait_connectors`, which returns descriptors. Values travel raw, as the source's own client gives them:
plait decodes them, casts them to the declared types and joins them, so a connector needs to know no column's type.

Connectors import this module alone. The framework imports the same names from here, and finds connectors through
`plait.plugin.registry`.
"""

from plait.aws.errors import calling
from plait.plugin.body import looks_like_value, no_such_field, place_of
from plait.plugin.context import Context, Objects
from plait.plugin.data import (
    File,
    Item,
    Key,
    Missing,
    Put,
    ReadFailure,
    Record,
    RecordTable,
    Settled,
    StoredObject,
    Window,
    Written,
)
from plait.plugin.hooks import hookimpl
from plait.plugin.lake_table import ProjectedColumn, Projection, TableName
from plait.plugin.planning import Calls, Statement
from plait.plugin.roles import Connector, Driver, Lookup, Options, Sink
from plait.problems.errors import BadRecord, GiveUp, KeyFailed, ObjectChanged, PlaitError, TryAgain
from plait.problems.problem import excerpt
from plait.values.convert import Flag
from plait.values.data_faults import form_of, not_utf8
from plait.values.driver_path import DriverPath
from plait.values.lookup_path import LookupPath, UnsafePathValue
from plait.values.memory import room_for_object
from plait.values.paths import FolderPath, normal_path
from plait.values.patterns import Expression, Pattern
from plait.values.places import Place
from plait.values.secret import Secret, Secrets
from plait.values.strict_json import NotJson, TooManyValues, outline, parse_json

# roles: what a module offers
__all__ = ["Connector", "Driver", "Lookup", "Sink", "hookimpl"]
# data: what travels
__all__ += ["File", "Item", "Key", "ReadFailure", "Record", "RecordTable", "Window", "Written"]
__all__ += ["Flag", "Missing", "Put", "Settled", "StoredObject"]
__all__ += ["normal_path", "outline", "parse_json", "room_for_object"]
# errors: what to raise
__all__ += [
    "BadRecord",
    "GiveUp",
    "KeyFailed",
    "NotJson",
    "ObjectChanged",
    "PlaitError",
    "TooManyValues",
    "TryAgain",
]
__all__ += ["UnsafePathValue", "calling", "excerpt", "no_such_field"]
__all__ += ["form_of", "looks_like_value", "not_utf8", "place_of"]
# the table of a sink in Glue's catalogue
__all__ += ["ProjectedColumn", "Projection", "TableName"]
# options: what a spec may say
__all__ += ["DriverPath", "Expression", "FolderPath", "LookupPath", "Options", "Pattern", "Place"]
# context: what plait lends
__all__ += ["Context", "Objects", "Secret", "Secrets"]
# statements: what plans and policies ask
__all__ += ["Calls", "Statement"]
