"""What a connector of another distribution answers is checked before anything is made of it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from plait.plugin import (
    BadRecord,
    Calls,
    Connector,
    Driver,
    GiveUp,
    Item,
    Key,
    Lookup,
    Options,
    ReadFailure,
    Record,
    RecordTable,
    Sink,
    Statement,
    Written,
)

ARN = "arn:aws:s3:::shop/*"
TEXT: Any = "bad"
NUMBERS: Any = [1, 2]
PER = "`per` of a Calls is a whole number from 1 on"
LESS = "its `keys_per_call` is less than 1"


def role_with(**attributes: Any) -> Any:
    """A role of a connector of another distribution, with these attributes and answers of methods."""
    methods = {name: lambda *_, answer=answer: answer for name, answer in attributes.items()}
    plain = {name: attributes[name] for name in ("keys_per_call",) if name in attributes}
    abstract = dict.fromkeys(("accepts", "list", "read", "fetch", "write"))
    part = type("Part", (Driver, Lookup, Sink), {**abstract, **methods, **plain})
    return Connector("odd", "Odd.", Options, lookup=part, distribution="`plait-odd` 1").open(part, Options())


def statement(**parts: Any) -> list[Statement]:
    return [Statement(**{"actions": ("s3:GetObject",), "resources": (ARN,), "why": "read", **parts})]


def calls(**parts: Any) -> list[Calls]:
    return [Calls(**{"operation": "odd:Get", "quantity": "keys", **parts})]


@pytest.mark.parametrize(
    ("method", "answer", "message"),
    [
        ("permissions", statement(resources="arn:*"), "`resources` of a Statement is a tuple of texts"),
        ("permissions", statement(resources=None), "`resources` of a Statement is a tuple of texts"),
        ("permissions", statement(actions="x"), "`actions` of a Statement is a tuple of texts"),
        ("permissions", statement(actions=(1,)), "`actions` of a Statement is a tuple of texts"),
        ("permissions", statement(why=None), "`why` of a Statement is a text"),
        ("permissions", None, "NoneType in `permissions`, not list"),
        ("permissions", [ARN], "str in `permissions`, not Statement"),
        ("calls", None, "NoneType in `calls`, not list"),
        ("calls", calls(quantity="cups"), "`quantity` of a Calls is one of objects, listings, keys, "),
        ("calls", calls(per=0), PER),
        ("calls", calls(per="2"), PER),
        ("calls", calls(units="many"), "`units` of a Calls is a number or None"),
        ("known_fields", [None], "NoneType in `known_fields`, not str"),
        ("known_fields", "id", "str in `known_fields`, not list"),
        ("row_columns", None, "NoneType in `row_columns`, not list"),
        ("facts", None, "NoneType in `facts`, not list"),
        ("remarks", "careful", "str in `remarks`, not list"),
    ],
)
def test_what_a_connector_tells_plans_and_policies_is_what_the_contract_says(
    method: str, answer: Any, message: str
) -> None:
    """A text in place of a tuple of texts is never taken letter by letter."""
    with pytest.raises(GiveUp) as raised:
        getattr(role_with(**{method: answer}), method)()
    assert raised.value.code == "broken-connector"
    assert message in raised.value.message


@pytest.mark.parametrize(("number", "message"), [(0, LESS), (-1, LESS), ("2", "str in `keys_per_call`, not")])
def test_the_number_of_keys_of_a_call_is_a_number_from_1_on(number: Any, message: str) -> None:
    with pytest.raises(GiveUp, match=message):
        _ = role_with(keys_per_call=number).keys_per_call


@pytest.mark.parametrize(
    ("method", "answer", "message"),
    [
        ("read", [Record(fields=NUMBERS)], "list in `fields` of `Record`, not Mapping"),
        ("fetch", [Record(fields={}, fault=TEXT)], "str in `fault` of `Record`, not BadRecord or None"),
        ("fetch", [Record(fields={}, time=TEXT)], "str in `time` of `Record`, not datetime or None"),
        ("read", [Record(fields={}, item=TEXT)], "str in `item` of `Record`, not Item or None"),
        ("read", [ReadFailure(Item(uri="one"), TEXT)], "str in `error` of `ReadFailure`, not Missing or "),
        ("list", [Item(uri=NUMBERS)], "list in `uri` of `Item`, not str"),
        ("write", [Written(uri="one", rows=TEXT, bytes=1)], "str in `rows` of `Written`, not int"),
    ],
)
def test_an_answer_of_the_wrong_shape_is_the_mistake_of_its_connector(
    method: str, answer: Any, message: str
) -> None:
    """So its objects fail, and the run goes on."""
    with pytest.raises(GiveUp) as raised:
        list(getattr(role_with(**{method: answer}), method)([Key(fields={})]))
    assert raised.value.code == "broken-connector"
    assert message in raised.value.message


@pytest.mark.parametrize(
    "answer", [Record(fields={"ID": 1}), Record(fields={}), RecordTable(table=pa.table({"nr": [1]}))]
)
def test_a_record_that_lacks_the_field_by_which_it_was_asked_is_no_answer(answer: Any) -> None:
    """Else no row would find it, and nobody would know why."""
    with pytest.raises(GiveUp, match="a record has no field `id`, by which it was asked"):
        list(role_with(fetch=[answer]).fetch([Key(fields={"id": 1})]))


def test_a_key_may_be_a_place_within_a_field() -> None:
    records = [Record(fields={"detail": {"id": 1}})]
    assert list(role_with(fetch=records).fetch([Key(fields={"detail.id": 1})])) == records


def test_what_the_contract_says_is_taken_as_it_is() -> None:
    """Any iterable will do for what is several."""
    role = role_with(
        permissions=iter(statement()), calls=calls(units=0.5), known_fields=None, keys_per_call=5
    )
    assert [*role.permissions()] == statement()
    assert [*role.calls()] == calls(units=0.5)
    assert (role.known_fields(), role.keys_per_call) == (None, 5)
    records = [Record(fields={"id": 1}), Record(fields={}, fault=BadRecord("no"))]
    assert [*role_with(read=records).read([])] == records
    assert [*role_with(known_fields={"id": 1}.keys()).known_fields()] == ["id"]
