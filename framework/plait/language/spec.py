"""The frozen values of a spec: what one YAML file says, with every reference resolved."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from msgspec import Struct, field
from msgspec.structs import astuple, replace

from plait.language.forms import OBJECT_FACTS, spell_duration
from plait.language.keys import Deploy
from plait.values.driver_path import DriverPath
from plait.values.paths import FolderPath

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plait.language.forms import Partition
    from plait.plugin import Connector, Context, Driver, Lookup, Sink
    from plait.plugin.roles import SourceRole
    from plait.values.decode import Decoding
    from plait.values.places import Place
    from plait.values.types import Type

T = TypeVar("T")
JoinShape = Literal["columns", "list", "rows"]
MissingRule = Literal["keep", "drop", "fail", "retry"]
DuplicatesRule = Literal["fail", "first", "latest"]
LONGEST_WAIT = timedelta(days=13)  # SQS keeps messages for at most 14 days


def options_of_type(options: Any, kind: type[T]) -> list[T]:
    """The values among a connector's options that have a type, such as its paths."""
    values = (getattr(options, name) for name in options.__struct_fields__)
    return [value for value in values if isinstance(value, kind)]


class Column(Struct, frozen=True, kw_only=True):
    """An output column.

    `origin` is the place of its value as the spec writes it, `selector` the same as field names and positions.
    """

    name: str
    type: Type
    origin: str
    selector: tuple[str | int, ...]
    required: bool = False
    default: Any = None
    description: str = ""


class Join(Struct, frozen=True, kw_only=True):
    """How a lookup's records join the row; `on` pairs columns of the row with fields of the source."""

    on: tuple[tuple[str, str], ...]
    shape: JoinShape = "columns"
    missing: MissingRule = "keep"
    retry_for: timedelta | None = None
    duplicates: DuplicatesRule = "fail"

    @property
    def pairs_text(self) -> str:
        """The columns and fields that must be equal; a name that both have is written once."""
        return ", ".join(left if left == right else f"{left} = {right}" for left, right in self.on)

    @property
    def missing_text(self) -> str:
        """The rule for a row without a match, as a spec writes it."""
        return f"{{retry_for: {spell_duration(self.retry_for)}}}" if self.retry_for else self.missing

    def __str__(self) -> str:
        """The join in a line, without the rules that have their default."""
        shape = "" if self.shape == "columns" else f", as {self.shape}"
        missing = "" if self.missing == "keep" else f", missing: {self.missing_text}"
        duplicates = "" if self.duplicates == "fail" else f", duplicates: {self.duplicates}"
        return f"on {self.pairs_text}{shape}{missing}{duplicates}"


class TimeWindow(Struct, frozen=True, kw_only=True):
    """How near the time of a record must be to the row's own time, in `column`, for the two to join."""

    column: str
    before: timedelta
    after: timedelta

    def __str__(self) -> str:
        """The window in a line."""
        return f"{spell_duration(self.before)} before {self.column} to {spell_duration(self.after)} after"


class Source(Struct, frozen=True, kw_only=True):
    """One block of `sources`; `columns` are None only where they have yet to be guessed.

    `only` are places with the values that one of the records that are taken may have there, each as `comparable` makes it.
    """

    name: str
    connector: Connector
    options: Any
    columns: tuple[Column, ...] | None
    decode: tuple[Decoding, ...] = ()
    only: tuple[tuple[Place, tuple[Any, ...]], ...] = ()
    join: Join | None = None
    window: TimeWindow | None = None
    cache: timedelta | None = None
    optional: bool = False

    def open_driver(self, context: Context | None = None) -> Driver[Any]:
        """Make the driver of this source; without a context, it only tells about the options."""
        return self.connector.open(self.connector.driver, self.options, context)

    def open_lookup(self, context: Context | None = None) -> Lookup[Any]:
        """Make the look-up of this source; without a context, it only tells about the options."""
        return self.connector.open(self.connector.lookup, self.options, context)

    def open(self, context: Context | None = None) -> SourceRole[Any]:
        """Make the role that this source plays."""
        return self.open_lookup(context) if self.join else self.open_driver(context)

    @property
    def role(self) -> SourceRole[Any]:
        """The role that this source plays, without a context."""
        return self.open()

    @property
    def row_columns(self) -> tuple[str, ...]:
        """The columns of the row that the options of a lookup name."""
        return tuple(self.open_lookup().row_columns()) if self.join else ()

    @property
    def output_columns(self) -> tuple[str, ...]:
        """The output columns that this source fills, as far as the spec declares them."""
        if self.join and self.join.shape == "list":
            return (self.name,)
        return tuple(column.name for column in self.columns or ())

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """The columns of the row that this lookup needs to find its records; none for the driver."""
        names = [left for left, _ in self.join.on] if self.join else []
        names += self.row_columns
        names += [self.window.column] if self.window else []
        return tuple(dict.fromkeys(names))

    @property
    def fields(self) -> tuple[str, ...] | None:
        """The top-level fields of a record that the spec uses; None means all."""
        if self.columns is None:
            return None
        selectors = [column.selector for column in self.columns if column.origin not in OBJECT_FACTS]
        selectors += [place.steps for place, _ in self.only]
        keys = [right for _, right in self.join.on] if self.join else []
        return tuple(dict.fromkeys([*(str(selector[0]) for selector in selectors), *keys]))

    @property
    def body_fields(self) -> tuple[str, ...]:
        """The fields that columns, and so `decode`, take from a document or below a header: not from its path or the key.

        One of them has to be there, unless the source is `optional`.
        """
        if self.optional:
            return ()
        paths = options_of_type(self.options, DriverPath)
        given = {*self.row_columns, *(name for path in paths for name in path.columns)}
        given |= {right for _, right in self.join.on} if self.join else set()
        return tuple(name for name in replace(self, only=()).fields or () if name not in given)

    @property
    def buckets(self) -> tuple[str, ...]:
        """The S3 buckets that the paths of a driver name."""
        paths = options_of_type(self.options, DriverPath)
        return tuple(dict.fromkeys(path.bucket for path in paths if path.bucket))


class Target(Struct, frozen=True):
    """The sink's connector, its options, and whether storage is to keep the files of newer versions."""

    connector: Connector
    options: Any
    conditional: bool = True
    name: str = "sink"

    def open(self, context: Context | None = None) -> Sink[Any]:
        """Make the sink; without a context, it only tells about the options."""
        return self.connector.open(self.connector.sink, self.options, context)

    @property
    def folders(self) -> dict[str, str]:
        """The folders among the options, by the keys that a spec writes."""
        options = zip(self.options.__struct_encode_fields__, astuple(self.options), strict=True)
        return {key: value.literal for key, value in options if isinstance(value, FolderPath)}

    @property
    def role(self) -> Sink[Any]:
        """The sink without a context."""
        return self.open()


class Quarantine(Struct, frozen=True, kw_only=True):
    """The folder of records that cannot become a row; `payload` says whether the raw record is kept with them."""

    path: str
    payload: bool = True


class Spec(Struct, frozen=True, kw_only=True):
    """One pipeline.

    `digest` is the SHA-256 of the spec's values before parameters are put in, as hexadecimal text. `parameters` are the
    values by name, `unset` the names without a value, `variables` the environment variable of each parameter that
    has one. `order` are the names of the lookups in an order in which each has the columns that it needs.
    """

    name: str
    description: str
    file: str
    digest: str
    parameters: Mapping[str, str]
    unset: tuple[str, ...]
    driver: Source
    lookups: tuple[Source, ...]
    order: tuple[str, ...]
    partition_by: tuple[Partition, ...]
    sink: Target
    quarantine: Quarantine | None
    variables: Mapping[str, str] = field(default_factory=dict)
    deploy: Deploy = Deploy()

    @property
    def blocks(self) -> tuple[Source | Target, ...]:
        """The blocks with a connector: the sources, then the sink."""
        return (self.driver, *self.lookups, self.sink)

    def source(self, name: str) -> Source:
        """The source with this name; raises StopIteration if there is none."""
        return next(source for source in (self.driver, *self.lookups) if source.name == name)

    def recursions(self) -> Iterator[tuple[str, DriverPath]]:
        """Each option of the sink, or `quarantine`, whose files would fit a path of the driver, with that path."""
        names, suffix = [partition.name for partition in self.partition_by], self.sink.role.suffix
        for path in options_of_type(self.driver.options, DriverPath):
            for key, folder in self.sink.folders.items():
                if path.fits_files_below(folder, names, suffix):
                    yield key, path
            if self.quarantine and path.fits_files_below(self.quarantine.path, (), ".json"):
                yield "quarantine", path
