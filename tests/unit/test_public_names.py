"""`plait` offers a few names to Python users, and importing it loads none of what stands behind them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import plait
from kit.paths import DATA
from plait.engine.report import Report
from plait.pipeline.invalid_spec import InvalidSpec
from plait.pipeline.pipeline import Pipeline


def loaded_by(code: str) -> set[str]:
    """The modules that a new Python has loaded after these lines."""
    script = f"import sys\n{code}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", script], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_importing_plait_loads_nothing_but_itself_and_typing() -> None:
    assert loaded_by("import plait") - loaded_by("import __future__, typing") == {"plait"}


def test_importing_the_error_of_a_spec_loads_neither_the_engine_nor_a_service() -> None:
    loaded = loaded_by("from plait import InvalidSpec")
    assert {"plait.engine.engine", "pyarrow", "boto3", "obstore", "pandas"} & loaded == set()


def test_the_public_names_are_the_classes_of_their_modules() -> None:
    assert plait.InvalidSpec is InvalidSpec
    assert plait.Pipeline is Pipeline
    assert plait.Report is Report


def test_every_public_name_is_shown_to_those_who_look_for_it() -> None:
    assert {*plait.__all__} == {"InvalidSpec", "Pipeline", "Report", "load"}
    assert {*plait.__all__} <= {*dir(plait)}


def test_an_invalid_spec_is_caught_by_its_public_name(tmp_path: Path) -> None:
    spec = tmp_path / "orders.yaml"
    spec.write_text("plait: 1\nname: orders\n", encoding="utf-8")
    with pytest.raises(plait.InvalidSpec) as raised:
        plait.load(str(spec))
    assert {problem.code for problem in raised.value.problems} == {"missing-key"}


def test_problems_of_parameters_speak_of_the_arguments_of_python(tmp_path: Path) -> None:
    """A path may be the value of one, and nothing else that is no text."""
    spec = tmp_path / "orders.yaml"
    spec.write_text(
        "plait: 1\nname: orders\nparameters: {raw: {env: PLAIT_TEST_RAW}}\n"
        'sources: {orders: {connector: json, path: "${raw}/*.json", columns: {n: int}}}\n'
        f"sink: {{connector: parquet, path: {tmp_path}/out/}}\n"
    )
    with pytest.raises(plait.InvalidSpec) as raised:
        plait.load(spec)
    assert raised.value.problems[0].help == "give `plait.load(…, raw=…)` or set its environment variable"
    with pytest.raises(plait.InvalidSpec) as raised:
        plait.load(spec, rwa="x")
    message = "`plait.load` is given `rwa`, and the spec has no such parameter"
    assert message in [problem.message for problem in raised.value.problems]
    assert plait.load(spec, raw=tmp_path).spec.parameters == {"raw": str(tmp_path)}
    with pytest.raises(TypeError):
        plait.load(spec, raw=7)  # type: ignore[arg-type]


def test_parameters_read_only_the_variables_that_the_caller_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the argument `env`, which as a text is the value of a parameter of that name, or by PLAIT_ENV_ALLOW."""
    spec = tmp_path / "orders.yaml"
    spec.write_text(
        "plait: 1\nname: orders\nparameters: {raw: {env: DATABASE_URL, default: raw}, env: {default: dev}}\n"
        'sources: {orders: {connector: json, path: "${raw}/${env}/*.json", columns: {n: int}}}\n'
        f"sink: {{connector: parquet, path: {tmp_path}/out/}}\n"
    )
    assert plait.load(spec, env="prod").spec.parameters == {"raw": "raw", "env": "prod"}
    monkeypatch.setenv("DATABASE_URL", "hunter2-url")
    with pytest.raises(plait.InvalidSpec) as raised:
        plait.load(spec, env=["OTHER"])
    [problem] = raised.value.problems
    assert (problem.code, problem.span and problem.span.line) == ("refused-variable", 3)
    assert problem.help == 'allow it by `plait.load(…, env=["DATABASE_URL"])`'
    assert "hunter2" not in str(raised.value)
    assert plait.load(spec, raw="mine").spec.parameters["raw"] == "mine"
    assert plait.load(spec, env=["DATABASE_URL"]).spec.parameters["raw"] == "hunter2-url"
    monkeypatch.setenv("PLAIT_ENV_ALLOW", "OTHER, DATABASE_URL")
    assert plait.load(spec).spec.parameters["raw"] == "hunter2-url"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'plait' has no attribute 'Pipelines'"):
        plait.Pipelines  # type: ignore[attr-defined]  # noqa: B018


def test_no_problem_that_python_gets_speaks_of_options_of_the_command_line() -> None:
    texts = []
    for spec in sorted(DATA.glob("problems/*/*.yaml")):
        try:
            problems = plait.load(spec).warnings
        except plait.InvalidSpec as error:
            problems = error.problems
        texts += [f"{problem.message}: {problem.help} {problem.note}" for problem in problems]
    assert len(texts) > 100
    assert [text for text in texts if re.search(r"`[^`]*--[a-z]", text)] == []
