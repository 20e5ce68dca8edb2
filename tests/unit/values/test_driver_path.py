"""A driving path takes the URIs that its words say, reads plait's own folders back, and no URI makes it slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.servers.iam_server import matches
from kit.tables import table
from plait.problems.errors import SpecValueError
from plait.values.driver_path import DriverPath
from plait.values.patterns import FOLDERS, STAR, STARS, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

TABLES = table("values/paths.yaml")


@pytest.mark.parametrize(("path", "uri", "names"), TABLES["matches"])
def test_a_path_gives_the_names_in_a_uri_or_does_not_fit(path: str, uri: str, names: Any) -> None:
    assert DriverPath.parse(path).match(uri) == names


@pytest.mark.parametrize(("path", "code", "part"), TABLES["refused"])
def test_stars_that_are_no_folders_and_holes_side_by_side_are_refused(
    path: str, code: str, part: str
) -> None:
    with pytest.raises(SpecValueError) as caught:
        DriverPath.parse(path)
    assert (caught.value.code, caught.value.part) == (code, part)


def test_each_of_many_names_has_its_own_text_by_either_matcher() -> None:
    """RE2, which is used for these, tells its groups in the order of their names."""
    path, uri = (
        "s3://b/" + "-".join(form.format(number) for number in range(12)) for form in ("{{n{}}}", "v{}")
    )
    assert DriverPath.parse(path).match(uri) == {f"n{number}": f"v{number}" for number in range(12)}


def fits_by_trying(parts: Sequence[Part], uri: str) -> bool:
    """Whether a URI fits, by trying each end of each hole."""
    if not parts:
        return not uri
    part, *others = parts
    if isinstance(part, str):
        return uri.startswith(part) and fits_by_trying(others, uri[len(part) :])
    if part == FOLDERS:
        ends = [0, *(n + 1 for n, character in enumerate(uri) if character == "/")]
    elif part == STARS:
        ends = [*range(1, len(uri) + 1)]
    else:
        ends = [n for n in range(part != STAR, len(uri) + 1) if "/" not in uri[:n]]
    return any(fits_by_trying(others, uri[end:]) for end in ends)


segments = st.lists(
    st.sampled_from(["**", "*", "a", "*a", "a*", "{x}", "a{x}", "*.a", "{y}a{z}"]), min_size=1, max_size=4
)
keys = st.lists(st.sampled_from(["a", "b", "/", "//", ".a", "aa", "=", " "]), min_size=1, max_size=7)


@given(segments.map("/".join), keys.map("".join))
def test_a_path_fits_what_a_matcher_that_tries_all_ways_takes(path: str, key: str) -> None:
    """Unless a name stands twice, whose texts must be the same."""
    names = [name for name in ("{x}", "{y}", "{z}") if path.count(name) > 1]
    driver = DriverPath.parse(f"s3://b/{path}")
    fits = fits_by_trying(driver.parts, f"s3://b/{key}")
    matched = driver.match(f"s3://b/{key}") is not None
    assert matched <= fits
    assert names or matched == fits


@given(segments.map("/".join), keys.map("".join))
def test_what_is_listed_and_what_the_policy_allows_cover_every_object_that_fits(path: str, key: str) -> None:
    driver = DriverPath.parse(f"s3://b/{path}")
    arn = driver.object_arn.partition(":::b/")[2]
    if driver.match(f"s3://b/{key}") is not None:
        assert matches(arn, key)
        assert f"s3://b/{key}".startswith(driver.literal)


@pytest.mark.fault("S6")
@pytest.mark.parametrize("character", ["-", "/", "a", "é", ".", "="])
def test_no_uri_makes_a_path_slow(character: str) -> None:
    """A matcher that tries all ways would be busy for hours."""
    path = "s3://b/" + "-".join(f"{{n{number}}}" for number in range(8)) + "!"
    assert DriverPath.parse(path).match("s3://b/" + character * 1024) is None
    assert DriverPath.parse("s3://b/" + "**/" * 8 + "x").match("s3://b/" + character * 1024) is None
