"""The command line as a whole: what it loads, and its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kit.paths import ROOT
from plait.cli import main as cli
from plait.cli.main import COMMANDS, main

HEAVY = ("pandas", "pyarrow", "boto3", "botocore", "awswrangler", "obstore", "rich")


def loaded(code: str) -> set[str]:
    """Run Python code afresh and return which heavy packages it loaded."""
    script = f"import sys\n{code}\nprint('loaded', *(set(sys.modules) & set({HEAVY!r})))"
    ended = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    return set(ended.stdout.splitlines()[-1].split()[1:])


def test_importing_the_command_line_loads_nothing_heavy() -> None:
    assert loaded("import plait.cli.main") == set()


def test_help_loads_few_modules_besides_those_of_click() -> None:
    """Python and click are most of its time: neither a spec, a server nor the metadata of packages is read for it."""
    code = "from plait.cli.main import main; main(['--help'], standalone_mode=False)"
    script = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*(set(sys.modules) - before))"
    ended = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    names = set(ended.stdout.splitlines()[-1].split())
    ours = {name for name in names if name.startswith("plait")}
    assert ours == {"plait", "plait.cli", "plait.cli.main", "plait.problems", "plait.problems.suggest"}
    assert not names & {"email", "importlib.metadata", "json", "logging", "msgspec"}


EVERY_COMMAND = main.list_commands(click.Context(main))


def test_help_of_every_command_loads_nothing_heavy() -> None:
    calls = "\n".join(f"main([{command!r}, '--help'], standalone_mode=False)" for command in EVERY_COMMAND)
    assert loaded(f"from plait.cli.main import main\n{calls}") == set()


def test_what_works_offline_loads_nothing_heavy() -> None:
    """Validation and a plan of the main job, and the schema with every connector."""
    spec = str(ROOT / "pipelines" / "transactions.yaml")
    commands = (["validate", spec], ["plan", spec], ["schema"])
    calls = "\n".join(f"main({command!r}, standalone_mode=False)" for command in commands)
    assert loaded(f"from plait.cli.main import main\n{calls}") == set()


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_every_command_is_found_by_its_name(command: str) -> None:
    loaded_command = main.get_command(click.Context(main), command)
    assert loaded_command is not None
    assert loaded_command.name == command


def test_help_lists_every_command_with_its_summary() -> None:
    ended = CliRunner().invoke(main, ["--help"])
    assert ended.exit_code == 0
    assert [*COMMANDS] == [*EVERY_COMMAND]
    for name, summary in COMMANDS.items():
        assert name in ended.stdout
        assert summary.split(",")[0] in ended.stdout


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, ZeroDivisionError("ours"))
    with pytest.raises(ZeroDivisionError):
        CliRunner().invoke(main, ["plan"], catch_exceptions=False)


def test_an_interruption_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_with(monkeypatch, KeyboardInterrupt())
    assert CliRunner().invoke(main, ["plan"]).exit_code == 130


def test_colour_is_for_a_terminal_without_no_color() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {
        "TERM": "xterm"
    }
    assert b"\x1b[1;31m" in on_terminal(environment)
    assert b"\x1b[" not in on_terminal(environment | {"NO_COLOR": "1"})


def fail_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make every command fail."""

    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setattr(cli, "import_module", lambda _name: type("Module", (), {"command": failing}))


def on_terminal(environment: dict[str, str]) -> bytes:
    """Return what a failing command prints on a terminal."""
    import pty

    leader, follower = pty.openpty()
    arguments = [sys.executable, "-P", "-c", "from plait.cli.main import main; main()", "plan", "none.yaml"]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=follower, env=environment) as process:
        os.close(follower)
        shown = os.read(leader, 10_000)
        while shown.count(b"\n") < 1:
            shown += os.read(leader, 10_000)
        assert process.wait() == 2
    os.close(leader)
    return shown


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_command_runs_where_nothing_can_be_printed(closed: str) -> None:
    plait = Path(sys.executable).with_name("plait")
    command = f"'{plait}' connectors {closed} && '{plait}' validate nothing.yaml {closed}; test $? = 2"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False)
