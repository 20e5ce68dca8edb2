"""A connector of another distribution is as good as ours, and cannot take a word of ours."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from kit.outside import cli, install, python

OUTSIDER = Path(__file__).parent / "outsider"
PREVIEW = "import plait; print(plait.load('outside.yaml').preview().to_pylist())"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outside")
    install(OUTSIDER, folder)
    install(OUTSIDER / "impostor", folder)
    shutil.copytree(OUTSIDER / "specs", folder, dirs_exist_ok=True)
    return folder


def test_a_spec_uses_a_connector_of_another_distribution_by_its_word(installed: Path) -> None:
    done = python(installed, "-c", PREVIEW)
    assert (
        done.stdout == "[{'question': 'six by nine', 'answer': 42}, {'question': 'why', 'answer': -1}]\n"
    ), done.stderr


def test_a_typo_in_the_columns_of_a_look_up_that_says_its_fields_is_told(installed: Path) -> None:
    text = (installed / "outside.yaml").read_text(encoding="utf-8")
    (installed / "typo.yaml").write_text(text.replace("columns: {answer:", "columns: {anwser:"))
    (problem,) = json.loads(cli(installed, "validate", "-o", "json", "typo.yaml").stdout)["problems"]
    assert (problem["code"], problem["line"]) == ("unknown-field", 11)
    assert problem["help"].startswith("did you mean `anwser: {type: int, from: answer}`")


def test_a_case_replaces_a_connector_that_knows_nothing_of_cases(installed: Path) -> None:
    done = cli(installed, "test", "outside.yaml")
    assert done.stdout == "1 spec, 2 cases, all hold\n", done.stderr


def test_the_list_of_connectors_says_which_distribution_offers_a_word(installed: Path) -> None:
    done = cli(installed, "connectors", "-o", "json")
    listed = json.loads(done.stdout)["connectors"]
    distributions = {connector["name"]: connector["distribution"] for connector in listed}
    assert distributions["answers"] == "plait-outsider"


def test_in_a_package_with_a_layer_it_lies_beside_the_spec(installed: Path) -> None:
    """So an edit of the connector is a small upload, as one of the spec; plait and Arrow are in the layer."""
    done = cli(installed, "package", "outside.yaml", "--here", "--layer", "-o", "json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert {"plait_outsider.py", "outside.yaml", "outside.lock.json"} <= made["parts"].keys()
    assert not {"plait", "pyarrow"} & made["parts"].keys()
    assert {"plait", "pyarrow"} <= made["layer"]["parts"].keys()
    assert "plait_outsider.py" not in made["layer"]["parts"]


@pytest.mark.fault("S12")
def test_a_word_that_two_distributions_offer_is_a_problem_and_loads_neither(installed: Path) -> None:
    done = cli(installed, "validate", "-o", "json", "stores.yaml")
    assert done.returncode == 1, done.stderr
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["code"] == "ambiguous-connector"
    lines = (installed / "stores.yaml").read_text(encoding="utf-8").splitlines()
    assert lines[problem["line"] - 1][problem["column"] - 1 :].startswith("mysql")
    assert "`plait-impostor` 1.0.0" in problem["note"]
    assert not (installed / "mark").exists()


def test_the_schema_for_editors_has_what_is_installed_and_tells_what_it_leaves_out(installed: Path) -> None:
    done = cli(installed, "schema")
    assert done.returncode == 0, done.stderr
    source = json.loads(done.stdout)["properties"]["sources"]["additionalProperties"]
    blocks = {block["if"]["properties"]["connector"]["const"]: block["then"] for block in source["allOf"]}
    assert blocks["answers"]["properties"]["answers"]["description"] == "the answer to each question"
    assert "mysql" not in blocks
    assert done.stderr.startswith("left out: two distributions offer `mysql` (offered by `plait` ")


@pytest.mark.fault("S12")
def test_options_that_no_value_could_meet_are_a_problem_of_the_spec(tmp_path: Path) -> None:
    """The mistake of their author is reported where the spec names the connector, not as a traceback."""
    for part in ("unfit", "specs"):
        shutil.copytree(OUTSIDER / part, tmp_path, dirs_exist_ok=True)
    done = cli(tmp_path, "validate", "-o", "json", "unfit.yaml")
    (problem,) = json.loads(done.stdout)["problems"]
    assert (problem["code"], problem["line"], problem["column"]) == ("broken-connector", 3, 26)
    assert problem["message"].startswith("the options of the connector `unfit` cannot be read: ")


def test_the_mark_shows_that_the_impostor_would_be_noticed(installed: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    code = f"import os; os.environ['IMPOSTOR_MARK'] = {str(mark)!r}; import plait_impostor"
    assert python(installed, "-c", code).returncode == 0
    assert mark.exists()


def test_the_contract_is_typed_so_that_strict_mypy_accepts_a_connector(
    installed: Path, tmp_path: Path
) -> None:
    arguments = ("--strict", f"--config-file={os.devnull}", f"--cache-dir={tmp_path}", "plait_outsider.py")
    done = python(installed, "-m", "mypy", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
