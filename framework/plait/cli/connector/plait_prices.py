"""The connector `prices`: rows of a service, asked for by keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from plait.plugin import Connector, Lookup, Options, Record, hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from plait.plugin import Key


class PricesOptions(Options, frozen=True):
    """What a spec writes beside `connector: prices`."""

    rows: Annotated[list[dict[str, Any]], Meta(description="the rows, each a mapping of fields")]


class PricesLookup(Lookup[PricesOptions]):
    """Answers with the rows of some keys; instead of the options, ask your service for them."""

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record]:
        """Yield all records that have one of these keys; what has another key is left out by plait.

        plait counts the calls of a boto3 client by `self.context.client("dynamodb")` itself; before each call of another
        client, `self.context.count("prices:Get")` counts it. Raise TryAgain if it may succeed later, GiveUp if it cannot.
        """
        for row in self.options.rows:
            if any(key.fields.items() <= row.items() for key in keys):
                yield Record(fields=row)


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `prices`."""
    return [Connector("prices", "Rows of a service, asked for by keys.", PricesOptions, lookup=PricesLookup)]
