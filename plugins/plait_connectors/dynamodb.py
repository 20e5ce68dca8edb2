"""Items of a DynamoDB table, asked by the table's key."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    GiveUp,
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

    from plait.plugin import Context, Key, Use

KEYS_PER_CALL = 100
TRIES = 8
LONGEST, LONGEST_SORT = 2048, 1024
WORDS = {"S": "text", "N": "number", "B": "bytes"}


class DynamoDBOptions(Options, frozen=True):
    """Options of the connector `dynamodb`."""

    table: Annotated[str, Meta(min_length=1, description="table name, or its ARN", examples=["customers"])]
    consistent: Annotated[bool, Meta(description="read what was written last (strongly consistent)")] = True


class DynamoDBLookup:
    """Asks a table with BatchGetItem."""

    def __init__(self, options: DynamoDBOptions, context: Context) -> None:
        self.options = options
        self.context = context

    def prepare(self) -> None:
        """Make the client."""
        self.context.client("dynamodb")

    def fetch(self, keys: Sequence[Key]) -> Iterator[Record]:
        """The items that have these keys."""
        wanted: dict[str, dict[str, Any]] = {}
        for key in keys:
            try:
                attributes = {name: _sent(name, value) for name, value in key.fields.items()}
            except BadRecord as fault:
                yield Record(fields=key.fields, fault=fault)
                continue
            if all(_possible(value) for value in attributes.values()):
                wanted[repr(attributes)] = attributes
        if wanted:
            for item in self._found(list(wanted.values())):
                yield Record(fields={name: _value(value) for name, value in item.items()})

    def _found(self, keys: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The items of these keys; only DynamoDB knows which attribute sorts and so must be shorter."""
        try:
            return [*self._items(keys)]
        except GiveUp as error:
            long = [key for key in keys if any(_size(value) > LONGEST_SORT for value in key.values())]
            if not long or "Size of rangekey" not in error.message:
                raise
        if len(keys) == 1:
            return []
        alone = [[key] for key in long]
        others = [key for key in keys if key not in long]
        return [item for part in (others, *alone) if part for item in self._found(part)]

    def _items(self, keys: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
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
        kinds = ", ".join(f"`{name}` as {WORDS[kind]}" for name, (kind,) in key.items())
        help = f"join on all key attributes of the table, each in its own type: asked for was {kinds}"
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


def _sent(name: str, value: object) -> dict[str, Any]:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes):
        return {"B": value}
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        number = Decimal(value)
        if number.is_finite():
            whole = number == number.to_integral_value()
            return {"N": str(int(number)) if whole else format(number, "f").rstrip("0")}
    raise BadRecord(
        f"a key of DynamoDB is text, a number or bytes, and `{name}` is none of them",
        help=f"declare the column joined on `{name}` as string, bigint, decimal or binary",
    )


def _possible(value: Mapping[str, Any]) -> bool:
    """Whether an item can have this key: DynamoDB refuses a whole batch for one that is empty or too long."""
    if "N" in value:
        return len(value["N"].strip("-0.").replace(".", "")) <= 38
    return 0 < _size(value) <= LONGEST


def _size(value: Mapping[str, Any]) -> int:
    """The bytes of a text or of bytes; none of a number, whose digits are limited for every key alike."""
    if "N" in value:
        return 0
    return len(value["B"] if "B" in value else value["S"].encode("utf-8", "surrogatepass"))


def _number(text: str) -> int | Decimal:
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else number


def _value(typed: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one for each kind of attribute
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return _number(value)
        case "NS":
            return sorted(_number(each) for each in value)
        case "SS" | "BS":
            return sorted(value)
        case "L":
            return [_value(each) for each in value]
        case "M":
            return {name: _value(each) for name, each in value.items()}
        case "NULL":
            return None
        case _:
            return value


def _permissions(options: DynamoDBOptions, _use: Use) -> list[Statement]:
    table = arn("dynamodb", options.table if options.table.startswith("arn:") else f"table/{options.table}")
    why = "look items up by key, a hundred a call"
    return [Statement(actions=("dynamodb:BatchGetItem",), resources=(table,), why=why)]


def _calls(options: DynamoDBOptions, _use: Use) -> list[Calls]:
    # A read unit is a strongly consistent read of 4 KB, or two that are not.
    units = 1.0 if options.consistent else 0.5
    return [Calls(operation="dynamodb:BatchGetItem", quantity="keys", per=KEYS_PER_CALL, units=units)]


@hookimpl
def plait_connectors() -> list[Connector]:
    """Offer `dynamodb`."""
    return [
        Connector(
            name="dynamodb",
            summary="items of a DynamoDB table, by its key",
            options=DynamoDBOptions,
            lookup=DynamoDBLookup,
            keys_per_call=KEYS_PER_CALL,
            permissions=_permissions,
            calls=_calls,
        )
    ]
