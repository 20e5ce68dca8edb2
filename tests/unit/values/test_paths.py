"""Paths and URIs have one spelling each, so that what names the same object compares as the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.tables import table
from plait.values.lookup_path import LookupPath, UnsafePathValue
from plait.values.paths import normal_path, normal_uri

TABLES = table("values/paths.yaml")

texts = st.lists(st.sampled_from(["a", ".", "..", "/", "b c"]), min_size=1).map("".join)


@pytest.mark.parametrize(
    ("text", "path", "uri"),
    [
        ("./in//a.json", "in/a.json", "in/a.json"),
        ("in/x/../", "in", "in/"),
        ("./", ".", "./"),
        ("/", "/", "/"),
        ("s3://shop/./a//b/", "s3://shop/./a//b/", "s3://shop/./a//b/"),
    ],
)
def test_a_local_path_is_made_plain_and_a_key_of_s3_stays_as_it_is(text: str, path: str, uri: str) -> None:
    assert (normal_path(text), normal_uri(text)) == (path, uri)


@given(texts)
def test_a_spelling_is_its_own_spelling(text: str) -> None:
    assert normal_path(normal_path(text)) == normal_path(text)


@pytest.mark.parametrize(("path", "value", "filled"), TABLES["filled"])
def test_a_value_of_a_row_names_the_object_to_look_up(path: str, value: str | None, filled: str) -> None:
    assert LookupPath.parse(path).fill({"id": value}) == filled


@pytest.mark.fault("S6")
@pytest.mark.parametrize(("path", "value", "message"), TABLES["unsafe"])
def test_a_value_never_leads_a_path_elsewhere(path: str, value: str, message: str) -> None:
    with pytest.raises(UnsafePathValue) as caught:
        LookupPath.parse(path).fill({"id": value, "day": "1"})
    assert str(caught.value) == message


@pytest.mark.fault("S6")
@given(
    st.sampled_from(["in/{id}", "s3://shop/{id}.csv", "s3://shop/{day}/{id}", "in/{id}/{id}"]),
    st.lists(st.one_of(st.sampled_from(["a1", "é-_", "", "-"]), texts, st.none(), st.integers()), max_size=4),
)
def test_rows_together_have_the_paths_that_each_has_alone(path: str, values: list[object]) -> None:
    """One value that would lead a path elsewhere has its error, whatever the values beside it are."""
    template, rows = LookupPath.parse(path), [{"id": value, "day": "1"} for value in values]
    assert [*map(repr, template.fill_all(rows))] == [repr(_alone(template, row)) for row in rows]


def _alone(template: LookupPath, row: dict[str, object]) -> str | UnsafePathValue | None:
    try:
        return template.fill(row)
    except UnsafePathValue as error:
        return error
