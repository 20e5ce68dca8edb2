"""Items of a DynamoDB table, asked for by the table's key."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    GiveUp,
    Lookup,
    Options,
    Record,
    Statement,
    TryAgain,
    calling,
    hookimpl,
)
from plait_connectors._aws import arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from plait.plugin import Key

TRIES = 8
MAX_KEY_BYTES, MAX_SORT_KEY_BYTES = 2048, 1024
MAX_DIGITS = 38
TYPE_WORDS = {"S": "text", "N": "number", "B": "bytes"}


class DynamoDBOptions(Options, frozen=True):
    """Options of the connector `dynamodb`."""

    table: Annotated[str, Meta(min_length=1, description="table name, or its ARN", examples=["customers"])]
    consistent: Annotated[bool, Meta(description="read what was written last (strongly consistent)")] = True


class DynamoDBLookup(Lookup[DynamoDBOptions]):
    """Asks a table for many keys at once, with BatchGetItem."""

    keys_per_call = 100

    def permissions(self) -> list[Statement]:
        """Return the right to read the table's items by key."""
        table = self.options.table
        resource = arn("dynamodb", table if table.startswith("arn:") else f"table/{table}")
        why = "look items up by key, a hundred a call"
        return [Statement(actions=("dynamodb:BatchGetItem",), resources=(resource,), why=why)]

    def calls(self) -> list[Calls]:
        """Return one call for a hundred keys; a read unit is a strongly consistent read of 4 KB, or two that are not."""
        units = 1.0 if self.options.consistent else 0.5
        per = self.keys_per_call
        return [Calls(operation="dynamodb:BatchGetItem", quantity="keys", per=per, units=units)]

    def prepare(self) -> None:
        """Make the client."""
        self.context.client("dynamodb")

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record]:
        """Yield the items that have these keys, and a fault for each key of a type that DynamoDB has not."""
        wanted: dict[str, dict[str, Any]] = {}
        for key in keys:
            try:
                attributes = {name: _attribute(name, value) for name, value in key.fields.items()}
            except BadRecord as fault:
                yield Record(fields=key.fields, fault=fault)
                continue
            if all(_is_possible(value) for value in attributes.values()):
                wanted[repr(attributes)] = attributes
        if wanted:
            for item in self._items(list(wanted.values())):
                yield Record(fields={name: _untyped(value) for name, value in item.items()})

    def _items(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the items of these keys; if a sort key is too long, ask for each long key alone.

        Only DynamoDB knows which attribute is the sort key, whose limit is lower.
        """
        try:
            return [*self._ask(keys)]
        except GiveUp as error:
            long = [key for key in keys if any(_size(value) > MAX_SORT_KEY_BYTES for value in key.values())]
            if not long or "Size of rangekey" not in error.message:
                raise
        if len(keys) == 1:
            return []
        alone = [[key] for key in long]
        others = [key for key in keys if key not in long]
        return [item for part in (others, *alone) if part for item in self._items(part)]

    def _ask(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the items of these keys, asking again for what an answer left unprocessed."""
        asked: dict[str, Any] = {self.options.table: self._request(keys)}
        for attempt in range(TRIES):
            if attempt:
                self.context.pause(attempt)
            answer = self._call(asked, keys[0])
            for items in answer.get("Responses", {}).values():
                yield from items
            asked = answer.get("UnprocessedKeys") or {}
            if not asked:
                return
        raise TryAgain(f"table `{self.options.table}` left keys unanswered {TRIES} times", code="throttled")

    def _call(self, asked: dict[str, Any], key: dict[str, Any]) -> dict[str, Any]:
        """Make one call; its error tells the attributes and types of `key`, as an example of those asked for."""
        key_types = ", ".join(f"`{name}` as {TYPE_WORDS[type_]}" for name, (type_,) in key.items())
        help = f"join on all key attributes of the table, each in its own type: asked for was {key_types}"
        helps = {"wrong-request": help}
        with calling(f"table `{self.options.table}`", service="dynamodb", helps=helps):
            answer: dict[str, Any] = self.context.client("dynamodb").batch_get_item(RequestItems=asked)
        return answer

    def _request(self, keys: list[dict[str, Any]]) -> dict[str, Any]:
        request: dict[str, Any] = {"Keys": keys, "ConsistentRead": self.options.consistent}
        if self.context.fields is not None:
            names = dict.fromkeys((*keys[0], *self.context.fields))
            # DynamoDB reserves hundreds of words, so no name is sent as it is.
            aliases = {f"#f{n}": name for n, name in enumerate(names)}
            request["ProjectionExpression"] = ", ".join(aliases)
            request["ExpressionAttributeNames"] = aliases
        return request


def _attribute(name: str, value: object) -> dict[str, Any]:
    """A value of a key as DynamoDB types it; raises BadRecord if DynamoDB has no such type for keys."""
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = Decimal(value)
        if number.is_finite():
            is_whole = number == number.to_integral_value()
            return {"N": str(int(number)) if is_whole else format(number, "f").rstrip("0")}
    raise BadRecord(
        f"a key of DynamoDB is text, a number or bytes, and `{name}` is none of them",
        help=f"declare the column joined on `{name}` as string, bigint, decimal or binary",
    )


def _is_possible(value: Mapping[str, Any]) -> bool:
    """Whether an item can have this value in its key; DynamoDB refuses a whole batch for one that none can have."""
    if "N" in value:
        return len(value["N"].strip("-0.").replace(".", "")) <= MAX_DIGITS
    return 0 < _size(value) <= MAX_KEY_BYTES


def _size(value: Mapping[str, Any]) -> int:
    """How many bytes a text or binary has; 0 for a number, whose limit is the same in every key."""
    if "N" in value:
        return 0
    return len(value["B"] if "B" in value else value["S"].encode("utf-8", "surrogatepass"))


def _number(text: str) -> int | Decimal:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else number


def _untyped(attribute: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one for each type of attribute
    """The value of an attribute without its type; numbers are exact, sets are sorted lists."""
    ((type_, value),) = attribute.items()
    match type_:
        case "N":
            return _number(value)
        case "NS":
            return sorted(_number(number) for number in value)
        case "SS" | "BS":
            return sorted(value)
        case "L":
            return [_untyped(element) for element in value]
        case "M":
            return {name: _untyped(element) for name, element in value.items()}
        case "NULL":
            return None
        case _:
            return value


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `dynamodb`."""
    summary = "items of a DynamoDB table, by its key"
    return [Connector("dynamodb", summary, DynamoDBOptions, lookup=DynamoDBLookup)]
