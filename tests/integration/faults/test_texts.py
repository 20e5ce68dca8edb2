"""No text of a spec is code or a template: it stands for itself or is a problem with a place, after few steps."""

from __future__ import annotations

import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kit.mutants.mutation import at, places, replaced
from kit.tables import table
from plait.language.validate import validate
from plait.plan.plan import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plait.language.validate import Validated

pytestmark = pytest.mark.fault("S13")
EXAMPLES = 5_000 if os.environ.get("PLAIT_BUDGET") == "large" else 150
TABLE = table(Path(__file__).with_name("texts.yaml"))
SPEC: dict[str, Any] = TABLE["spec"]
CODE, PIECES = TABLE["code"], TABLE["pieces"]
AT_WORK = tuple(TABLE["at_work"])
CANARY, COMPUTED = "canary-73d0", "1337"
TEXTS = st.one_of(
    st.sampled_from(CODE),
    st.tuples(st.sampled_from(CODE), st.sampled_from(CODE)).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.tuples(st.sampled_from(PIECES), st.sampled_from([50, 2_000])).map(lambda pair: pair[0] * pair[1]),
)
FREE = [("description",), ("sources", "seen", "table"),
        ("sources", "orders", "columns", "tier", "default")]  # fmt: skip
# A zone that is not known is answered by the nearest one that the system has.
LISTING = ("os.walk", "os.scandir", "os.listdir")
PLACES = [place for place in places(SPEC) if isinstance(at(SPEC, place), str)]
noted: list[str] = []
watched_thread = 0


def _note(event: str, arguments: Any) -> None:
    if threading.get_ident() != watched_thread:
        return
    listed = event in LISTING and "zoneinfo" in str(arguments[0])
    if event.startswith(AT_WORK) and not listed:
        noted.append(f"{event} {arguments!r}"[:300])


sys.addaudithook(_note)


@contextmanager
def watched() -> Iterator[None]:
    """Within, what would be code at work in this thread is noted; proxies and servers of tests have their own."""
    global watched_thread  # noqa: PLW0603 - a hook of the process stays, and looks only when it is asked to
    noted.clear()
    watched_thread = threading.get_ident()
    try:
        yield
    finally:
        watched_thread = 0


def spec(place: tuple[Any, ...], text: str) -> str:
    """The spec with a text at a place."""
    return json.dumps(replaced(SPEC, place, text), indent=1)


def steps(text: str) -> tuple[int, Validated]:
    """How many calls it takes to read a spec, and to plan what is valid."""
    count = 0

    def called(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        validated = validate(text, "spec.yaml", environment={"PLAIT_CANARY": CANARY})
        if validated.spec is not None:
            plan(validated.spec)
    finally:
        sys.setprofile(before)
    return count, validated


@pytest.fixture(scope="module")
def plain() -> int:
    """How many steps the spec takes as it is, everything being loaded."""
    steps(json.dumps(SPEC, indent=1))
    for place in PLACES:
        steps(spec(place, "{{"))
    steps(spec(("partition_by", "date"), "date(at, Nowhere)"))
    count, validated = steps(json.dumps(SPEC, indent=1))
    assert validated.problems == ()
    return count


@settings(max_examples=EXAMPLES)
@given(st.sampled_from(PLACES), TEXTS)
@example(("partition_by", "date"), "date(" * 2_000)
@example(("partition_by", "date"), "$${")
@example(("sources", "orders", "columns", "at"), "array<" * 2_000)
@example(("sources", "orders", "columns", "tier", "from"), "a[0]." * 2_000)
def test_a_text_is_itself_or_a_problem_and_never_code(plain: int, place: tuple[Any, ...], text: str) -> None:
    """The steps are those of any spec and some for each character."""
    with watched():
        count, validated = steps(spec(place, text))
    assert noted == []
    assert count <= 10 * plain + 60 * len(text)
    assert (validated.spec is None) == bool(validated.errors)
    assert [p for p in validated.problems if p.span is None or not p.help] == []
    digest = validated.spec.digest if validated.spec else ""  # has any digits
    shown = repr(validated.spec).replace(digest, "") + "".join(
        f"{p.message} {p.help} {p.note}" for p in validated.problems
    )
    assert COMPUTED in text or COMPUTED not in shown
    assert CANARY not in shown


@pytest.mark.parametrize("place", FREE, ids=".".join)
@pytest.mark.parametrize("text", CODE)
def test_where_any_text_may_stand_it_stays_as_it_is(place: tuple[Any, ...], text: str) -> None:
    """Names in `${}` are parameters there as elsewhere, so an unknown one is a problem."""
    _, validated = steps(spec(place, text))
    if "${" in text:
        assert {p.code for p in validated.errors} <= {"unknown-parameter", "unclosed-parameter"}
        assert validated.errors or text == "${lake}${lake}"
    else:
        assert validated.errors == (), validated.errors
        assert repr(text) in repr(validated.spec)


def test_the_watch_would_see_code_at_work() -> None:
    with watched():
        eval("7 * 191")
    assert [event.split()[0] for event in noted] == ["compile", "exec"]


def test_the_watch_looks_at_its_own_thread() -> None:
    with watched(), ThreadPoolExecutor(1) as pool:
        pool.submit(eval, "7 * 191").result()
    assert [event for event in noted if event.startswith(("compile", "exec"))] == []
