"""A spec that is wrong says where and why; one problem for each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from kit.paths import ROOT
from plait.language.validate import validate, validate_file
from plait.plan.plan import plan

SPEC_OF_A_VARIABLE = """
plait: 1
name: orders
parameters: {raw: {env: VARIABLE, default: in}}
sources: {orders: {connector: json, path: "./${raw}/*.json", columns: {id: string}}}
sink: {connector: parquet, path: ./lake/}
"""
SPEC = ROOT / "pipelines" / "transactions.yaml"
GOOD = """\
plait: 1
name: orders
sources:
  orders:
    connector: json
    path: in/*.json
    columns: {id: string, customer: bigint, at: timestamp}
  customers:
    connector: memory
    rows: [{customer: 1, name: Ada}]
    columns: {name: string}
    join: {on: customer}
partition_by: {date: date(at)}
sink: {connector: parquet, path: out/}
"""


def problems_of(text: str) -> list[tuple[str, int, str]]:
    """Code, line and underlined text of each problem."""
    lines = text.splitlines()
    problems = []
    for problem in validate(text, "x.yaml").problems:
        assert problem.span is not None
        line = lines[problem.span.line - 1]
        underlined = line[problem.span.column - 1 : problem.span.end_column - 1]
        problems.append((problem.code, problem.span.line, underlined))
    return problems


def test_the_main_spec_is_valid_and_plans() -> None:
    """The shipped spec has no problem, and its look-ups run side by side in one stage."""
    result = validate_file(str(SPEC))
    assert result.problems == ()
    assert result.spec is not None
    stages = [[source.name for source in stage] for stage in plan(result.spec).stages]
    assert stages == [["items", "stores", "activity", "fraud"]]


def test_a_good_spec_has_no_problem() -> None:
    """The spec that the cases below break is valid."""
    assert problems_of(GOOD) == []


CASES: list[tuple[str, str, list[tuple[str, int, str]]]] = [
    ("    path: in/*.json", "    paht: in/*.json", [("unknown-key", 6, "paht")]),
    ("connector: json", "connector: jsno", [("unknown-connector", 5, "jsno")]),
    ("id: string", "id: strin", [("unknown-type", 7, "strin")]),
    ("{on: customer}", "{on: custmer}", [("unknown-column", 12, "custmer")]),
    ("{on: customer}", "{on: customer, as: lst}", [("wrong-word", 12, "lst")]),
    ("{on: customer}", "{on: customer, duplicates: latest}", [("no-order", 12, "latest")]),
    ("date(at)", "dat(at)", [("unknown-function", 13, "dat")]),
    ("date(at)", "date(att)", [("unknown-column", 13, "att")]),
    ("date(at)", "date(id)", [("partition-type", 13, "id")]),
    ("date(at)", "'date(at, Europe/Madird)'", [("unknown-zone", 13, "Europe/Madird")]),
    ("    join: {on: customer}\n", "", [("two-drivers", 8, "customers")]),
    ("name: string}", "id: {type: string, from: name}}", [("duplicate-column", 11, "id")]),
    ("out/}", "out/}\nquarantine: in/", [("recursion", 15, "in/")]),
    ("path: out/", "path: 'out/{id}/'", [("wrong-path", 14, "{id}")]),
    ("path: in/*.json", "path: '*.json'", [("no-literal-beginning", 6, "'*.json'")]),
    ("path: in/*.json", "path: ${raw}/*.json", [("unknown-parameter", 6, "${raw}")]),
    (
        "connector: parquet",
        "connector: memory, rows: []",
        [("not-a-sink", 14, "memory")],
    ),
    ("plait: 1", "plait: 2", [("unknown-version", 1, "2")]),
    ("name: orders", "name: Orders!", [("bad-name", 2, "Orders!")]),
    (
        "    columns: {name: string}",
        "    columns: {name: string}\n    window: {around: at, before: 1h, after: 1h}",
        [("window-without-time", 12, "window")],
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "expected"), CASES, ids=[case[2][0][0] + str(n) for n, case in enumerate(CASES)]
)
def test_a_mistake_is_one_problem_at_its_place(old: str, new: str, expected: Any) -> None:
    """The caret stands under the wrong key or value, and a mistake has no cascade."""
    assert old in GOOD
    assert problems_of(GOOD.replace(old, new, 1)) == expected


@pytest.mark.fault("E16")
@pytest.mark.parametrize(
    ("path", "rows", "bad", "codes"),
    [
        ("s3://b/in/**", "s3://b/in/rows/", "s3://b/bad/", ["recursion"]),
        ("s3://b/in/**", "s3://b/out/", "s3://b/in/bad/", ["recursion"]),
        ("s3://b/*/*.json", "s3://b/out/", "s3://b/bad/", ["recursion"]),
        ("s3://b/in/*.json", "s3://b/in/rows/", "s3://b/in/bad/", []),
        ("s3://b/in/**", "s3://other/in/rows/", "s3://b/bad/", []),
    ],
)
def test_a_pipeline_that_would_be_driven_by_its_own_files_is_refused(
    path: str, rows: str, bad: str, codes: list[str]
) -> None:
    """Rows and quarantine records below the driving path would start the pipeline again, for ever."""
    text = GOOD.replace("in/*.json", path).replace("out/}", f"{rows}}}\nquarantine: {bad}")
    assert [code for code, _, _ in problems_of(text)] == codes


def test_lookups_that_wait_for_each_other_are_named() -> None:
    """A cycle of joins names the look-ups in it."""
    cycle = GOOD.replace(
        "partition_by",
        "  a: {connector: memory, rows: [], columns: {x: string}, join: {on: {y: k}}}\n"
        "  b: {connector: memory, rows: [], columns: {y: string}, join: {on: {x: k}}}\npartition_by",
    )
    [problem] = validate(cycle, "x.yaml").problems
    assert problem.code == "join-cycle"
    assert "`a`" in problem.message
    assert "`b`" in problem.message


def test_a_lookup_may_join_on_a_column_of_another_wherever_it_stands() -> None:
    """The order of the blocks means nothing: the engine finds the stages."""
    chained = GOOD.replace(
        "  customers:",
        "  cities: {connector: memory, rows: [], columns: {city: string}, join: {on: {name: n}}}\n  customers:",
    )
    result = validate(chained, "x.yaml")
    assert result.spec is not None
    assert [[source.name for source in stage] for stage in plan(result.spec).stages] == [
        ["customers"],
        ["cities"],
    ]


def test_a_parameter_cannot_change_the_structure() -> None:
    """A value with braces or a star is refused, so it never becomes a pattern."""
    text = GOOD.replace("sources:", "parameters: {raw: {default: in}}\nsources:").replace("in/*", "${raw}/*")
    assert validate(text, "x.yaml").problems == ()
    [problem] = validate(text, "x.yaml", {"raw": "in/{x}"}).problems
    assert problem.code == "parameter-value"


@pytest.mark.fault("S10")
@pytest.mark.parametrize(
    ("variable", "secret"),
    [
        *((name, True) for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")),
        *((name, True) for name in ("DB_PASSWORD", "MYSQL_PWD", "DB_PASSWD", "DB_PASS", "PGPASSWORD")),
        *((name, True) for name in ("GITHUB_TOKEN", "STRIPE_API_KEY", "STRIPE_APIKEY")),
        *(
            (name, False)
            for name in ("AWS_REGION", "PWD", "OLDPWD", "SHOP_SECRET", "COMPASS", "RAW", "PASSAGE")
        ),
    ],
)
def test_a_parameter_is_never_read_from_a_variable_that_holds_a_secret(variable: str, secret: bool) -> None:
    spec = SPEC_OF_A_VARIABLE.replace("VARIABLE", variable)
    assert [problem.code for problem in validate(spec, "spec.yaml").problems] == ["literal-secret"] * secret
