"""The spec of a document that was checked, and what is said where a text of it does not parse after all."""

from __future__ import annotations

from typing import Any

import pytest

from plait.language.build import build_spec, packaged_spec
from plait.language.document import parameter_values, put_in
from plait.plugin import GiveUp
from plait.problems.errors import SpecValueError


def document(**more: Any) -> dict[str, Any]:
    """A document of the right shape, with other values for some of its keys."""
    orders = {"connector": "json", "path": "raw/*.json", "columns": {"id": "string", "at": "timestamp"}}
    sink = {"connector": "parquet", "path": "${lake}/orders/"}
    parameters = {"lake": {"env": "LAKE", "default": "lake"}}
    plain = {"plait": 1, "name": "orders", "sources": {"orders": orders}, "sink": sink}
    return {**plain, "parameters": parameters, **more}


def test_the_values_of_parameters_are_put_in_and_the_digest_is_that_of_the_document_as_written() -> None:
    at_home, elsewhere = (
        build_spec(document(), "orders.yaml", parameter_values(document(), {}, environment))
        for environment in ({}, {"LAKE": "s3://lake"})
    )
    assert at_home.sink.options.path.text == "lake/orders/"
    assert elsewhere.sink.options.path.text == "s3://lake/orders/"
    assert at_home.digest == elsewhere.digest
    assert elsewhere.parameters == {"lake": "s3://lake"}


def test_a_slash_at_the_end_of_a_value_and_one_behind_it_are_one_in_a_path() -> None:
    """Where there is no slash behind the parameter, and in texts that are no path, a value stays as it is."""
    document = {
        "sources": {"a": {"path": "${raw}/orders/*.json", "pattern": "${raw}/{x}"}},
        "sink": {"path": "${raw}"},
        "quarantine": {"path": "${raw}/bad/"},
    }
    assert put_in(document, {"raw": "s3://b/"}) == {
        "sources": {"a": {"path": "s3://b/orders/*.json", "pattern": "s3://b//{x}"}},
        "sink": {"path": "s3://b/"},
        "quarantine": {"path": "s3://b/bad/"},
    }
    assert put_in(document, {"raw": "s3://b//"})["quarantine"] == {"path": "s3://b//bad/"}


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"path": "s3:/raw"}, "wrong-path", ("sources", "orders", "path")),
        ({"columns": {"id": "strin"}}, "unknown-type", ("sources", "orders", "columns", "id")),
        ({"columns": {"id": {"type": "int", "default": "x"}}}, "wrong-value",
         ("sources", "orders", "columns", "id", "default")),
        ({"columns": {"id": {"type": "int", "from": "$.a"}}}, "wrong-place",
         ("sources", "orders", "columns", "id", "from")),
        ({"cache": "soon"}, "wrong-duration", ("sources", "orders", "cache")),
    ],
)  # fmt: skip
def test_a_text_that_does_not_parse_is_told_with_its_path(
    changes: dict[str, Any], code: str, path: tuple[str, ...]
) -> None:
    """Of several the first, since only the value of a parameter can be wrong in a document that was checked."""
    orders = {**document()["sources"]["orders"], **changes}
    with pytest.raises(SpecValueError) as raised:
        build_spec(document(sources={"orders": orders}), "orders.yaml", {"lake": "lake"})
    assert (raised.value.code, raised.value.path) == (code, path)


def test_a_packaged_spec_without_the_value_of_a_parameter_gives_up() -> None:
    with pytest.raises(GiveUp) as raised:
        packaged_spec(document(parameters={"lake": {"env": "LAKE"}}), "orders.yaml", {})
    assert (raised.value.code, raised.value.help) == ("missing-parameter", "set its environment variable")


def test_a_packaged_spec_reads_only_the_variables_that_the_function_allows() -> None:
    """A variable that is set and not allowed is told, also where the parameter has a default."""
    with pytest.raises(GiveUp, match="the parameter `lake` may not read `LAKE`") as raised:
        packaged_spec(document(), "orders.yaml", {"LAKE": "s3://lake", "PLAIT_ENV_ALLOW": "RAW,LAKES"})
    assert raised.value.code == "refused-variable"
    assert "s3://lake" not in str(raised.value)


@pytest.mark.parametrize("value", ["lake/*", "lake/{id}", "${other}"])
def test_a_packaged_spec_gives_up_on_a_value_that_would_change_what_it_means(value: str) -> None:
    with pytest.raises(GiveUp, match=r"parameter-value: .*parameters\.lake"):
        packaged_spec(document(), "orders.yaml", {"LAKE": value, "PLAIT_ENV_ALLOW": "LAKE"})


@pytest.mark.fault("E16")
@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"sink": {"connector": "parquet", "path": "${lake}/orders/"}}, "sink.path"),
        ({"sink": {"connector": "parquet", "path": "out/"}, "quarantine": "${lake}/bad/"}, "quarantine"),
    ],
)
def test_a_packaged_spec_gives_up_on_a_value_by_which_it_would_drive_itself(
    more: dict[str, Any], place: str
) -> None:
    orders = {"connector": "json", "path": "s3://raw/**", "columns": {"id": "string"}}
    itself = document(sources={"orders": orders}, **more)
    assert (
        packaged_spec(itself, "orders.yaml", {"LAKE": "s3://lake", "PLAIT_ENV_ALLOW": "LAKE"}).name
        == "orders"
    )
    with pytest.raises(GiveUp, match=rf"`{place}` fit the path `s3://raw/\*\*` of `orders`") as raised:
        packaged_spec(itself, "orders.yaml", {"LAKE": "s3://raw/lake", "PLAIT_ENV_ALLOW": "RAW, LAKE"})
    assert (raised.value.code, raised.value.help) == (
        "recursion",
        "give another value to the parameter `lake`",
    )


def test_of_look_ups_each_stands_after_those_whose_columns_it_needs() -> None:
    def lookup(on: Any, column: str) -> dict[str, Any]:
        return {"connector": "memory", "rows": [], "columns": {column: "string"}, "join": {"on": on}}

    sources = {
        "orders": document()["sources"]["orders"],
        "last": lookup({"middle_name": "id"}, "last_name"),
        "middle": lookup({"first_name": "id"}, "middle_name"),
        "first": lookup("id", "first_name"),
    }
    spec = build_spec(document(sources=sources), "orders.yaml", {"lake": "lake"})
    assert spec.order == ("first", "middle", "last")
